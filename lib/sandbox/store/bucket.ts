import type { Entry } from "./types.ts";

/** The objects of one kind, by key, and the keys in order. */
export class Bucket {
  readonly #entries = new Map<string, Entry>();
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
    if (entry === undefined) {
      if (this.#entries.delete(key)) this.#drop(key);
      return;
    }
    const known = this.#entries.has(key);
    this.#entries.set(key, entry);
    if (known) return;
    // Names mostly arrive in order; anything else is sorted when somebody lists.
    const last = this.#keys.at(-1);
    if (this.#ordered && last !== undefined && last > key) this.#ordered = false;
    this.#keys.push(key);
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
