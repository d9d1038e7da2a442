import type { Hearsay, Heartbeat } from "./heartbeat.ts";

/** How often `tick` must be stepped; beats go out with every second tick. */
export const TICK_MS = 50;
const BEAT_MS = 100;
/** Up to so many members everyone beats at full rate; above, the total per node stays bounded. */
const FULL_RATE_MEMBERS = 20;
/** Silence, observed while we ran on time, after which a member is dead. */
const DEAD_AFTER_MS = 350;
const DEAD_AFTER_BEATS = 3.5;
/** Our own lag lengthens that, as a slow machine is slow for everyone; but not without end. */
const MAX_LAG_MS = 500;
const MAX_HEARSAY = 32;
/** Names that are remembered at most: without a secret anybody may make up more. */
const MAX_PEERS = 1000;

/** Another speaker, as this one knows it. Times are monotonic milliseconds of this process. */
export interface Peer {
  readonly node: string;
  readonly incarnation: number;
  readonly sequence: number;
  /** Newest sequence that somebody else heard from it. */
  readonly hearsay: number;
  readonly intervalMs: number;
  readonly lastHeardAt: number;
  /** Silence counted so far, milliseconds; time in which we ourselves were stalled does not count. */
  readonly silentMs: number;
  readonly alive: boolean;
  readonly ready: boolean;
  readonly leaving: boolean;
  readonly interfaces: readonly string[];
}

/** All that one speaker knows of membership; only `stepMembers` makes a new one. */
export interface MembersState {
  readonly node: string;
  readonly incarnation: number;
  readonly sequence: number;
  readonly ready: boolean;
  readonly leaving: boolean;
  readonly interfaces: readonly string[];
  /** Where the other nodes' speakers listen, by node. Stays as it was while the API server is away. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly peers: ReadonlyMap<string, Peer>;
  readonly lastTickAt: number | null;
  readonly nextBeatAt: number;
  /** Decaying maximum of our own lateness, milliseconds. */
  readonly lagMs: number;
}

/** What can happen to it. */
export type MembersEvent =
  /** Time passed; due every `TICK_MS`. */
  | { readonly kind: "tick" }
  | { readonly kind: "heard"; readonly beat: Heartbeat }
  | { readonly kind: "addresses"; readonly addresses: ReadonlyMap<string, string> }
  | { readonly kind: "self"; readonly ready: boolean; readonly interfaces: readonly string[] }
  | { readonly kind: "leave" };

/** What it asks for. */
export type MembersEffect =
  | { readonly kind: "send"; readonly beat: Heartbeat; readonly to: readonly string[] }
  /** Who is alive, ready, or has which interfaces is not as before; `died` are those that fell silent. */
  | { readonly kind: "changed"; readonly died: readonly string[] }
  | { readonly kind: "dropped"; readonly reason: "own_name" | "stale" | "too_many" };

export interface MembersStep {
  readonly state: MembersState;
  readonly effects: readonly MembersEffect[];
}

/** Knows nobody yet. `incarnation` is the start of this process, wall milliseconds. */
export function initialMembers(node: string, incarnation: number): MembersState {
  return {
    node,
    incarnation,
    sequence: 0,
    ready: false,
    leaving: false,
    interfaces: [],
    addresses: new Map(),
    peers: new Map(),
    lastTickAt: null,
    nextBeatAt: 0,
    lagMs: 0,
  };
}

/**
 * The membership of one speaker, as a pure function of what it heard and when.
 * `now` is monotonic milliseconds. A member dies of silence only while we
 * ourselves ran on time: a stalled process finds its late beats still unread.
 */
export function stepMembers(state: MembersState, event: MembersEvent, now: number): MembersStep {
  switch (event.kind) {
    case "tick":
      return tick(state, now);
    case "heard":
      return heard(state, event.beat, now);
    case "addresses":
      return readdress(state, event.addresses);
    case "self": {
      const same = state.ready === event.ready && sameNames(state.interfaces, event.interfaces);
      if (same) return { state, effects: [] };
      return beat({ ...state, ready: event.ready, interfaces: event.interfaces }, now, [{ kind: "changed", died: [] }]);
    }
    case "leave":
      return state.leaving ? { state, effects: [] } : beat({ ...state, leaving: true, ready: false }, now, []);
  }
}

/** Milliseconds between beats in a cluster of that many members. */
export function beatInterval(members: number): number {
  return BEAT_MS * Math.max(1, Math.ceil(members / FULL_RATE_MEMBERS));
}

