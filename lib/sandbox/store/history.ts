import { Fault } from "#core/errors";
import type { Json } from "#sandbox/kinds/definition";
import type { Entry, StoreEvent } from "./types.ts";

interface Limit {
  readonly events: number;
  readonly bytes: number;
}

/** A change as text alone: objects take several times the memory, and few of these are ever read again. */
interface Kept {
  readonly revision: number;
  readonly key: string;
  readonly before: { readonly text: string; readonly revision: number } | undefined;
  readonly removed: boolean;
  readonly last: string;
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

  constructor(revision: number, limit: Partial<Limit> = {}) {
    this.#start = revision;
    this.#newest = revision;
    this.#limit = { events: 10_000, bytes: 8_000_000, ...limit };
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
    return log?.since(revision).map((kept) => restored(bucket, kept)) ?? [];
  }

  /** Revisions that were given out and then undone are known to have changed nothing. */
  skipTo(revision: number): void {
    if (this.#newest < revision) this.#newest = revision;
  }
}

class BucketLog {
  /** The newest change that is no longer known. */
  floor: number;
  #kept: Kept[] = [];
  #first = 0;
  #bytes = 0;
  readonly #limit: Limit;

  constructor(floor: number, limit: Limit) {
    this.floor = floor;
    this.#limit = limit;
  }

  append({ revision, key, now, before, last }: StoreEvent): void {
    const kept: Kept = {
      revision,
      key,
      before: before === undefined ? undefined : { text: before.text, revision: before.revision },
      removed: now === undefined,
      last: last.text,
    };
    this.#kept.push(kept);
    this.#bytes += bytesOf(kept);
    while (
      this.#kept.length - this.#first > this.#limit.events ||
      (this.#bytes > this.#limit.bytes && this.#first < this.#kept.length)
    ) {
      const dropped = this.#kept[this.#first++];
      if (dropped === undefined) break;
      this.#bytes -= bytesOf(dropped);
      this.floor = dropped.revision;
    }
    // Amortised: the array is only copied when half of it is dead.
    if (this.#first > this.#limit.events || this.#first * 2 > this.#kept.length + 1_000) {
      this.#kept = this.#kept.slice(this.#first);
      this.#first = 0;
    }
  }

  since(revision: number): readonly Kept[] {
    let low = this.#first;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#kept[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#kept.slice(low);
  }
}

/** What was there before is mostly the last state of an older change, and kept once. */
function bytesOf({ removed, before, last }: Kept): number {
  return last.length + (removed ? (before?.text.length ?? 0) : 0);
}

function restored(bucket: string, { revision, key, before, removed, last: text }: Kept): StoreEvent {
  const last = new TextEntry(key, text, revision);
  return {
    revision,
    bucket,
    key,
    now: removed ? undefined : last,
    before: before === undefined ? undefined : new TextEntry(key, before.text, before.revision),
    last,
  };
}

/** An entry whose object is read from its text when somebody asks for it. */
class TextEntry implements Entry {
  readonly key: string;
  readonly text: string;
  readonly revision: number;
  #object: Json | undefined;

  constructor(key: string, text: string, revision: number) {
    this.key = key;
    this.text = text;
    this.revision = revision;
  }

  get object(): Json {
    this.#object ??= JSON.parse(this.text) as Json;
    return this.#object;
  }
}
