import { Fault } from "#core/errors";
import type { StoreEvent } from "./types.ts";

interface Limit {
  readonly events: number;
  readonly bytes: number;
}

/**
 * The committed changes that a watch may still start from: of each bucket at most `events` and about `bytes` of JSON, so
 * that a busy kind does not make the others forget. What was dropped (or happened before this process started) is
 * answered with Fault `gone`.
 */
export class History {
  readonly #logs = new Map<string, BucketLog>();
  readonly #start: number;
  #newest: number;
  readonly #limit: Limit;

  constructor(revision: number, limit: Limit = { events: 10_000, bytes: 16_000_000 }) {
    this.#start = revision;
    this.#newest = revision;
    this.#limit = limit;
  }

  append(events: readonly StoreEvent[]): void {
    for (const event of events) {
      let log = this.#logs.get(event.bucket);
      if (log === undefined) {
        log = new BucketLog(this.#start, this.#limit);
        this.#logs.set(event.bucket, log);
      }
      log.append(event);
      this.#newest = event.revision;
    }
  }

  since(bucket: string, revision: number): StoreEvent[] {
    const log = this.#logs.get(bucket);
    const floor = log?.floor ?? this.#start;
    if (revision < floor || revision > this.#newest) {
      throw new Fault("gone", `too old resource version: ${revision} (${Math.max(floor, this.#newest)})`);
    }
    return log?.since(revision) ?? [];
  }

  /** Revisions that were given out and then undone are known to have changed nothing. */
  skipTo(revision: number): void {
    if (this.#newest < revision) this.#newest = revision;
  }
}

class BucketLog {
  /** The newest change that is no longer known. */
  floor: number;
  #events: StoreEvent[] = [];
  #first = 0;
  #bytes = 0;
  readonly #limit: Limit;

  constructor(floor: number, limit: Limit) {
    this.floor = floor;
    this.#limit = limit;
  }

  append(event: StoreEvent): void {
    this.#events.push(event);
    this.#bytes += event.last.text.length;
    while (
      this.#events.length - this.#first > this.#limit.events ||
      (this.#bytes > this.#limit.bytes && this.#first < this.#events.length)
    ) {
      const dropped = this.#events[this.#first++];
      if (dropped === undefined) break;
      this.#bytes -= dropped.last.text.length;
      this.floor = dropped.revision;
    }
    // Amortised: the array is only copied when half of it is dead.
    if (this.#first > this.#limit.events || this.#first * 2 > this.#events.length + 1_000) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
  }

  since(revision: number): StoreEvent[] {
    let low = this.#first;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#events.slice(low);
  }
}
