import type { Clock } from "#runtime/clock";

/** Far more than any test has to do in one go. */
const TASKS_MAX = 20_000;

/** A clock that stands still until a test moves it; tasks run in the order of their times. */
export class VirtualClock implements Clock {
  #now: number;
  #tasks: { readonly at: number; readonly task: () => void }[] = [];

  constructor(startMs = 1_000_000) {
    this.#now = startMs;
  }

  /** Tasks not yet run. */
  get pending(): number {
    return this.#tasks.length;
  }

  now(): number {
    return Date.UTC(2026, 0, 1) + this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  schedule(delayMs: number, task: () => void): () => void {
    const entry = { at: this.#now + Math.max(delayMs, 0), task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry);
    };
  }

  /** Moves on by `ms`, running every task that falls due on the way, those they add included. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#tasks.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#tasks = this.#tasks.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
    }
    this.#now = until;
  }

  /** Like `advance`, but lets promises settle between steps of `stepMs`. */
  async run(ms: number, stepMs = 10): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.advance(Math.min(stepMs, left));
      await settle();
    }
  }

  /**
   * As `run`, but from task to task: what waits for promises only is over before time goes on, however much it is, and
   * time in which nothing happens costs nothing.
   */
  async drain(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (let left = TASKS_MAX; ; left--) {
      if (left === 0) throw new Error(`no rest: ${TASKS_MAX} moments with something to do within ${ms} ms`);
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.#tasks.reduce((soonest, { at }) => Math.min(soonest, at), Number.POSITIVE_INFINITY);
      if (next > until) break;
      this.advance(Math.max(next - this.#now, 0));
    }
    this.#now = until;
  }
}

/** Lets everything that waits only for promises go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
