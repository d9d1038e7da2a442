import { type Clock, sleep } from "#runtime/clock";
import type { Announcer } from "./announcer.ts";
import type { Membership } from "./membership.ts";
import type { Decision } from "./world.ts";

/** The others hear of more than that from the wire, or go by the time. */
const MOST_TOLD_TO_ALL = 64;
const LONGEST_WAIT_MS = 1100;
const LOOK_EVERY_MS = 20;

/** What became ours in one round of elections, by who had it; null: everyone is told, as we do not know. */
export class Succession {
  readonly #taken = new Map<string | null, string[]>();
  readonly #node: string;
  readonly #isFirst: boolean;

  /** `isFirst`: we have only just come, and others announce what we never decided about. */
  constructor(node: string, isFirst: boolean) {
    this.#node = node;
    this.#isFirst = isFirst;
  }

  /** `before` is the last decision about that Service. */
  note(before: Decision | undefined, now: Decision | null): void {
    const from = before?.answer.winner ?? null;
    if (now === null || now.answer.winner !== this.#node || from === this.#node) return;
    // Nobody announced it, so nobody waits to be relieved.
    if (from === null && (before !== undefined || !this.#isFirst)) return;
    this.#taken.set(from, [...(this.#taken.get(from) ?? []), ...now.addresses]);
  }

  /** To be called when all that was noted is announced. */
  tell(members: Membership): void {
    for (const [from, addresses] of this.#taken)
      members.took(from === null ? addresses.slice(0, MOST_TOLD_TO_ALL) : addresses, from);
  }
}

/**
 * Goes on answering for everything that was announced until a successor says that it announced it, at most a second,
 * and no longer than there is anybody to succeed: when all leave, nobody waits.
 */
export async function handOverAll(announcer: Announcer, members: Membership, clock: Clock): Promise<void> {
  const hasSuccessor = () => members.peers.some(({ alive, ready }) => alive && ready);
  for (const ip of announcer.holding) announcer.handOver(ip);
  for (let waited = 0; announcer.answering.length > 0 && waited < LONGEST_WAIT_MS; waited += LOOK_EVERY_MS) {
    if (!hasSuccessor()) for (const ip of announcer.answering) announcer.drop(ip);
    else await sleep(clock, LOOK_EVERY_MS);
  }
}
