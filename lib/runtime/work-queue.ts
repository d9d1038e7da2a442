import { type Clock, systemClock } from "./clock.ts";

/** Pace of retries; the defaults suit an API server. */
export interface WorkQueueOptions {
  readonly clock?: Clock;
  /** Uniform in [0, 1): the jitter of `retry`. */
  readonly random?: () => number;
  /** Delay after a key's first failure; doubles with each one after. Default 100 ms. */
  readonly baseDelayMs?: number;
  /** Default 30 s. */
  readonly maxDelayMs?: number;
  /** Told how long a key waited to be taken; the delays of `addAfter` and `retry` are not counted. */
  readonly onWaited?: (ms: number) => void;
}

/**
 * Keys that wait for work. A key added ten times before it is taken is worked
 * on once; a key added while it is being worked on is worked on once more
 * afterwards, never at the same time. First come, first served.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #onWaited: (ms: number) => void;
  // A Map keeps insertion order, so it is queue and membership test in one. Values: since when (monotonic).
  readonly #waiting = new Map<string, number>();
  readonly #working = new Set<string>();
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #later = new Map<string, { readonly at: number; readonly cancel: () => void }>();
  readonly #takers: Array<(key: string | null) => void> = [];
  #closed = false;

  constructor(options: WorkQueueOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#baseDelayMs = options.baseDelayMs ?? 100;
    this.#maxDelayMs = options.maxDelayMs ?? 30_000;
    this.#onWaited = options.onWaited ?? (() => undefined);
  }

  /** Keys waiting to be taken; neither those being worked on nor those delayed. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Asks for work on `key` as soon as possible; a pending delay of the key is dropped. */
  add(key: string): void {
    if (this.#closed) return;
    this.#cancelDelay(key);
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    const taker = this.#waiting.has(key) ? undefined : this.#takers.shift();
    if (taker === undefined) {
      if (!this.#waiting.has(key)) this.#waiting.set(key, this.#clock.monotonic());
      return;
    }
    this.#working.add(key);
    this.#onWaited(0);
    taker(key);
  }

  /** Asks for work on `key` after `delayMs`. Of two delays of one key the earlier wins. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const at = this.#clock.monotonic() + delayMs;
    const pending = this.#later.get(key);
    if (pending !== undefined && pending.at <= at) return;
    pending?.cancel();
    const cancel = this.#clock.schedule(delayMs, () => {
      this.#later.delete(key);
      this.add(key);
    });
    this.#later.set(key, { at, cancel });
  }

  /** The next key, or null once the queue is closed. Whoever takes a key must call `done` with it. */
  take(): Promise<string | null> {
    if (this.#closed) return Promise.resolve(null);
    for (const [key, since] of this.#waiting) {
      this.#waiting.delete(key);
      this.#working.add(key);
      this.#onWaited(this.#clock.monotonic() - since);
      return Promise.resolve(key);
    }
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** Ends the work on a taken key; if it was added meanwhile it waits again. */
  done(key: string): void {
    this.#working.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  /** Forgets the failures of a key, so that its next back-off starts small. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Adds the key after a back-off that doubles with each call since `forget`, jittered to 50 to 100 %. */
  retry(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const full = Math.min(this.#maxDelayMs, this.#baseDelayMs * 2 ** Math.min(failures, 30));
    this.addAfter(key, full * (0.5 + this.#random() / 2));
  }

  /** Drops everything waiting; every `take`, pending or to come, gives null. */
  close(): void {
    this.#closed = true;
    this.#waiting.clear();
    this.#again.clear();
    for (const { cancel } of this.#later.values()) cancel();
    this.#later.clear();
    for (const taker of this.#takers.splice(0)) taker(null);
  }

  #cancelDelay(key: string): void {
    this.#later.get(key)?.cancel();
    this.#later.delete(key);
  }
}