function tick(state: MembersState, now: number): MembersStep {
  const elapsed = state.lastTickAt === null ? TICK_MS : now - state.lastTickAt;
  const stalled = elapsed > 2 * TICK_MS;
  const lagMs = Math.min(MAX_LAG_MS, Math.max(state.lagMs * 0.95, elapsed - TICK_MS));
  const died: string[] = [];
  const peers = new Map<string, Peer>();
  for (const [node, peer] of state.peers) {
    if (!peer.alive) {
      peers.set(node, peer);
      continue;
    }
    // Beats that came while we were stalled are read only after this tick: nothing can be said about that time.
    const silentMs = stalled ? peer.silentMs : peer.silentMs + Math.min(elapsed, now - peer.lastHeardAt);
    const limit = Math.max(DEAD_AFTER_MS, DEAD_AFTER_BEATS * peer.intervalMs) + 2 * lagMs;
    const alive = silentMs < limit;
    if (!alive) died.push(node);
    peers.set(node, { ...peer, silentMs, alive });
  }
  const next: MembersState = { ...state, peers, lagMs, lastTickAt: now };
  const effects: MembersEffect[] = died.length === 0 ? [] : [{ kind: "changed", died }];
  return now + TICK_MS / 2 >= state.nextBeatAt ? beat(next, now, effects) : { state: next, effects };
}

function heard(state: MembersState, from: Heartbeat, now: number): MembersStep {
  const dropped = (reason: "own_name" | "stale" | "too_many"): MembersStep => ({
    state,
    effects: [{ kind: "dropped", reason }],
  });
  if (from.node === state.node) return dropped("own_name");
  const before = state.peers.get(from.node);
  if (before !== undefined && isStale(before, from)) return dropped("stale");
  if (before === undefined && state.peers.size >= MAX_PEERS) return dropped("too_many");
  const peer: Peer = {
    node: from.node,
    incarnation: from.incarnation,
    sequence: from.sequence,
    hearsay: from.sequence,
    intervalMs: from.intervalMs,
    lastHeardAt: now,
    silentMs: 0,
    alive: !from.leaving,
    ready: from.ready && !from.leaving,
    leaving: from.leaving,
    interfaces: from.interfaces,
  };
  const peers = new Map(state.peers).set(from.node, peer);
  for (const word of from.heard) confirm(peers, word, now);
  const changed =
    before === undefined ||
    before.alive !== peer.alive ||
    before.ready !== peer.ready ||
    before.incarnation !== peer.incarnation ||
    !sameNames(before.interfaces, peer.interfaces);
  return { state: { ...state, peers }, effects: changed ? [{ kind: "changed", died: [] }] : [] };
}

function isStale(before: Peer, from: Heartbeat): boolean {
  if (from.incarnation === before.incarnation) return from.sequence <= before.sequence;
  // An older incarnation is an echo, unless the member is dead: its clock may have been set back before it restarted.
  return from.incarnation < before.incarnation && before.alive;
}

/** Somebody heard a beat we did not: that member lives. Each beat confirms once, so hearsay keeps nobody alive. */
function confirm(peers: Map<string, Peer>, word: Hearsay, now: number): void {
  const peer = peers.get(word.node);
  if (peer === undefined || !peer.alive || word.incarnation !== peer.incarnation || word.sequence <= peer.hearsay)
    return;
  peers.set(word.node, { ...peer, hearsay: word.sequence, silentMs: 0, lastHeardAt: now });
}

function readdress(state: MembersState, addresses: ReadonlyMap<string, string>): MembersStep {
  const peers = new Map([...state.peers].filter(([node]) => addresses.has(node)));
  const gone = [...state.peers.values()].filter(({ node, alive }) => alive && !addresses.has(node));
  const effects: MembersEffect[] = gone.length === 0 ? [] : [{ kind: "changed", died: gone.map(({ node }) => node) }];
  return { state: { ...state, addresses, peers }, effects };
}

function beat(state: MembersState, now: number, before: readonly MembersEffect[]): MembersStep {
  const intervalMs = beatInterval(state.addresses.size + 1);
  const sequence = state.sequence + 1;
  const onTime = now - state.nextBeatAt < intervalMs / 2;
  const next = {
    ...state,
    sequence,
    nextBeatAt: (onTime ? Math.max(state.nextBeatAt, now - intervalMs / 2) : now) + intervalMs,
  };
  const message: Heartbeat = {
    node: state.node,
    incarnation: state.incarnation,
    sequence,
    intervalMs,
    ready: state.ready,
    leaving: state.leaving,
    interfaces: state.interfaces,
    heard: hearsayOf(state, now, intervalMs),
  };
  return { state: next, effects: [...before, { kind: "send", beat: message, to: [...state.addresses.values()] }] };
}

/** Who was heard within two beats; in large clusters another part of them with each beat. */
function hearsayOf(state: MembersState, now: number, intervalMs: number): readonly Hearsay[] {
  const recent = [...state.peers.values()].filter(
    ({ alive, lastHeardAt }) => alive && now - lastHeardAt <= 2 * intervalMs,
  );
  const from = recent.length <= MAX_HEARSAY ? 0 : (state.sequence * MAX_HEARSAY) % recent.length;
  return [...recent.slice(from), ...recent.slice(0, from)]
    .slice(0, MAX_HEARSAY)
    .map(({ node, incarnation, sequence }) => ({ node, incarnation, sequence }));
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}
