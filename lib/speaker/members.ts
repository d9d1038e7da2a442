import { newsOf, post, regularLetters, successionLetters } from "./beats.ts";
import { heard, mourning } from "./hearing.ts";
import type { News } from "./heartbeat.ts";
import {
  BEAT_MS,
  type MembersEffect,
  type MembersEvent,
  type MembersState,
  type MembersStep,
  REPEATS,
  sameNames,
  TICK_MS,
} from "./members-state.ts";
import { Peers } from "./peers.ts";
import { memberId } from "./ring.ts";
import { isSuspect, verdict, witnesses } from "./verdict.ts";

const MAX_LAG_MS = 500;
/** Per tick: after ten seconds nothing of a stall is left. */
const LAG_DECAY = 0.95;
const REMEMBER_ANSWER_MS = 1000;

/** Knows nobody yet. `incarnation` is the start of this process, wall milliseconds. */
export function initialMembers(node: string, incarnation: number, holds = 0): MembersState {
  const id = memberId(node);
  return {
    node,
    id,
    incarnation,
    sequence: 0,
    holds,
    ready: false,
    leaving: false,
    interfaces: [],
    addresses: new Map(),
    ring: [id],
    names: new Map([[id, node]]),
    peers: Peers.none,
    lastTickAt: null,
    nextBeatAt: 0,
    lagMs: 0,
    shouts: 0,
    hurries: 0,
    watchers: new Set(),
    // Everyone begins elsewhere: who goes round in step knocks at one door.
    round: id,
    newsRound: 0,
    obituaries: [],
    took: [],
    answeredAt: new Map(),
  };
}

/**
 * The membership of one speaker, as a pure function of what it heard and when.
 * `now` is monotonic milliseconds. Each member beats to the ten after it on the
 * ring and, in turn, to the rest. It is believed dead when it has been silent
 * for some of them who asked each other, and by the others on their word;
 * silence counts only while we ourselves ran on time, as a stalled process finds
 * its late beats still unread. A member is believed alive again by a newer beat
 * that it answered us with, or that somebody else heard just now.
 */
export function stepMembers(state: MembersState, event: MembersEvent, now: number): MembersStep {
  switch (event.kind) {
    case "tick":
      return tick(state, now);
    case "heard":
      return heard(state, event.beat, event.from, now);
    case "addresses":
      return readdress(state, event.addresses, now);
    case "self": {
      const same = state.ready === event.ready && sameNames(state.interfaces, event.interfaces);
      if (same) return { state, effects: [] };
      return shout({ ...state, ready: event.ready, interfaces: event.interfaces }, now, [
        { kind: "changed", died: [] },
      ]);
    }
    case "key":
      return state.holds === event.holds ? { state, effects: [] } : shout({ ...state, holds: event.holds }, now, []);
    case "took": {
      if (event.addresses.length === 0) return { state, effects: [] };
      const told = { addresses: event.addresses, to: event.from, left: REPEATS - 1 };
      const next = { ...state, took: [...state.took, told] };
      return post(next, successionLetters(next, event.addresses, event.from), now);
    }
    case "leave":
      return state.leaving ? { state, effects: [] } : shout({ ...state, leaving: true, ready: false }, now, []);
  }
}

