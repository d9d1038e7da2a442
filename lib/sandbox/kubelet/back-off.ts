const FIRST_MS = 10_000;
const MAX_MS = 300_000;
/**
 * `crashLoopBackOff.maxContainerRestartPeriod` of these kubelets (KubeletConfiguration v1beta1; 5 min unless set):
 * killing the same speaker again and again is what people try a sandbox with.
 */
export const RESTART_MAX_MS = 10_000;
/** A container that ran this long after its last restart starts again without delay. */
const FORGET_MS = 10 * 60_000;

/**
 * Restart delays as a kubelet keeps them: the first restart is immediate,
 * then 10 s, 20 s, 40 s … `maxMs`, forgotten after 10 quiet minutes. Times are monotonic milliseconds.
 */
export class BackOff {
  readonly #maxMs: number;
  #delayMs = 0;
  #lastUpdate = 0;

  constructor(maxMs = MAX_MS) {
    this.#maxMs = maxMs;
  }

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
    this.#delayMs = Math.min(expired ? FIRST_MS : this.#delayMs * 2, this.#maxMs);
    this.#lastUpdate = now;
  }
}

/** Go's notation of a duration in whole seconds, as kubelet messages print it: "10s", "1m20s", "5m0s". */
export function goSeconds(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`;
}
