import { type MembersState, type Peer, SUSPECT_MS, TICK_MS, VOTE_MS } from "./members-state.ts";
import { successors, WATCHERS } from "./ring.ts";

/** Milliseconds of silence: of one that owes us beats, and of one that we hear of by others only. */
const WATCHED = { suspect: SUSPECT_MS, dead: 350, alone: 700 } as const;
const UNWATCHED = { suspect: 1500, dead: 1600, alone: 2100 } as const;
/** Others that must have noticed too, as far as there are any. */
const CONFIRMATIONS = 2;
/** The word of a single one that nobody confirms is believed after that. */
const SOLE_WORD_MS = 250;
const MAX_PATIENCE_MS = 500;

/** Whose silence tells us something: in a small cluster everyone hears everyone. */
function limits(state: MembersState, peer: Peer, now: number) {
  return peer.watchedUntil > now || state.ring.length <= WATCHERS + 1 ? WATCHED : UNWATCHED;
}

/** How much longer than usual a process waits, and wants to be waited for, whose timers are late: a tick is allowed for. */
export function patienceFor(lagMs: number): number {
  return Math.round(Math.max(0, lagMs - TICK_MS));
}

/** Our own lag lengthens what we wait, and so does the other's; but neither without end. */
function patience(state: MembersState, peer: Peer): number {
  return Math.min(MAX_PATIENCE_MS, patienceFor(state.lagMs)) + Math.min(MAX_PATIENCE_MS, peer.patienceMs);
}

/** It has been silent for so long that others must be asked. */
export function isSuspect(state: MembersState, peer: Peer, now: number): boolean {
  return peer.alive && now - peer.evidenceAt >= limits(state, peer, now).suspect + patience(state, peer);
}

/** Who else beats of `peer` go to, of those that are there. */
export function witnesses(state: MembersState, peer: Peer): readonly Peer[] {
  const peerOf = (id: number) => state.peers.get(state.names.get(id) ?? "");
  return successors(state.ring, peer.id, (id) => peerOf(id)?.alive === true).flatMap((id) => peerOf(id) ?? []);
}

/** Whether we believe it dead, and whether by our own observation (then others must be told). */
export function verdict(state: MembersState, peer: Peer, now: number): "alive" | "told_dead" | "seen_dead" {
  if (!peer.alive) return "alive";
  const silentMs = now - peer.evidenceAt - patience(state, peer);
  if (silentMs < SUSPECT_MS) return "alive";
  const { dead, alone } = limits(state, peer, now);
  if (silentMs >= alone) return "seen_dead";
  const votes = [...peer.votes.values()].filter(({ at }) => now - at <= VOTE_MS);
  const deaths = votes.filter((vote) => vote.dead);
  if (silentMs < dead && deaths.length === 0) return "alive";
  // Who is silent too cannot be asked.
  const askable = witnesses(state, peer).filter(
    (other) => now - other.evidenceAt < SUSPECT_MS + patience(state, other),
  );
  const needed = Math.min(CONFIRMATIONS, askable.length);
  if (silentMs >= dead && votes.length >= needed) return "seen_dead";
  if (deaths.length >= Math.max(1, needed)) return "told_dead";
  return deaths.some(({ at }) => now - at >= SOLE_WORD_MS) ? "told_dead" : "alive";
}
