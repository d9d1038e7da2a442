import { nodesByMac } from "#api/facts";
import { type AddressHold, toHoldInput } from "#api/holds";
import type { Namespace, Node } from "#api/kubernetes/cluster";
import type { Pod } from "#api/kubernetes/pods";
import type { EndpointSlice, Service } from "#api/kubernetes/services";
import type { IPAddressPool, L2Advertisement, ServiceL2Status, SpeakerState } from "#api/metallb";
import { byAge } from "#api/resources";
import { Allocator } from "#core/allocate";
import { type Configuration, compileConfiguration } from "#core/configuration";
import type { ConfigurationFinding } from "#core/configuration/finding";
import type { L2Facts, NodeFacts } from "#core/election";
import { nameIn } from "#core/findings";
import { compileHolds, HoldIndex, type HoldView, holdsAt } from "#core/holds";
import { observe } from "#core/observe";
import type { Plan } from "#core/plan";
import type { PoolView } from "#core/pools";
import { serviceView } from "#core/service-view";
import { last, lastAlike } from "./last.ts";
import { groupSlices, heldBy, holdersOf } from "./objects-to-facts.ts";
import { asWritten } from "./sound.ts";
import {
  announcementsOf,
  conflictsOf,
  nodeFactsOf,
  resolveAnnouncers,
  stateByNode,
  type WireReport,
  wireReportsOf,
} from "./speakers.ts";

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
  readonly holds: readonly AddressHold[];
  /** Services whose running probe gets no reply at all. */
  readonly unreachable: ReadonlySet<string>;
  readonly controllerReady: boolean;
  /** Wall time, ms: looks at the wire grow old. */
  readonly now: number;
  /** False where speakers report nothing (no ServiceL2Status kind): then who announces is computed, not read. */
  readonly announcersKnown: boolean;
}

export interface Announcer {
  readonly node: string;
  readonly interfaces: readonly string[];
  readonly since: string | null;
}

/** What every row derives from: objects compiled once, with the lookups that rows need. */
export interface View {
  readonly facts: Facts;
  /** In force; an object that is invalid keeps its last valid version. */
  readonly configuration: Configuration;
  readonly pools: readonly PoolView[];
  /** What the compiler says of one object, errors first. */
  readonly findingsOf: (kind: "IPAddressPool" | "L2Advertisement", name: string) => readonly ConfigurationFinding[];
  readonly advertisements: readonly L2Facts[];
  readonly nodes: readonly NodeFacts[];
  readonly slicesOf: (service: string) => readonly EndpointSlice[];
  /** Services by the canonical text of each address they hold. */
  readonly holders: ReadonlyMap<string, readonly string[]>;
  /** How many Services hold an address. */
  readonly assigned: number;
  /** The addresses that a Service ("namespace/name") holds. */
  readonly addressesOf: (service: string) => readonly string[];
  /** Who reports to announce a Service ("namespace/name"). */
  readonly announcersOf: (service: string) => readonly Announcer[];
  /** Services that a node announces. */
  readonly announcedOn: (node: string) => readonly string[];
  readonly stateOf: (node: string) => SpeakerState | undefined;
  /** Node by MAC of one of its interfaces. */
  readonly nodeByMac: ReadonlyMap<string, string>;
  /** MACs that answer for an address, where that is not the one that should. */
  readonly conflicts: ReadonlyMap<string, readonly string[]>;
  /** What the speakers' watch over the wire found wrong, by address. */
  readonly wire: ReadonlyMap<string, WireReport>;
  /** The AddressHolds that keep addresses back now. */
  readonly holds: HoldIndex;
  /** What the controller would do with a Service now, by core's own rules. */
  readonly plan: (service: Service) => Plan;
}

/** How each part of a view is made; an instance remembers its last answers. */
type Derivations = ReturnType<typeof derivations>;

/** `previous`: what was in force so far. */
export function derivations(previous?: Configuration) {
  return {
    configuration: compiling(previous),
    addresses: lastAlike(nodesWithAddresses),
    nodes: last(nodeFactsOf),
    slices: last(groupSlices),
    holders: last(holdersOf),
    held: last(heldBy),
    holds: holdsInForce(),
    announcements: last(announcementsOf),
    states: last(stateByNode),
    macs: last(nodesByMac),
  };
}

