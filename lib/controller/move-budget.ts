import type { Clock } from "#runtime/clock";

/**
 * How many Services may leave an address within a minute, in the whole cluster, because another machine uses it:
 * whoever answers for everything on the LAN makes few of them move, and leaves time to look for the machine.
 */
export const MOVES_PER_MINUTE = 5;
const MINUTE_MS = 60_000;

/** Counts such moves, and has those that must wait decided on again. Only the leader has one. */
export class MoveBudget {
  readonly #clock: Clock;
  readonly #again: (key: string) => void;
  /** Monotonic ms of the moves within the last minute. */
  #moves: readonly number[] = [];
  readonly #waiting = new Set<string>();
  #isScheduled = false;

  constructor(deps: { readonly clock: Clock; readonly again: (key: string) => void }) {
    this.#clock = deps.clock;
    this.#again = deps.again;
  }

  /** Whether one more Service may move now; if not, it is asked for again when it may. */
  allows(key: string): boolean {
    const now = this.#clock.monotonic();
    this.#moves = this.#moves.filter((at) => now - at < MINUTE_MS);
    if (this.#moves.length < MOVES_PER_MINUTE) return true;
    this.#waiting.add(key);
    const [oldest = now] = this.#moves;
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#clock.schedule(oldest + MINUTE_MS - now, () => this.#wake());
    }
    return false;
  }

  /** A Service moves. */
  take(): void {
    this.#moves = [...this.#moves, this.#clock.monotonic()];
  }

  #wake(): void {
    this.#isScheduled = false;
    const keys = [...this.#waiting];
    this.#waiting.clear();
    for (const key of keys) this.#again(key);
  }
}
