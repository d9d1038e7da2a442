import { Fault } from "#core/errors";
import type { StoreEvent } from "./types.ts";

/**
 * The committed changes that a watch may still start from: at most `events` of them and about `bytes` of JSON.
 * What was dropped (or happened before this process started) is answered with Fault `gone`.
 */
export class History {
  #events: StoreEvent[] = [];
  #first = 0;
  #bytes = 0;
  #floor: number;
  #newest: number;
  readonly #limit: { readonly events: number; readonly bytes: number };

  constructor(revision: number, limit = { events: 10_000, bytes: 48_000_000 }) {
    this.#floor = revision;
    this.#newest = revision;
    this.#limit = limit;
  }

  append(events: readonly StoreEvent[]): void {
    for (const event of events) {
      this.#events.push(event);
      this.#bytes += event.last.text.length;
      this.#newest = event.revision;
    }
    while (
      this.#events.length - this.#first > this.#limit.events ||
      (this.#bytes > this.#limit.bytes && this.#first < this.#events.length)
    ) {
      const dropped = this.#events[this.#first++];
      if (dropped === undefined) break;
      this.#bytes -= dropped.last.text.length;
      this.#floor = dropped.revision;
    }
    // Amortised: the array is only copied when half of it is dead.
    if (this.#first > this.#limit.events || this.#first * 2 > this.#events.length + 1_000) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
  }

  since(bucket: string, revision: number): StoreEvent[] {
    if (revision < this.#floor || revision > this.#newest) {
      throw new Fault("gone", `too old resource version: ${revision} (${Math.max(this.#floor, this.#newest)})`);
    }
    let low = this.#first;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    const found: StoreEvent[] = [];
    for (let i = low; i < this.#events.length; i++) {
      const event = this.#events[i];
      if (event?.bucket === bucket) found.push(event);
    }
    return found;
  }

  /** Revisions that were given out and then undone are known to have changed nothing. */
  skipTo(revision: number): void {
    if (this.#newest < revision) this.#newest = revision;
  }
}