function tick(state: MembersState, now: number): MembersStep {
  const elapsed = state.lastTickAt === null ? TICK_MS : now - state.lastTickAt;
  const stalled = elapsed > 2 * TICK_MS;
  const lagMs = Math.min(MAX_LAG_MS, Math.max(state.lagMs * LAG_DECAY, elapsed - TICK_MS));
  const answeredAt = new Map([...state.answeredAt].filter(([, at]) => now - at < REMEMBER_ANSWER_MS));
  const running: MembersState = {
    ...state,
    // Beats that came while we were stalled are read only after this tick: nothing can be said about that time.
    peers: stalled ? postponed(state.peers, elapsed - TICK_MS, now) : state.peers,
    answeredAt: answeredAt.size === state.answeredAt.size ? state.answeredAt : answeredAt,
    lagMs,
    lastTickAt: now,
    hurries: stalled ? REPEATS : state.hurries,
  };
  const judged = judge(running, now);
  const next = judged.state;
  const effects: MembersEffect[] = judged.died.length === 0 ? [] : [{ kind: "changed", died: judged.died }];
  const regular = now + TICK_MS / 2 >= next.nextBeatAt;
  const due = regular || next.hurries > 0 || next.shouts > 0;
  const { letters, state: told } = regularLetters(next, judged.suspicions, due, now);
  const successions = next.took.flatMap(({ addresses, to }) => successionLetters(next, addresses, to));
  const sent = post(told, [...letters, ...successions], now);
  const onTime = now - next.nextBeatAt < BEAT_MS / 2;
  return {
    state: {
      ...sent.state,
      shouts: Math.max(0, next.shouts - 1),
      hurries: Math.max(0, next.hurries - 1),
      nextBeatAt: regular ? (onTime ? Math.max(next.nextBeatAt, now - BEAT_MS / 2) : now) + BEAT_MS : next.nextBeatAt,
      obituaries: once(next.obituaries),
      took: once(next.took),
    },
    effects: [...effects, ...sent.effects],
  };
}

function once<T extends { readonly left: number }>(list: readonly T[]): readonly T[] {
  return list.flatMap((one) => (one.left > 1 ? [{ ...one, left: one.left - 1 }] : []));
}

function postponed(peers: Peers, by: number, now: number): Peers {
  return peers.map((peer) => ({
    ...peer,
    evidenceAt: Math.min(now, peer.evidenceAt + by),
    watchedUntil: peer.watchedUntil + by,
  }));
}

/** Who is dead, and what to ask whom about those that may be. */
function judge(
  state: MembersState,
  now: number,
): {
  readonly state: MembersState;
  readonly died: readonly string[];
  readonly suspicions: ReadonlyMap<string, readonly News[]>;
} {
  const died: string[] = [];
  const deaths: News[] = [];
  const suspicions = new Map<string, News[]>();
  let { peers } = state;
  for (const peer of state.peers.values()) {
    const judgement = verdict(state, peer, now);
    const suspected = judgement === "alive" && isSuspect(state, peer, now);
    if (judgement !== "alive") {
      died.push(peer.node);
      peers = peers.with({ ...peer, alive: false, suspected: false, votes: new Map() });
      if (judgement === "seen_dead" || peer.watchedUntil > now) deaths.push(newsOf(peer, "dead", now));
      continue;
    }
    if (suspected !== peer.suspected) peers = peers.with({ ...peer, suspected });
    if (!suspected) continue;
    const question = newsOf(peer, "silent", now);
    for (const asked of [peer, ...witnesses(state, peer)])
      suspicions.set(asked.node, [...(suspicions.get(asked.node) ?? []), question]);
  }
  const after = { ...state, peers };
  return { state: deaths.length > 0 ? mourning(after, deaths) : after, died, suspicions };
}

function readdress(state: MembersState, addresses: ReadonlyMap<string, string>, now: number): MembersStep {
  const peers = state.peers.filter(({ node }) => addresses.has(node));
  const gone = state.peers.values().filter(({ node, alive }) => alive && !addresses.has(node));
  const names = new Map([...addresses.keys()].map((node) => [memberId(node), node]));
  names.set(state.id, state.node);
  const ring = [...names.keys()].toSorted((a, b) => a - b);
  const next: MembersState = { ...state, addresses, peers, names, ring };
  const effects: MembersEffect[] = gone.length === 0 ? [] : [{ kind: "changed", died: gone.map(({ node }) => node) }];
  const isNew = [...addresses].some(([node, address]) => state.addresses.get(node) !== address);
  return isNew ? shout(next, now, effects) : { state: next, effects };
}

/** To everyone, now and with the next tick. */
function shout(state: MembersState, now: number, before: readonly MembersEffect[]): MembersStep {
  const loud = { ...state, shouts: REPEATS - 1 };
  const told = regularLetters(loud, new Map(), true, now);
  const sent = post(told.state, told.letters, now);
  return { state: sent.state, effects: [...before, ...sent.effects] };
}
