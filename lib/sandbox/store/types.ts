import type { Json } from "#sandbox/kinds/definition";

/** One stored object. `text` is its JSON, made once and sent to every reader; `object` must not be changed. */
export interface Entry {
  readonly key: string;
  readonly object: Json;
  readonly text: string;
  /** The global revision of its last write (`metadata.resourceVersion`). */
  readonly revision: number;
}

/** One committed change. `last` is what a watcher is shown: for a removal the final state under the removal's revision. */
export interface StoreEvent {
  readonly revision: number;
  readonly bucket: string;
  readonly key: string;
  readonly now: Entry | undefined;
  readonly before: Entry | undefined;
  readonly last: Entry;
}

/** What an object has that others may not have too (addresses, ports). Pure; one function for one purpose. */
export type ValuesOf = (object: Json) => readonly string[];

/** Keys of the objects that have a value; a value nobody has is absent. */
export type Holders = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Objects in buckets ("group/plural"), keyed "namespace/name" or "name", under one revision counter.
 *
 * Writes are check-and-set, take effect in memory at once and become durable together at the end of the
 * event-loop turn: acknowledge only after `durable()`. Watchers see committed changes only. A write that
 * could not be committed is undone in memory, and its `durable()` rejects with Fault `unavailable`.
 */
export interface Store {
  /** The newest revision that was given out. */
  readonly revision: number;
  get(bucket: string, key: string): Entry | undefined;
  /** Ordered by key; `namespace` selects the keys "namespace/…". */
  list(bucket: string, namespace?: string): readonly Entry[];
  count(bucket: string): number;
  /** Changes whenever anything in the bucket does, undone writes included: for derived caches. */
  version(bucket: string): number;
  /** Who has what, by `of`: one pass the first time, then kept current with every write and every undone one. */
  index(bucket: string, of: ValuesOf): Holders;
  /**
   * Writes `object` with `metadata.resourceVersion` set. `expected` is the revision the decision was made on,
   * 0 for "does not exist". Fault `already_exists`, `not_found` or `conflict` when that is not so.
   */
  put(bucket: string, key: string, object: Json, expected: number): Entry;
  /** Removes; returns the final state under the removal's revision. Faults as `put`. */
  remove(bucket: string, key: string, expected: number): Entry;
  /** Resolves when everything written so far is committed. */
  durable(): Promise<void>;
  /** Commits now what is pending, so that what is read next is durable. Never throws: writers learn it from `durable`. */
  flush(): void;
  /** Committed changes of one bucket, in order; one call per commit. */
  subscribe(bucket: string, listener: (events: readonly StoreEvent[]) => void): () => void;
  /** Committed changes after `revision`; Fault `gone` when that is no longer (or not yet) known. */
  since(bucket: string, revision: number): readonly StoreEvent[];
  close(): Promise<void>;
}
