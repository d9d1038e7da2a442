import type { Entry, Holders, ValuesOf } from "./types.ts";

/** The objects of one kind, by key, and the keys in order. */
export class Bucket {
  readonly #entries = new Map<string, Entry>();
  readonly #indexes = new Map<ValuesOf, Map<string, Set<string>>>();
  #keys: string[] = [];
  #ordered = true;
  version = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  set(key: string, entry: Entry | undefined): void {
    this.version++;
    const before = this.#entries.get(key);
    for (const [of, index] of this.#indexes) {
      if (before !== undefined) for (const value of of(before.object)) release(index, value, key);
      if (entry !== undefined) for (const value of of(entry.object)) hold(index, value, key);
    }
    if (entry === undefined) {
      if (this.#entries.delete(key)) this.#drop(key);
      return;
    }
    this.#entries.set(key, entry);
    if (before !== undefined) return;
    // Names mostly arrive in order; anything else is sorted when somebody lists.
    const last = this.#keys.at(-1);
    if (this.#ordered && last !== undefined && last > key) this.#ordered = false;
    this.#keys.push(key);
  }

  /** See `Store.index`. */
  index(of: ValuesOf): Holders {
    let index = this.#indexes.get(of);
    if (index === undefined) {
      index = new Map();
      for (const { key, object } of this.#entries.values()) for (const value of of(object)) hold(index, value, key);
      this.#indexes.set(of, index);
    }
    return index;
  }

  list(namespace?: string): Entry[] {
    this.#sort();
    const prefix = namespace === undefined ? "" : `${namespace}/`;
    const found: Entry[] = [];
    for (let i = prefix === "" ? 0 : this.#seek(prefix); i < this.#keys.length; i++) {
      const key = this.#keys[i] ?? "";
      if (!key.startsWith(prefix)) break;
      const entry = this.#entries.get(key);
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }

  #sort(): void {
    if (this.#ordered) return;
    this.#keys.sort();
    this.#ordered = true;
  }

  #drop(key: string): void {
    this.#sort();
    const at = this.#seek(key);
    if (this.#keys[at] === key) this.#keys.splice(at, 1);
  }

  /** Index of the first key that is not below `key`. */
  #seek(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? "") < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function hold(index: Map<string, Set<string>>, value: string, key: string): void {
  const holders = index.get(value);
  if (holders === undefined) index.set(value, new Set([key]));
  else holders.add(key);
}

function release(index: Map<string, Set<string>>, value: string, key: string): void {
  const holders = index.get(value);
  holders?.delete(key);
  if (holders?.size === 0) index.delete(value);
}