export function makeView(facts: Facts, derive: Derivations = derivations()): View {
  const compiled = derive.configuration(
    facts.pools,
    facts.advertisements,
    facts.namespaces,
    derive.addresses(facts.nodes),
  );
  const { pools } = compiled.configuration;
  const slices = derive.slices(facts.slices);
  const announcements = derive.announcements(facts.l2Statuses);
  const held = derive.held(facts.services);
  const states = derive.states(facts.speakerStates);
  const holds = holding(derive.holds(facts.holds), facts.now);
  return {
    facts,
    configuration: compiled.configuration,
    pools,
    findingsOf: (kind, name) => compiled.findings.get(`${kind} ${name}`) ?? [],
    advertisements: compiled.configuration.l2Advertisements,
    nodes: derive.nodes(facts.nodes, facts.pods, facts.speakerStates),
    slicesOf: (service) => slices.get(service) ?? [],
    holders: derive.holders(facts.services),
    assigned: held.size,
    addressesOf: (service) => held.get(service) ?? [],
    announcersOf: (service) => resolveAnnouncers(service, announcements.byService.get(service) ?? [], states),
    announcedOn: (node) => announcements.byNode.get(node) ?? [],
    stateOf: (node) => states.get(node),
    nodeByMac: derive.macs(facts.speakerStates),
    conflicts: conflictsOf(facts.speakerStates, facts.now),
    wire: wireReportsOf(facts.speakerStates, facts.now),
    holds: holds.index,
    plan: planner(facts, pools, { leftOut: compiled.leftOut, holds: holds.active }),
  };
}

/** What of nodes the configuration depends on: heartbeats are no such thing. */
function nodesWithAddresses(nodes: readonly Node[]) {
  return nodes.map(({ metadata: { name, labels }, status }) => ({
    metadata: { name, labels },
    status: { addresses: status?.addresses },
  }));
}

/** As the controller compiles it, but for BGP: again only where an input changed, on top of what was in force before. */
function compiling(first: Configuration | undefined) {
  let previous = first;
  return last(
    (
      pools: readonly IPAddressPool[],
      l2Advertisements: readonly L2Advertisement[],
      namespaces: readonly Namespace[],
      nodes: ReturnType<typeof nodesWithAddresses>,
    ) => {
      const compiled = compileConfiguration(
        {
          pools: pools.map(asWritten),
          l2Advertisements: l2Advertisements.map(asWritten),
          // A cluster has some: none are those that were not listed yet.
          namespaces: namespaces.length === 0 ? undefined : namespaces,
          nodes,
        },
        previous,
      );
      previous = compiled.configuration;
      return {
        configuration: compiled.configuration,
        leftOut: new Set(compiled.leftOut.map(({ name }) => name)),
        findings: Map.groupBy(compiled.findings, ({ kind, object }) => `${kind} ${nameIn(object)}`),
      };
    },
  );
}

/** As the controller compiles them: an invalid edit leaves the version before in force. */
function holdsInForce() {
  let previous: ReadonlyMap<string, HoldView> = new Map();
  return last((objects: readonly AddressHold[]) => {
    const { holds } = compileHolds(objects.toSorted(byAge).map(toHoldInput), previous);
    previous = new Map(holds.map((hold) => [hold.name, hold]));
    return holds;
  });
}

function holding(holds: readonly HoldView[], now: number) {
  const { active } = holdsAt(holds, now);
  return { active, index: new HoldIndex(active) };
}

/** Built on the first question only: most rows have their address and never ask. */
function planner(
  facts: Facts,
  pools: readonly PoolView[],
  { leftOut, holds }: { readonly leftOut: ReadonlySet<string>; readonly holds: readonly HoldView[] },
): (service: Service) => Plan {
  let allocator: Allocator | undefined;
  return (service) => {
    if (allocator === undefined) {
      allocator = new Allocator();
      allocator.setPools(pools, leftOut);
      allocator.setHolds(holds);
      for (const other of facts.services.toSorted(byAge)) observe(allocator, serviceView(other));
    }
    return allocator.plan(serviceView(service));
  };
}
