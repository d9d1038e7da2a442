import type { Clock } from "./clock.ts";

/**
 * Runs `task` soon after a call, once for all calls until then, and never more
 * often than `minGapMs` (or four times its own last duration, so that it takes
 * at most a fifth of the event loop). One run at a time; failures go to `onError`.
 */
export class Coalesced {
  readonly #clock: Clock;
  readonly #task: () => Promise<void> | void;
  readonly #minGapMs: number;
  readonly #onError: (error: unknown) => void;
  #cancel: (() => void) | null = null;
  #running = false;
  #again = false;
  #closed = false;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(options: {
    readonly clock: Clock;
    readonly minGapMs: number;
    readonly task: () => Promise<void> | void;
    readonly onError: (error: unknown) => void;
  }) {
    this.#clock = options.clock;
    this.#task = options.task;
    this.#minGapMs = options.minGapMs;
    this.#onError = options.onError;
  }

  request(delayMs = 0): void {
    if (this.#closed) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    if (this.#cancel !== null) return;
    const waitMs = Math.max(delayMs, this.#notBefore - this.#clock.monotonic(), 0);
    this.#cancel = this.#clock.schedule(waitMs, () => void this.#run());
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#cancel = null;
  }

  async #run(): Promise<void> {
    this.#cancel = null;
    this.#running = true;
    const started = this.#clock.monotonic();
    try {
      await this.#task();
    } catch (error) {
      this.#onError(error);
    }
    const ended = this.#clock.monotonic();
    this.#notBefore = Math.max(started + this.#minGapMs, ended + 4 * Math.min(ended - started, 50));
    this.#running = false;
    if (!this.#again) return;
    this.#again = false;
    this.request();
  }
}
