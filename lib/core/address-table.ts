import type { Address, Family } from "./address.ts";

interface Page<T> {
  readonly items: (T | undefined)[];
  count: number;
}

const PAGE = 64;

/**
 * A map from addresses to values for addresses that come in runs, as those of
 * a pool do: pages of 64 neighbours. What it costs to use does not grow with the
 * number of addresses as one big hash table's does (longer chains, colder memory).
 */
export class AddressTable<T> {
  // A small integer is the fastest key there is; bigints of IPv6 cannot be mistaken for one.
  readonly #pages = new Map<number | bigint, Page<T>>();

  get(family: Family, value: bigint): T | undefined {
    return this.#pages.get(pageOf(family, value))?.items[offsetOf(value)];
  }

  has(family: Family, value: bigint): boolean {
    return this.get(family, value) !== undefined;
  }

  set({ family, value }: Address, item: T): void {
    const key = pageOf(family, value);
    let page = this.#pages.get(key);
    if (page === undefined) {
      page = { items: new Array<T | undefined>(PAGE).fill(undefined), count: 0 };
      this.#pages.set(key, page);
    }
    const offset = offsetOf(value);
    if (page.items[offset] === undefined) page.count++;
    page.items[offset] = item;
  }

  delete({ family, value }: Address): void {
    const key = pageOf(family, value);
    const page = this.#pages.get(key);
    const offset = offsetOf(value);
    if (page?.items[offset] === undefined) return;
    page.items[offset] = undefined;
    page.count--;
    if (page.count === 0) this.#pages.delete(key);
  }

  *values(): Iterable<T> {
    for (const { items } of this.#pages.values()) {
      for (const item of items) if (item !== undefined) yield item;
    }
  }
}

function pageOf(family: Family, value: bigint): number | bigint {
  return family === 4 ? Math.floor(Number(value) / PAGE) : value / BigInt(PAGE);
}

function offsetOf(value: bigint): number {
  return Number(BigInt.asUintN(6, value));
}
