import type { Log } from "#runtime/log";
import type { Json } from "#sandbox/kinds/definition";
import type { ObjectView } from "#sandbox/port";
import type { Store, StoreEvent } from "#sandbox/store/types";
import type { Matcher } from "./selectors.ts";

type Listener = (key: string, now: Json | undefined, before: Json | undefined) => void;

/** A kind's objects as a cache shows them, kept by the store's own events: always synced, never behind. */
export class LocalView {
  readonly #objects = new Map<string, Json>();
  readonly #listeners = new Set<Listener>();
  readonly #matches: Matcher;
  readonly #prefix: string;
  readonly #log: Log;
  readonly #unsubscribe: () => void;

  constructor(store: Store, bucket: string, namespace: string | undefined, matches: Matcher, log: Log) {
    this.#matches = matches;
    this.#prefix = namespace === undefined ? "" : `${namespace}/`;
    this.#log = log;
    store.flush();
    for (const entry of store.list(bucket, namespace)) {
      if (matches(entry.object)) this.#objects.set(entry.key, entry.object);
    }
    this.#unsubscribe = store.subscribe(bucket, (events) => this.#take(events));
  }

  /** The same cache for one reader's type. */
  typed<T>(): ObjectView<T> {
    const objects = this.#objects as unknown as ReadonlyMap<string, T>;
    const listeners = this.#listeners;
    return {
      synced: true,
      whenSynced: () => Promise.resolve(),
      get: (key) => objects.get(key),
      list: () => [...objects.values()],
      onChange(listener) {
        const own: Listener = (key, now, before) => listener(key, now as T | undefined, before as T | undefined);
        listeners.add(own);
        return () => void listeners.delete(own);
      },
    };
  }

  close(): void {
    this.#unsubscribe();
    this.#listeners.clear();
  }

  #take(events: readonly StoreEvent[]): void {
    for (const { key, now: entry } of events) {
      if (!key.startsWith(this.#prefix)) continue;
      const before = this.#objects.get(key);
      const now = entry !== undefined && this.#matches(entry.object) ? entry.object : undefined;
      if (now === undefined && before === undefined) continue;
      if (now === undefined) this.#objects.delete(key);
      else this.#objects.set(key, now);
      for (const listener of [...this.#listeners]) {
        try {
          listener(key, now, before);
        } catch (thrown) {
          this.#log.error("cache listener failed", { key, error: thrown });
        }
      }
    }
  }
}
