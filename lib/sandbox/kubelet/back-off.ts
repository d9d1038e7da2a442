const FIRST_MS = 10_000;
const MAX_MS = 300_000;
/** A container that ran this long after its last restart starts again without delay (kubelet: 2 × the maximum). */
const FORGET_MS = 2 * MAX_MS;

/**
 * Restart delays as a kubelet keeps them: the first restart is immediate,
 * then 10 s, 20 s, 40 s … 5 min, forgotten after 10 quiet minutes. Times are monotonic milliseconds.
 */
export class BackOff {
  #delayMs = 0;
  #lastUpdate = 0;

  /** How long to wait before the restart of a container that ended at `finishedAt`. */
  waitMs(finishedAt: number, now: number): number {
    if (this.#delayMs === 0 || finishedAt - this.#lastUpdate > FORGET_MS) return 0;
    return Math.max(0, finishedAt + this.#delayMs - now);
  }

  /** The delay in force, for messages. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** Call when a restart happens: the next one has to wait longer. */
  next(now: number): void {
    const expired = this.#delayMs === 0 || now - this.#lastUpdate > FORGET_MS;
    this.#delayMs = expired ? FIRST_MS : Math.min(this.#delayMs * 2, MAX_MS);
    this.#lastUpdate = now;
  }
}

/** Go's notation of a duration in whole seconds, as kubelet messages print it: "10s", "1m20s", "5m0s". */
export function goSeconds(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`;
}
