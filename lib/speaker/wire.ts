import { nodesByMac } from "#api/facts";
import type { Service } from "#api/kubernetes/services";
import type { SpeakerState, SpeakerStateStatus } from "#api/metallb";
import { SPEAKER_STATES } from "#api/resources";
import { formatAddress, tryParseAddress } from "#core/address";
import { explainWire, unassignedAddress, type WireVerdict } from "#core/who-has";
import type { Announcer } from "./announcer.ts";
import { ConflictHolds } from "./conflict-holds.ts";
import type { SpeakerDeps } from "./deps.ts";
import type { EventWriter } from "./events.ts";
import { FirstUse } from "./first-use.ts";
import type { WireDeps } from "./who-has.ts";
import { WireQuestions } from "./wire-questions.ts";
import { WireWatch } from "./wire-watch.ts";
import type { World } from "./world.ts";

interface WireParts {
  readonly announcer: Announcer;
  readonly world: World;
  readonly events: EventWriter;
  readonly signal: AbortSignal;
  /** The published state changed. */
  readonly onChange: () => void;
  /** Decide on these Services again. */
  readonly again: (keys: readonly string[]) => void;
}

/** `reason` of the Event for each finding. */
const EVENT = { conflict: "AddressConflict", split_brain: "SplitBrain", proxy_arp: "ProxyARP" } as const;
/** Nodes asked for their own addresses at most; a cluster that large publishes its MACs. */
const NODES_ASKED_MAX = 256;
/** The same finding about one address makes an Event so often at most, whoever comes and goes and under whatever MAC. */
const SAY_AGAIN_MS = 60_000;
const SAID_MAX = 256;
const LISTED_FOR_MS = 1000;
const LIST_WITHIN_MS = 500;

/**
 * All that a speaker asks the wire, and what becomes of the answers: questions of people, the look before first use,
 * the watch over what is announced; reported as Events, metric and SpeakerState, and conflicts as AddressHolds.
 */
