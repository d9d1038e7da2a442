import type { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { Fault } from "#core/errors";
import { jsonText } from "#core/int64";
import type { Log } from "#runtime/log";
import type { Json } from "#sandbox/kinds/definition";
import { Bucket } from "./bucket.ts";
import { openDatabase, PUT } from "./database.ts";
import { History } from "./history.ts";
import type { Entry, Holders, Store, StoreEvent, ValuesOf } from "./types.ts";

export type { Entry, Store, StoreEvent } from "./types.ts";

interface Batch {
  readonly events: StoreEvent[];
  readonly done: Promise<void>;
  resolve(): void;
  reject(fault: Fault): void;
}

/**
 * Opens the store in `path` (":memory:" for tests): everything in memory, SQLite (WAL) as the durable copy.
 * An acknowledged write survives the death of the process at any moment.
 * Throws Fault `unavailable` with one sentence when the file cannot be used.
 */
export function openStore(options: {
  readonly path: string;
  readonly log: Log;
  readonly historyEvents?: number;
}): Store {
  const { path, log } = options;
  const { database, revision, rows, salvaged } = openDatabase(path);
  if (salvaged !== undefined) log.error("store was damaged: what could be read is kept", { path, ...salvaged });
  const buckets = new Map<string, Bucket>();
  for (const { bucket, key, object, text, revision } of rows) {
    bucketOf(buckets, bucket).set(key, { key, object, text, revision });
  }
  log.info("store opened", { path, objects: rows.length, revision });
  return new SqliteStore(database, buckets, revision, log, options.historyEvents);
}

function bucketOf(buckets: Map<string, Bucket>, name: string): Bucket {
  let bucket = buckets.get(name);
  if (bucket === undefined) {
    bucket = new Bucket();
    buckets.set(name, bucket);
  }
  return bucket;
}

class SqliteStore implements Store {
  revision: number;
  readonly #database: DatabaseSync;
  readonly #buckets: Map<string, Bucket>;
  readonly #log: Log;
  readonly #history: History;
  readonly #listeners = new Map<string, Set<(events: readonly StoreEvent[]) => void>>();
  readonly #statements;
  readonly #untold: (readonly StoreEvent[])[] = [];
  #batch: Batch | undefined;
  #closed = false;

  constructor(
    database: DatabaseSync,
    buckets: Map<string, Bucket>,
    revision: number,
    log: Log,
    historyEvents?: number,
  ) {
    this.#database = database;
    this.#buckets = buckets;
    this.revision = revision;
    this.#log = log;
    this.#history = new History(revision, historyEvents === undefined ? {} : { events: historyEvents });
    this.#statements = {
      begin: database.prepare("BEGIN IMMEDIATE"),
      commit: database.prepare("COMMIT"),
      put: database.prepare(PUT),
      remove: database.prepare("DELETE FROM objects WHERE bucket = ? AND key = ?"),
      revision: database.prepare("UPDATE meta SET value = ? WHERE name = 'revision'"),
    };
  }

  get(bucket: string, key: string): Entry | undefined {
    return this.#buckets.get(bucket)?.get(key);
  }

  list(bucket: string, namespace?: string): readonly Entry[] {
    return this.#buckets.get(bucket)?.list(namespace) ?? [];
  }

  count(bucket: string): number {
    return this.#buckets.get(bucket)?.size ?? 0;
  }

  version(bucket: string): number {
    return this.#buckets.get(bucket)?.version ?? 0;
  }

  index(bucket: string, of: ValuesOf): Holders {
    return bucketOf(this.#buckets, bucket).index(of);
  }

  put(bucket: string, key: string, object: Json, expected: number): Entry {
    const before = this.#expect(bucket, key, expected);
    const revision = ++this.revision;
    const entry = entryOf(key, object, revision);
    this.#record({ revision, bucket, key, now: entry, before, last: entry });
    return entry;
  }

  remove(bucket: string, key: string, expected: number): Entry {
    const before = this.#expect(bucket, key, expected);
    if (before === undefined) throw new Fault("not_found", `${bucket} ${key} does not exist`);
    const revision = ++this.revision;
    const last = entryOf(key, before.object, revision);
    this.#record({ revision, bucket, key, now: undefined, before, last });
    return last;
  }

  durable(): Promise<void> {
    return this.#batch?.done ?? Promise.resolve();
  }

  flush(): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    this.#batch = undefined;
    try {
      this.#commit(batch.events);
    } catch (thrown) {
      for (const event of batch.events.toReversed()) {
        bucketOf(this.#buckets, event.bucket).set(event.key, event.before);
      }
      this.#history.skipTo(this.revision);
      const text = thrown instanceof Error ? thrown.message : String(thrown);
      const full = /full|disk I\/O/i.test(text);
      const why = full ? `${text}: make room on the disk that holds the data directory, or look after it` : text;
      this.#log.error("store write failed", { error: why, writes: batch.events.length });
      batch.reject(new Fault("unavailable", `the store could not be written: ${why}`, { cause: thrown }));
      return;
    }
    this.#history.append(batch.events);
    batch.resolve();
    this.#tell(batch.events);
  }

  subscribe(bucket: string, listener: (events: readonly StoreEvent[]) => void): () => void {
    let set = this.#listeners.get(bucket);
    if (set === undefined) {
      set = new Set();
      this.#listeners.set(bucket, set);
    }
    set.add(listener);
    return () => void set.delete(listener);
  }

  since(bucket: string, revision: number): readonly StoreEvent[] {
    return this.#history.since(bucket, revision);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    this.#database.close();
  }

  #expect(bucket: string, key: string, expected: number): Entry | undefined {
    if (this.#closed) throw new Fault("unavailable", "the store is closed");
    const entry = this.#buckets.get(bucket)?.get(key);
    if ((entry?.revision ?? 0) === expected) return entry;
    if (entry === undefined) throw new Fault("not_found", `${bucket} ${key} does not exist`);
    if (expected === 0) throw new Fault("already_exists", `${bucket} ${key} already exists`);
    throw new Fault("conflict", `${bucket} ${key} is at revision ${entry.revision}, not ${expected}`);
  }

  #record(event: StoreEvent): void {
    bucketOf(this.#buckets, event.bucket).set(event.key, event.now);
    if (this.#batch === undefined) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      // Nobody may be waiting (a write within a larger one); that is not an unhandled rejection.
      promise.catch(() => undefined);
      this.#batch = { events: [], done: promise, resolve, reject };
      setImmediate(() => this.flush());
    }
    this.#batch.events.push(event);
  }

  #commit(events: readonly StoreEvent[]): void {
    const { begin, commit, put, remove, revision } = this.#statements;
    begin.run();
    try {
      for (const event of events) {
        if (event.now === undefined) remove.run(event.bucket, event.key);
        else put.run(event.bucket, event.key, event.revision, event.now.text, crc32(event.now.text));
      }
      revision.run(this.revision);
      commit.run();
    } catch (thrown) {
      try {
        this.#database.exec("ROLLBACK");
      } catch {
        // SQLite has already rolled back (full disk).
      }
      throw thrown;
    }
  }

  /** A listener that writes and reads causes a further commit; its events wait, so that all listeners see one order. */
  #tell(events: readonly StoreEvent[]): void {
    this.#untold.push(events);
    if (this.#untold.length > 1) return;
    for (let next = this.#untold[0]; next !== undefined; next = this.#untold[0]) {
      this.#tellNow(next);
      this.#untold.shift();
    }
  }

  #tellNow(events: readonly StoreEvent[]): void {
    const perBucket = Map.groupBy(events, (event) => event.bucket);
    for (const [bucket, changes] of perBucket) {
      for (const listener of [...(this.#listeners.get(bucket) ?? [])]) {
        try {
          listener(changes);
        } catch (thrown) {
          this.#log.error("store listener failed", { bucket, error: thrown });
        }
      }
    }
  }
}

function entryOf(key: string, object: Json, revision: number): Entry {
  const metadata = object.metadata;
  const stamped: Json = {
    ...object,
    metadata: {
      ...(typeof metadata === "object" && metadata !== null ? metadata : {}),
      resourceVersion: `${revision}`,
    },
  };
  return { key, object: stamped, text: jsonText(stamped), revision };
}
