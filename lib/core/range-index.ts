import type { AddressRange, Family } from "./address.ts";

interface Indexed<T> {
  readonly range: AddressRange;
  readonly item: T;
}

/**
 * Ranges that do not overlap each other, each with something it belongs to: who has an address, or
 * stands in the way of a range, is found in O(log n). A pool may list thousands of ranges.
 */
export class RangeIndex<T> {
  readonly #sorted: Record<Family, Indexed<T>[]> = { 4: [], 6: [] };

  /** One that shares an address with `range`; the highest, when there are several. */
  overlap(range: AddressRange): Indexed<T> | undefined {
    const sorted = this.#sorted[range.first.family];
    const candidate = sorted[after(sorted, range.last.value) - 1];
    return candidate !== undefined && candidate.range.last.value >= range.first.value ? candidate : undefined;
  }

  /** The range must not overlap one that is there. */
  add(range: AddressRange, item: T): void {
    const sorted = this.#sorted[range.first.family];
    sorted.splice(after(sorted, range.first.value), 0, { range, item });
  }

  /** The same for many: few are put in place one by one, a lot cost one sort. */
  addAll(ranges: readonly AddressRange[], item: T): void {
    for (const family of [4, 6] as const) {
      const sorted = this.#sorted[family];
      const own = ranges.filter(({ first }) => first.family === family);
      if (own.length * 16 < sorted.length) for (const range of own) this.add(range, item);
      else if (own.length > 0) {
        for (const range of own) sorted.push({ range, item });
        sorted.sort((a, b) => (a.range.first.value < b.range.first.value ? -1 : 1));
      }
    }
  }
}

/** How many begin at or below `value`. */
function after(sorted: readonly Indexed<unknown>[], value: bigint): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = sorted[middle];
    if (entry !== undefined && entry.range.first.value <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
