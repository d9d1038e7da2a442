import type { KubeObject } from "#api/kubernetes/objects";
import type { ChangeListener, ListWatchCache } from "./cache.ts";
import type { ObjectCache } from "./port.ts";

/** One user's handle on a cache that several may share: its listeners end with it. */
export class SharedCache<T extends KubeObject> implements ObjectCache<T> {
  readonly #cache: ListWatchCache<T>;
  readonly #release: () => void;
  readonly #unsubscribe = new Set<() => void>();
  #open = true;

  constructor(cache: ListWatchCache<T>, release: () => void) {
    this.#cache = cache;
    this.#release = release;
  }

  get synced(): boolean {
    return this.#cache.synced;
  }

  get health() {
    return this.#cache.health;
  }

  whenSynced(signal?: AbortSignal): Promise<void> {
    return this.#cache.whenSynced(signal);
  }

  listedSince(since: number, signal?: AbortSignal): Promise<void> {
    return this.#cache.listedSince(since, signal);
  }

  get(key: string): T | undefined {
    return this.#cache.get(key);
  }

  list(): readonly T[] {
    return this.#cache.list();
  }

  onChange(listener: ChangeListener<T>): () => void {
    const stop = this.#cache.onChange(listener);
    this.#unsubscribe.add(stop);
    return () => {
      stop();
      this.#unsubscribe.delete(stop);
    };
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const stop of this.#unsubscribe) stop();
    this.#unsubscribe.clear();
    this.#release();
  }
}
