import { type Letter, newsOf, post } from "./beats.ts";
import type { Heartbeat, News } from "./heartbeat.ts";
import {
  BEAT_MS,
  MAX_PEERS,
  type MembersEffect,
  type MembersRefusal,
  type MembersState,
  type MembersStep,
  type Peer,
  REPEATS,
  SUSPECT_MS,
  sameNames,
} from "./members-state.ts";
import type { Peers } from "./peers.ts";
import { memberId } from "./ring.ts";
import { verdict } from "./verdict.ts";

/** A beat that answers one of ours is a proof of life for so long after we sent it. */
const FRESH_MS = 3000;
/** Answers out of turn to one member are so far apart at least. */
const ANSWERS_APART_MS = 20;
const MAX_ANSWERED = 256;
/** Owed beats that are missing for so long were not owed. */
const WATCHED_FOR_MS = 20 * BEAT_MS;

/** Takes in a beat: of its sender, and what it says of others. */
export function heard(state: MembersState, beat: Heartbeat, from: string, now: number): MembersStep {
  const before = state.peers.get(beat.node);
  const refusal = refusalOf(state, before, beat, now);
  const answer = answerer(state, beat, from);
  if (refusal !== null) {
    const dropped: MembersEffect = { kind: "dropped", reason: refusal };
    if (refusal !== "unproven") return { state, effects: [dropped] };
    // Whoever lives answers what we send now; a recording cannot.
    return answer([], now, [dropped]);
  }
  const sender = peerOf(before, beat, now);
  const names = before === undefined ? new Map(state.names).set(memberId(beat.node), beat.node) : state.names;
  const known: MembersState = { ...state, peers: state.peers.with(sender), names };
  const gossip = listen(known, beat, now);
  const next: MembersState = { ...known, peers: gossip.peers };
  const changed = gossip.changed || before === undefined || differs(before, sender);
  const effects: MembersEffect[] = changed || gossip.died.length > 0 ? [{ kind: "changed", died: gossip.died }] : [];
  if (beat.took.length > 0) effects.push({ kind: "took", by: beat.node, addresses: beat.took });
  // One that restarted meanwhile has announced nothing that it did not win from us.
  const survived = before !== undefined && !before.alive && !before.leaving && sender.alive;
  if (gossip.weAreDead || (survived && before.incarnation === sender.incarnation)) effects.push({ kind: "healed" });
  const after = gossip.weAreDead || gossip.deaths.length > 0 ? mourning(next, gossip.deaths) : next;
  const isNew = before === undefined || !before.alive || before.incarnation !== beat.incarnation;
  if (!isNew && !gossip.asked && gossip.replies.length === 0) return { state: after, effects };
  return answerer(after, beat, from)(gossip.replies, now, effects);
}

/** Everyone is told with the next tick. */
export function mourning(state: MembersState, deaths: readonly News[]): MembersState {
  const obituaries = [...state.obituaries, ...deaths.map((news) => ({ news, left: REPEATS }))];
  return { ...state, obituaries, shouts: Math.max(state.shouts, 1) };
}

function refusalOf(state: MembersState, before: Peer | undefined, beat: Heartbeat, now: number): MembersRefusal | null {
  if (beat.node === state.node) return "own_name";
  if (beat.to !== state.id) return "misdirected";
  if (before === undefined && state.peers.size >= MAX_PEERS) return "too_many";
  if (before !== undefined) {
    const same = before.incarnation === beat.incarnation;
    if (same && before.heardSequence !== null && beat.sequence <= before.heardSequence) return "stale";
    // An echo of its predecessor; unless the member is dead: its clock may have been set back before it restarted.
    if (beat.incarnation < before.incarnation && before.alive) return "stale";
    if (same && before.leaving && !beat.leaving) return "stale";
    if (same && before.heardSequence !== null && (before.alive || before.leaving)) return null;
  }
  const { answers } = beat;
  if (answers === null || answers.incarnation !== state.incarnation) return "unproven";
  return answers.sequence <= state.sequence && now - answers.sequence <= FRESH_MS ? null : "unproven";
}

function peerOf(before: Peer | undefined, beat: Heartbeat, now: number): Peer {
  const { node, incarnation, sequence, holds, patienceMs, leaving, interfaces } = beat;
  const newer = before?.incarnation === incarnation && before.sequence > sequence ? before : beat;
  return {
    node,
    id: before?.id ?? memberId(node),
    incarnation,
    sequence: newer.sequence,
    heardSequence: sequence,
    holds,
    watchedUntil: beat.watch ? now + WATCHED_FOR_MS : 0,
    lastHeardAt: now,
    evidenceAt: now,
    patienceMs,
    alive: !leaving,
    suspected: false,
    // Somebody may have told us what it said since.
    ready: newer.ready && !leaving,
    leaving,
    interfaces: newer === beat ? interfaces : newer.interfaces,
    votes: NO_VOTES,
  };
}

const NO_VOTES: Peer["votes"] = new Map();

