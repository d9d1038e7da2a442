import type { Heartbeat, News } from "./heartbeat.ts";
import type { Peers } from "./peers.ts";

/** How often `tick` must be stepped; beats go out with every second tick. */
export const TICK_MS = 50;
export const BEAT_MS = 100;
/** Silence, observed while we ran on time, after which others are asked about a member that beats to us. */
export const SUSPECT_MS = 250;
/** What one member says about another counts so long. */
export const VOTE_MS = 1000;
/** What matters is said so often, in case it is lost. */
export const REPEATS = 3;
/** Names that are remembered at most: without a secret anybody may make up more. */
export const MAX_PEERS = 1000;

/** Another speaker, as this one knows it. Times are monotonic milliseconds of this process. */
export interface Peer {
  readonly node: string;
  readonly id: number;
  readonly incarnation: number;
  /** Newest sequence that anybody heard from it. */
  readonly sequence: number;
  /** Newest sequence that we heard from itself; null: never any. */
  readonly heardSequence: number | null;
  /** Its newest key, by its own word; undefined while we never heard it. */
  readonly holds: number | undefined;
  /** Until then it owes us a beat every `BEAT_MS`. */
  readonly watchedUntil: number;
  readonly lastHeardAt: number;
  /** It surely lived then; moves on by the time in which we ourselves were stalled. */
  readonly evidenceAt: number;
  /** How much longer it wants to be waited for, milliseconds. */
  readonly patienceMs: number;
  readonly alive: boolean;
  /** Alive, but silent: others are being asked. */
  readonly suspected: boolean;
  readonly ready: boolean;
  readonly leaving: boolean;
  readonly interfaces: readonly string[];
  /** Who else says that it is silent or dead, by node. */
  readonly votes: ReadonlyMap<string, Vote>;
}

interface Vote {
  readonly dead: boolean;
  readonly at: number;
}

/** All that one speaker knows of membership; only `stepMembers` makes a new one. */
export interface MembersState {
  readonly node: string;
  readonly id: number;
  readonly incarnation: number;
  readonly sequence: number;
  /** Id of the newest key that we can read. */
  readonly holds: number;
  readonly ready: boolean;
  readonly leaving: boolean;
  readonly interfaces: readonly string[];
  /** Where the other nodes' speakers listen, by node. Stays as it was while the API server is away. */
  readonly addresses: ReadonlyMap<string, string>;
  /** Ids of those and of ourselves, ascending, and whose they are. */
  readonly ring: readonly number[];
  readonly names: ReadonlyMap<number, string>;
  readonly peers: Peers;
  readonly lastTickAt: number | null;
  readonly nextBeatAt: number;
  /** Decaying maximum of our own lateness, milliseconds. */
  readonly lagMs: number;
  /** With so many of the next ticks a beat goes to everyone, or to our watchers. */
  readonly shouts: number;
  readonly hurries: number;
  /** Nodes that we owe a beat every `BEAT_MS`. */
  readonly watchers: ReadonlySet<string>;
  /** Where the round of those that we owe no beats, and of news, goes on. */
  readonly round: number;
  readonly newsRound: number;
  /** Deaths that we concluded, to be told with the next beats. */
  readonly obituaries: readonly { readonly news: News; readonly left: number }[];
  /** Successions to be told again, in case the first word was lost. */
  readonly took: readonly {
    readonly addresses: readonly string[];
    readonly to: string | null;
    readonly left: number;
  }[];
  /** When we last answered somebody out of turn, by node. */
  readonly answeredAt: ReadonlyMap<string, number>;
}

/** What can happen to it. */
export type MembersEvent =
  /** Time passed; due every `TICK_MS`. */
  | { readonly kind: "tick" }
  /** A datagram that was signed as it must be, from that address. */
  | { readonly kind: "heard"; readonly beat: Heartbeat; readonly from: string }
  | { readonly kind: "addresses"; readonly addresses: ReadonlyMap<string, string> }
  | { readonly kind: "self"; readonly ready: boolean; readonly interfaces: readonly string[] }
  | { readonly kind: "key"; readonly holds: number }
  /** We announced these; `from` had them before, null when that is not known. */
  | { readonly kind: "took"; readonly addresses: readonly string[]; readonly from: string | null }
  | { readonly kind: "leave" };

/** Why a heartbeat was not taken. `unproven`: it may be a recording, and its sender was asked for a fresh one. */
export type MembersRefusal = "own_name" | "misdirected" | "stale" | "unproven" | "too_many";

/** What it asks for. */
export type MembersEffect =
  /** To be signed with a key that the recipient holds (undefined: it never said which). */
  | { readonly kind: "send"; readonly beat: Heartbeat; readonly to: string; readonly holds: number | undefined }
  /** Who is alive, ready, or has which interfaces is not as before; `died` are those believed dead. */
  | { readonly kind: "changed"; readonly died: readonly string[] }
  /**
   * A member that was dead lives on, or others had believed that of us: while we did not hear each other,
   * both may have announced what each of us has.
   */
  | { readonly kind: "healed" }
  /** `by` announced what we had. */
  | { readonly kind: "took"; readonly by: string; readonly addresses: readonly string[] }
  | { readonly kind: "dropped"; readonly reason: MembersRefusal };

export interface MembersStep {
  readonly state: MembersState;
  readonly effects: readonly MembersEffect[];
}

/** Whether two lists of names are the same, in order. */
export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}
