import type { AddressRange } from "./address.ts";
import { FreeList } from "./free-list.ts";

/** A value, and the position of its range in the list. */
export interface Place {
  readonly value: bigint;
  readonly order: number;
}

interface Piece {
  readonly first: bigint;
  readonly last: bigint;
  readonly order: number;
  readonly free: FreeList;
}

/**
 * The free values of a list of ranges of one family, in the order of the list, some parts of which may be closed.
 * Neither the size of a range nor of a closed part costs anything, and finding the next value costs O(log) of the
 * number of parts: which of them still have room is itself a free list.
 */
export class FreeSpace {
  readonly #isUsed: (value: bigint) => boolean;
  #pieces: readonly Piece[] = [];
  /** Indices into `#pieces`, by value. */
  #byValue: readonly number[] = [];
  #open = new FreeList(0n, -1n);
  #found: bigint | null = null;
  /** True when it is known that nothing is free, without looking. */
  isFull = false;
  /** Called when that is no longer so. */
  onRoom: () => void = () => undefined;

  constructor(isUsed: (value: bigint) => boolean) {
    this.#isUsed = isUsed;
  }

  /** Replaces the open parts, each with the position of its range; they must not overlap. Known parts keep what is known of them. */
  setParts(parts: readonly { readonly range: AddressRange; readonly order: number }[]): void {
    const known = new Map(this.#pieces.map((piece) => [piece.first, piece]));
    this.#pieces = parts.map(({ range, order }) => {
      const [first, last] = [range.first.value, range.last.value];
      const before = known.get(first);
      return { first, last, order, free: before?.last === last ? before.free : new FreeList(first, last) };
    });
    const at = (index: number) => (this.#pieces[index] as Piece).first;
    this.#byValue = [...this.#pieces.keys()].sort((a, b) => (at(a) < at(b) ? -1 : 1));
    this.#open = new FreeList(0n, BigInt(this.#pieces.length - 1));
    this.isFull = this.#pieces.length === 0;
  }

  /** The first value that is not used; null when there is none. */
  lowest(): Place | null {
    if (this.isFull) return null;
    const index = this.#open.lowest(this.#isUsedUp);
    this.isFull = index === null;
    if (index === null || this.#found === null) return null;
    return { value: this.#found, order: (this.#pieces[Number(index)] as Piece).order };
  }

  /** Says that a value is used no longer. */
  returned(value: bigint): void {
    const index = this.#indexOf(value);
    if (index === undefined) return;
    this.#pieces[index]?.free.returned(value);
    this.#open.returned(BigInt(index));
    if (!this.isFull) return;
    this.isFull = false;
    this.onRoom();
  }

  readonly #isUsedUp = (index: bigint): boolean => {
    this.#found = (this.#pieces[Number(index)] as Piece).free.lowest(this.#isUsed);
    return this.#found === null;
  };

  /** The part that has the value; undefined when it is closed. */
  #indexOf(value: bigint): number | undefined {
    let low = 0;
    let high = this.#byValue.length;
    const piece = (at: number) => this.#pieces[this.#byValue[at] as number] as Piece;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (piece(middle).first <= value) low = middle + 1;
      else high = middle;
    }
    return low > 0 && piece(low - 1).last >= value ? this.#byValue[low - 1] : undefined;
  }
}
