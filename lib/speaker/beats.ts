import { type Heartbeat, MAX_TOOK, type News, type Standing } from "./heartbeat.ts";
import type { MembersEffect, MembersState, MembersStep, Peer } from "./members-state.ts";
import { memberId, successors, WATCHERS } from "./ring.ts";
import { patienceFor } from "./verdict.ts";

/** Beside their watchers, so many others are beaten to each time, in turn: all pairs know each other, slowly. */
const ROUND = 5;
/** News that a beat carries at least, if there is so much: to those that hear much anyway, and to those in turn. */
const NEWS = { small: 4, watcher: 2, inTurn: 10 } as const;

/** One datagram to be. */
export interface Letter {
  readonly node: string;
  readonly address: string;
  readonly news: readonly News[];
  readonly took?: readonly string[];
  /** What is answered and with which key; absent: as we know the recipient. */
  readonly answers?: Heartbeat["answers"];
  readonly holds?: number;
}

/** What we say about a member. */
export function newsOf(peer: Peer, standing: Standing, now: number): News {
  const { id, incarnation, sequence, ready, leaving, interfaces } = peer;
  const ageMs = Math.max(0, Math.min(0xffff, Math.round(now - peer.lastHeardAt)));
  return { id, incarnation, sequence, ageMs, standing, ready, leaving, interfaces };
}

/** Sends the letters under one new sequence; several to one recipient under one after another. */
export function post(state: MembersState, letters: readonly Letter[], now: number): MembersStep {
  if (letters.length === 0) return { state, effects: [] };
  const first = Math.max(state.sequence + 1, Math.floor(now));
  let last = first;
  const next = new Map<string, number>();
  const { node, incarnation, ready, leaving, interfaces } = state;
  const effects = letters.map((letter): MembersEffect => {
    const sequence = next.get(letter.node) ?? first;
    next.set(letter.node, sequence + 1);
    last = Math.max(last, sequence);
    const peer = state.peers.get(letter.node);
    const known =
      peer === undefined || peer.heardSequence === null
        ? null
        : { incarnation: peer.incarnation, sequence: peer.heardSequence };
    const beat: Heartbeat = {
      node,
      incarnation,
      sequence,
      to: peer?.id ?? memberId(letter.node),
      answers: letter.answers ?? known,
      holds: state.holds,
      ready,
      leaving,
      watch: state.watchers.has(letter.node),
      patienceMs: patienceFor(state.lagMs),
      interfaces,
      took: letter.took ?? [],
      news: letter.news,
    };
    return { kind: "send", beat, to: letter.address, holds: letter.holds ?? peer?.holds };
  });
  return { state: { ...state, sequence: last }, effects };
}

/**
 * The regular beats: when they are `due` to our watchers, who are chosen anew, and to a few of the others, or to
 * everyone when there is something to shout; and suspicions to whom they are for.
 */
export function regularLetters(
  state: MembersState,
  suspicions: ReadonlyMap<string, readonly News[]>,
  due: boolean,
  now: number,
): { readonly state: MembersState; readonly letters: readonly Letter[] } {
  if (!due) return { state, letters: [...suspicions].flatMap(([node, news]) => letterTo(state, node, news)) };
  const isAlive = (id: number) => state.peers.get(state.names.get(id) ?? "")?.alive === true;
  const watchers = new Set(successors(state.ring, state.id, isAlive));
  const others = state.ring.filter((id) => id !== state.id && !watchers.has(id));
  const inTurn = Math.min(others.length, ROUND);
  const turn =
    state.shouts > 0
      ? others
      : Array.from({ length: inTurn }, (_none, step) => others[(state.round + step) % others.length] ?? 0);
  const watcherNames = new Set([...watchers].flatMap((id) => state.names.get(id) ?? []));
  const recipients = new Set([...watchers, ...turn].flatMap((id) => state.names.get(id) ?? []));
  for (const node of suspicions.keys()) recipients.add(node);
  const urgent = state.obituaries.map(({ news }) => news);
  const talkOfTown = talk(state, now);
  // One more each time: where the numbers divide, the same ones would be told the same for ever.
  let newsRound = state.newsRound + 1;
  const letters = [...recipients].flatMap((node): readonly Letter[] => {
    const isSmall = state.ring.length <= WATCHERS + 1;
    const enough = isSmall ? NEWS.small : watcherNames.has(node) ? NEWS.watcher : NEWS.inTurn;
    const news = [...(suspicions.get(node) ?? []), ...urgent];
    for (let step = 0; step < talkOfTown.length && news.length < enough; step++) {
      const one = talkOfTown[newsRound++ % talkOfTown.length];
      if (one !== undefined && state.names.get(one.id) !== node && !news.includes(one)) news.push(one);
    }
    return letterTo(state, node, news);
  });
  const round = others.length > 0 ? (state.round + inTurn) % others.length : state.round;
  return { state: { ...state, watchers: watcherNames, round, newsRound }, letters };
}

function letterTo({ addresses }: MembersState, node: string, news: readonly News[]): readonly Letter[] {
  const address = addresses.get(node);
  return address === undefined ? [] : [{ node, address, news }];
}

/** Worth telling: what is fresh, of those that beat to us first of all. */
function talk(state: MembersState, now: number): readonly News[] {
  const alive = state.peers.values().filter((peer) => peer.alive || peer.leaving);
  const watched = alive.filter((peer) => peer.watchedUntil > now);
  return (watched.length > 0 ? watched : alive).map((peer) => newsOf(peer, "heard", now));
}

/** Tells who had the addresses that they are ours now: one member, or everyone alive. */
export function successionLetters(
  state: MembersState,
  addresses: readonly string[],
  to: string | null,
): readonly Letter[] {
  const nodes =
    to === null
      ? state.peers
          .values()
          .filter(({ alive }) => alive)
          .map(({ node }) => node)
      : [to];
  return nodes.flatMap((node) => {
    const address = state.addresses.get(node);
    if (address === undefined) return [];
    const parts = Array.from({ length: Math.ceil(addresses.length / MAX_TOOK) }, (_none, part) =>
      addresses.slice(part * MAX_TOOK, (part + 1) * MAX_TOOK),
    );
    return parts.map((took): Letter => ({ node, address, news: [], took }));
  });
}
