import type { Clock } from "#runtime/clock";

/** Keys that are worked on together, a moment after the first of them came; null stands for all there are. */
export class Gathered {
  readonly #clock: Clock;
  readonly #afterMs: number;
  readonly #work: (keys: readonly string[] | null) => void;
  #keys: Set<string> | null = new Set();
  #isScheduled = false;

  constructor(clock: Clock, afterMs: number, work: (keys: readonly string[] | null) => void) {
    this.#clock = clock;
    this.#afterMs = afterMs;
    this.#work = work;
  }

  add(keys: readonly string[] | null): void {
    if (keys === null) this.#keys = null;
    else for (const key of keys) this.#keys?.add(key);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.schedule(this.#afterMs, () => {
      this.#isScheduled = false;
      const gathered = this.#keys;
      this.#keys = new Set();
      this.#work(gathered === null ? null : [...gathered]);
    });
  }
}