export class Wire {
  readonly questions: WireQuestions;
  readonly firstUse: FirstUse;
  readonly #watch: WireWatch;
  readonly #holds: ConflictHolds;
  readonly #deps: SpeakerDeps;
  readonly #parts: WireParts;
  #nodes: ReadonlyMap<string, string> = new Map();
  /** Addresses that somebody was given or must not be given, read once for many questions at one time. */
  #taken: { readonly at: number; readonly addresses: ReadonlySet<string | undefined> } = {
    at: -1,
    addresses: new Set(),
  };
  readonly #said = new Map<string, { readonly kind: string; readonly at: number }>();
  #listedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: SpeakerDeps, parts: WireParts) {
    const { link, clock, nodeAddress, nodeName: node, metrics } = deps;
    const { announcer, signal, world } = parts;
    this.#deps = deps;
    this.#parts = parts;
    const announces = (ip: string, name: string) => announcer.holds(ip, name) === "yes";
    const wire: WireDeps = { link, clock, senderIp: nodeAddress, announces };
    this.questions = new WireQuestions(wire, parts.onChange);
    this.#watch = new WireWatch({
      ...wire,
      node,
      holding: () => announcer.holding,
      heldSince: (address) => announcer.heldSince(address),
      quarantined: () => this.#holds.addresses,
      nodesByMac: () => this.#nodesByMac(),
      nodesByAddress: () => new Map([...world.nodeAddresses].slice(0, NODES_ASKED_MAX)),
      unassigned: (address, turn) => this.#unassigned(address, turn),
      onVerdict: (address, verdict) => this.#report(address, verdict),
    });
    this.firstUse = new FirstUse({ ...wire, node, watch: this.#watch, again: parts.again });
    const verdictOn = (address: string) => this.#watch.findings.get(address)?.verdict;
    this.#holds = new ConflictHolds({ ...deps, node, signal, verdictOn });
    const gauge = metrics.gauge(
      "berth_speaker_wire_findings",
      "Addresses with something wrong on the wire, by kind: conflict, split_brain, proxy_arp.",
    );
    metrics.onRender(() => {
      const kinds = [...this.#watch.findings.values()].map(({ verdict }) => verdict.kind);
      for (const kind of Object.keys(EVENT)) gauge.set({ kind }, kinds.filter((one) => one === kind).length);
    });
  }

  /** Another machine was heard to have what is ours to announce. */
  heard(address: string, mac: string): void {
    if (!this.#deps.link.info().some((own) => own.mac === mac)) this.#watch.heard(address, mac);
  }

  /** For the SpeakerState. */
  get findings(): NonNullable<SpeakerStateStatus["findings"]> {
    return [...this.#watch.findings].map(([address, { verdict, since }]) => ({
      address,
      kind: verdict.kind,
      claimants: verdict.claimants.map(({ mac, node }) => ({ mac, ...(node !== null && { node }) })),
      message: explainWire(address, verdict),
      since,
    }));
  }

  /** Watches until the signal aborts; never rejects. */
  async run(): Promise<void> {
    this.#watch.start();
    this.#parts.signal.addEventListener("abort", () => this.#watch.close(), { once: true });
    await this.#holds.run();
  }

  #report(address: string, verdict: WireVerdict): void {
    const { log } = this.#deps;
    const { events, onChange } = this.#parts;
    const { kind } = verdict;
    this.#holds.touch(address);
    onChange();
    if (kind === "clear") {
      log.info("wire is in order again", { address });
      return;
    }
    const message = explainWire(address, verdict);
    log.warn("wire is not in order", { address, finding: kind, message });
    const before = this.#said.get(address);
    const now = this.#deps.clock.monotonic();
    if (before?.kind === kind && now - before.at < SAY_AGAIN_MS) return;
    if (this.#said.size >= SAID_MAX) this.#said.clear();
    this.#said.set(address, { kind, at: now });
    for (const service of this.#holdersOf(address))
      events.emit(service, { type: "Warning", reason: EVENT[kind], message });
  }

  #holdersOf(address: string): readonly Service[] {
    const holds = (service: Service) => (service.status?.loadBalancer?.ingress ?? []).some(({ ip }) => ip === address);
    return this.#parts.world.services.list().filter(holds);
  }

  #unassigned(address: string, turn: number): string | null {
    const { services, config } = this.#parts.world;
    const now = this.#deps.clock.monotonic();
    if (this.#taken.at !== now) {
      const given = services.list().flatMap(({ status }) => (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip));
      this.#taken = { at: now, addresses: new Set([...given, ...this.#holds.addresses]) };
    }
    const taken = this.#taken.addresses;
    const family = tryParseAddress(address)?.family;
    const ranges = config.pools.flatMap((pool) => pool.ranges).filter(({ first }) => first.family === family);
    const found = unassignedAddress(
      ranges,
      (one) => taken.has(formatAddress(one)) || formatAddress(one) === address,
      turn,
    );
    return found === null ? null : formatAddress(found);
  }

  /** Asked for only when a stranger is heard; the last that is known while the API server is away. */
  async #nodesByMac(): Promise<ReadonlyMap<string, string>> {
    const { cluster, namespace, clock, log } = this.#deps;
    if (clock.monotonic() - this.#listedAt < LISTED_FOR_MS) return this.#nodes;
    this.#listedAt = clock.monotonic();
    const listed = cluster.list<SpeakerState>(SPEAKER_STATES, { namespace }).then(
      ({ items }) => {
        this.#nodes = nodesByMac(items);
      },
      (thrown: unknown) => log.debug("speaker states not read", { error: String(thrown) }),
    );
    await Promise.race([listed, new Promise<void>((resolve) => clock.schedule(LIST_WITHIN_MS, resolve))]);
    return this.#nodes;
  }
}
