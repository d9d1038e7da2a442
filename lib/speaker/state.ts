import type { SpeakerStateStatus, WireObservation } from "#api/metallb";
import type { LinkInfo } from "#net/port";
import { type Announced, reasonAt } from "./announcements.ts";
import type { Peer } from "./members-state.ts";
import type { Decision } from "./world.ts";

interface StateFacts {
  readonly node: string;
  readonly pod: string;
  readonly version: string;
  readonly startedAt: string;
  readonly heartbeatAt: string;
  readonly ready: boolean;
  readonly memoryBytes: number;
  readonly info: readonly LinkInfo[];
  /** Names of the interfaces that "all" means. */
  readonly usable: readonly string[];
  readonly peers: readonly Peer[];
  /** Monotonic milliseconds, as in `peers`. */
  readonly now: number;
  readonly announced: ReadonlyMap<string, Announced>;
  readonly decisions: readonly Decision[];
  readonly wire: readonly WireObservation[];
  readonly findings: NonNullable<SpeakerStateStatus["findings"]>;
  readonly answeredWhoHas: string;
}

const MAX_NOT_ANNOUNCING = 200;

/** The whole status of a SpeakerState: what one speaker knows, does, and why it does not do the rest. */
export function speakerStatus(facts: StateFacts): SpeakerStateStatus {
  const { node, pod, version, startedAt, heartbeatAt, ready, memoryBytes, now, usable } = facts;
  const others = facts.peers.map((peer) => ({
    node: peer.node,
    alive: peer.alive,
    ready: peer.alive && peer.ready,
    ...(peer.suspected && { suspected: true }),
    lastSeenMs: Math.round(now - peer.lastHeardAt),
  }));
  return {
    node,
    pod,
    version,
    startedAt,
    heartbeatAt,
    ready,
    memoryBytes,
    interfaces: facts.info.map(({ name, mac, up, skipped }) => ({ name, mac, up, ...(skipped && { skipped }) })),
    members: [{ node, alive: true, ready }, ...others].toSorted((a, b) => (a.node < b.node ? -1 : 1)),
    announcing: [...facts.announced].flatMap(([service, { addresses, interfaces, since }]) =>
      addresses.map((address) => ({ address, service, interfaces: [...(interfaces ?? usable)], since })),
    ),
    notAnnouncing: facts.decisions
      .filter(({ key, addresses }) => addresses.length > 0 && !facts.announced.has(key))
      .map((decision) => ({ service: decision.key, reason: reasonAt(node, decision) }))
      // Elected, and asking the wire first: the next report says it.
      .filter(({ reason }) => reason !== "announced")
      .slice(0, MAX_NOT_ANNOUNCING),
    wire: [...facts.wire],
    findings: [...facts.findings],
    answeredWhoHas: facts.answeredWhoHas,
  };
}