interface Gossip {
  readonly peers: Peers;
  readonly changed: boolean;
  readonly died: readonly string[];
  /** Those of them that beat to us: the others wait for our word too. */
  readonly deaths: readonly News[];
  /** The sender thinks wrongly of these, or of us. */
  readonly replies: readonly News[];
  readonly asked: boolean;
  readonly weAreDead: boolean;
}

/** What the sender says about others. */
function listen(state: MembersState, beat: Heartbeat, now: number): Gossip {
  const died: string[] = [];
  const deaths: News[] = [];
  const replies: News[] = [];
  let { peers } = state;
  let [changed, asked, weAreDead] = [false, false, false];
  for (const news of beat.news) {
    if (news.id === state.id) {
      asked ||= news.standing !== "heard";
      weAreDead ||= news.standing === "dead" && news.incarnation === state.incarnation;
      continue;
    }
    const node = state.names.get(news.id);
    if (node === undefined || node === beat.node) continue;
    const peer = peers.get(node);
    const told = news.standing === "heard" ? learn(peer, news, node, now) : doubt(peer, news, beat.node, now);
    if (told === peer || told === undefined) {
      const reply = news.standing === "heard" ? null : objection(peer, news, now);
      if (reply !== null) replies.push(reply);
      continue;
    }
    const isDead = verdict(state, told, now) !== "alive";
    if (isDead) died.push(node);
    if (isDead && told.watchedUntil > now) deaths.push(newsOf(told, "dead", now));
    peers = peers.with(isDead ? { ...told, alive: false, suspected: false, votes: NO_VOTES } : told);
    changed ||= peer === undefined || differs(peer, told);
  }
  return { peers, changed, died, deaths, replies, asked, weAreDead };
}

/** Somebody heard a beat that we did not: that member lived then. Each beat counts once, so hearsay keeps nobody alive. */
function learn(peer: Peer | undefined, news: News, node: string, now: number): Peer | undefined {
  const { incarnation, sequence, ready, leaving, interfaces } = news;
  const evidenceAt = now - news.ageMs;
  const fresh = news.ageMs < SUSPECT_MS && !leaving;
  const said = { incarnation, sequence, leaving, interfaces, ready: ready && !leaving };
  if (
    peer === undefined ||
    (incarnation !== peer.incarnation && fresh && (incarnation > peer.incarnation || !peer.alive))
  ) {
    if (!fresh) return peer;
    const unheard = { heardSequence: null, holds: peer?.holds, watchedUntil: 0, patienceMs: 0, votes: NO_VOTES };
    const id = news.id;
    return { node, id, ...said, ...unheard, lastHeardAt: evidenceAt, evidenceAt, alive: true, suspected: false };
  }
  if (incarnation !== peer.incarnation || sequence <= peer.sequence || (peer.leaving && !leaving)) return peer;
  const alive = !leaving && (peer.alive || fresh);
  const at = Math.max(peer.evidenceAt, evidenceAt);
  return {
    ...peer,
    ...said,
    alive,
    ready: alive && said.ready,
    evidenceAt: at,
    lastHeardAt: Math.max(peer.lastHeardAt, evidenceAt),
  };
}

/** Somebody misses a member. Notes it, unless we know better. */
function doubt(peer: Peer | undefined, news: News, by: string, now: number): Peer | undefined {
  if (peer === undefined || !peer.alive || news.incarnation !== peer.incarnation) return peer;
  if (now - peer.evidenceAt < SUSPECT_MS) return peer;
  return { ...peer, votes: new Map(peer.votes).set(by, { dead: news.standing === "dead", at: now }) };
}

/** We heard it since, or know that it is dead. */
function objection(peer: Peer | undefined, news: News, now: number): News | null {
  if (peer === undefined) return null;
  if (peer.alive) {
    const newer = peer.incarnation > news.incarnation || peer.sequence > news.sequence;
    return newer ? newsOf(peer, "heard", now) : null;
  }
  if (peer.leaving) return newsOf(peer, "heard", now);
  return news.standing === "silent" && peer.incarnation === news.incarnation ? newsOf(peer, "dead", now) : null;
}

function differs(a: Peer, b: Peer | undefined): boolean {
  return (
    b === undefined ||
    a.alive !== b.alive ||
    a.ready !== b.ready ||
    a.incarnation !== b.incarnation ||
    !sameNames(a.interfaces, b.interfaces)
  );
}

/** Answers the sender at once, where it sent from; but not all the time. */
function answerer(state: MembersState, beat: Heartbeat, from: string) {
  return (news: readonly News[], now: number, effects: readonly MembersEffect[]): MembersStep => {
    const last = state.answeredAt.get(beat.node);
    const tooSoon = last !== undefined && now - last < ANSWERS_APART_MS;
    if (tooSoon || (last === undefined && state.answeredAt.size >= MAX_ANSWERED)) return { state, effects };
    const letter: Letter = {
      node: beat.node,
      address: state.addresses.get(beat.node) ?? from,
      news,
      answers: { incarnation: beat.incarnation, sequence: beat.sequence },
      holds: beat.holds,
    };
    const known = { ...state, answeredAt: new Map(state.answeredAt).set(beat.node, now) };
    const sent = post(known, [letter], now);
    return { state: sent.state, effects: [...effects, ...sent.effects] };
  };
}
