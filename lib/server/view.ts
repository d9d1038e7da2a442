import { toL2Facts, toNamespaceFacts, toPoolInput } from "#api/facts";
import type { EndpointSlice, Namespace, Node, Pod, Service } from "#api/kubernetes";
import type { IPAddressPool, L2Advertisement, ServiceL2Status, SpeakerState } from "#api/metallb";
import { byAge } from "#api/resources";
import { compileAdvertisements } from "#core/advertisements";
import { Allocator, observe } from "#core/allocate";
import type { L2Facts, NodeFacts } from "#core/election";
import type { Finding } from "#core/findings";
import type { Plan } from "#core/plan";
import { compilePools, type PoolView } from "#core/pools";
import { last } from "./last.ts";
import { groupSlices, heldBy, holdersOf, serviceView } from "./objects-to-facts.ts";
import { announcementsOf, conflictsOf, macsOf, nodeFactsOf, resolveAnnouncers, stateByNode } from "./speakers.ts";

/** The objects a view is made of. */
export interface Facts {
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
  readonly pools: readonly IPAddressPool[];
  readonly advertisements: readonly L2Advertisement[];
  readonly l2Statuses: readonly ServiceL2Status[];
  readonly speakerStates: readonly SpeakerState[];
  /** Services whose running probe gets no reply at all. */
  readonly unreachable: ReadonlySet<string>;
  readonly controllerReady: boolean;
  /** Wall time, ms: looks at the wire grow old. */
  readonly now: number;
  /** False where speakers report nothing (no ServiceL2Status kind): then who announces is computed, not read. */
  readonly announcersKnown: boolean;
  /** The pools as they were last valid, by name. */
  readonly previousPools?: ReadonlyMap<string, PoolView>;
  /** The advertisements as they were last valid. */
  readonly previousAdvertisements?: readonly L2Facts[];
}

export interface Announcer {
  readonly node: string;
  readonly interfaces: readonly string[];
  readonly since: string | null;
}

/** What every row derives from: objects compiled once, with the lookups that rows need. */
export interface View {
  readonly facts: Facts;
  readonly pools: readonly PoolView[];
  readonly findings: readonly Finding[];
  readonly advertisements: readonly L2Facts[];
  readonly nodes: readonly NodeFacts[];
  readonly slicesOf: (service: string) => readonly EndpointSlice[];
  /** Services by the canonical text of each address they hold. */
  readonly holders: ReadonlyMap<string, readonly string[]>;
  /** The addresses that a Service ("namespace/name") holds. */
  readonly addressesOf: (service: string) => readonly string[];
  /** Who reports to announce a Service ("namespace/name"). */
  readonly announcersOf: (service: string) => readonly Announcer[];
  /** Services that a node announces. */
  readonly announcedOn: (node: string) => readonly string[];
  readonly stateOf: (node: string) => SpeakerState | undefined;
  /** Node by MAC of one of its interfaces. */
  readonly nodeByMac: ReadonlyMap<string, string>;
  /** MACs that the last look at the wire saw for an address, when more than one answered. */
  readonly conflicts: ReadonlyMap<string, readonly string[]>;
  /** What the controller would do with a Service now, by core's own rules. */
  readonly plan: (service: Service) => Plan;
}

/** How each part of a view is made; an instance remembers its last answers. */
export type Derivations = ReturnType<typeof derivations>;

export function derivations() {
  return {
    pools: last((pools: Facts["pools"], namespaces: Facts["namespaces"], previous: Facts["previousPools"]) =>
      compilePools(pools.toSorted(byAge).map(toPoolInput), namespaces.map(toNamespaceFacts), previous),
    ),
    advertisements: last((ads: Facts["advertisements"], previous: Facts["previousAdvertisements"]) =>
      compileAdvertisements(ads.toSorted(byAge).map(toL2Facts), previous),
    ),
    nodes: last(nodeFactsOf),
    slices: last(groupSlices),
    holders: last(holdersOf),
    held: last(heldBy),
    announcements: last(announcementsOf),
    states: last(stateByNode),
    macs: last(macsOf),
  };
}

export function makeView(facts: Facts, derive: Derivations = derivations()): View {
  const compiled = derive.pools(facts.pools, facts.namespaces, facts.previousPools);
  const slices = derive.slices(facts.slices);
  const announcements = derive.announcements(facts.l2Statuses);
  const held = derive.held(facts.services);
  const states = derive.states(facts.speakerStates);
  return {
    facts,
    pools: compiled.pools,
    findings: compiled.findings,
    advertisements: derive.advertisements(facts.advertisements, facts.previousAdvertisements).advertisements,
    nodes: derive.nodes(facts.nodes, facts.pods, facts.speakerStates),
    slicesOf: (service) => slices.get(service) ?? [],
    holders: derive.holders(facts.services),
    addressesOf: (service) => held.get(service) ?? [],
    announcersOf: (service) => resolveAnnouncers(service, announcements.byService.get(service) ?? [], states),
    announcedOn: (node) => announcements.byNode.get(node) ?? [],
    stateOf: (node) => states.get(node),
    nodeByMac: derive.macs(facts.speakerStates),
    conflicts: conflictsOf(facts.speakerStates, facts.now),
    plan: planner(facts, compiled.pools),
  };
}

/** Built on the first question only: most rows have their address and never ask. */
function planner(facts: Facts, pools: readonly PoolView[]): (service: Service) => Plan {
  let allocator: Allocator | undefined;
  return (service) => {
    if (allocator === undefined) {
      const inForce = new Set(pools.map((pool) => pool.name));
      const left = facts.pools.map((pool) => pool.metadata.name ?? "").filter((name) => !inForce.has(name));
      allocator = new Allocator();
      allocator.setPools(pools, new Set(left));
      for (const other of facts.services.toSorted(byAge)) observe(allocator, serviceView(other));
    }
    return allocator.plan(serviceView(service));
  };
}
