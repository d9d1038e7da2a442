/**
 * A map from keys ("namespace/name") to items that know theirs. As a Map of
 * strings fills, each look-up compares ever more strings that are cold in
 * memory; here a 30-bit hash is looked up, and one string is compared.
 */
export class KeyTable<T extends { readonly key: string }> {
  readonly #byHash = new Map<number, T>();
  /** Those whose hash was taken when they came. */
  readonly #collided = new Map<string, T>();

  get(key: string): T | undefined {
    const item = this.#byHash.get(hashOf(key));
    if (item?.key === key) return item;
    return this.#collided.size === 0 ? undefined : this.#collided.get(key);
  }

  set(item: T): void {
    const hash = hashOf(item.key);
    const there = this.#byHash.get(hash);
    const isFree = there === undefined ? !this.#collided.has(item.key) : there.key === item.key;
    if (isFree) this.#byHash.set(hash, item);
    else this.#collided.set(item.key, item);
  }

  *values(): IterableIterator<T> {
    yield* this.#byHash.values();
    yield* this.#collided.values();
  }

  delete(key: string): void {
    const hash = hashOf(key);
    if (this.#byHash.get(hash)?.key === key) this.#byHash.delete(hash);
    else this.#collided.delete(key);
  }
}

/** Small enough to be an integer without a heap object. */
function hashOf(key: string): number {
  let hash = 0;
  for (let index = 0; index < key.length; index++) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0;
  return hash & 0x3fffffff;
}
