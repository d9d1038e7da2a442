import type { Outcome } from "#api/dashboard/probes";
import { isOutage } from "./outcome.ts";

/**
 * The longest stretch in which every request that was sent failed, judged in
 * the order of sending although answers arrive in any order (a time-out is
 * known seconds after it was sent). It runs from the first failed request to
 * the next successful one, both at the time they were sent.
 */
export class OutageMeter {
  readonly #done = new Map<number, { readonly sentAt: number; readonly failed: boolean } | null>();
  #next = 1;
  #failingSince: number | null = null;
  #longestMs = 0;

  /** Requests are numbered from 1 without gaps; a null outcome (aborted) counts for nothing. */
  record(seq: number, sentAt: number, outcome: Outcome | null): void {
    this.#done.set(seq, outcome === null ? null : { sentAt, failed: isOutage(outcome) });
    for (;;) {
      const result = this.#done.get(this.#next);
      if (result === undefined) return;
      this.#done.delete(this.#next);
      this.#next += 1;
      if (result === null) continue;
      if (result.failed) this.#failingSince ??= result.sentAt;
      else if (this.#failingSince !== null) {
        this.#longestMs = Math.max(this.#longestMs, result.sentAt - this.#failingSince);
        this.#failingSince = null;
      }
    }
  }

  /** Milliseconds, with one that is still going on counted up to `now`. */
  longestMs(now: number): number {
    return this.#failingSince === null ? this.#longestMs : Math.max(this.#longestMs, now - this.#failingSince);
  }
}
