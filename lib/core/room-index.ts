import { FreeList } from "./free-list.ts";
import type { FreeSpace } from "./free-space.ts";

/** Which of a list of spaces still have room: the first of them in O(log), however many are full. */
export class RoomIndex {
  readonly #spaces: readonly FreeSpace[];
  readonly #open: FreeList;

  constructor(spaces: readonly FreeSpace[]) {
    this.#spaces = spaces;
    this.#open = new FreeList(0n, BigInt(spaces.length - 1));
    for (const [index, space] of spaces.entries()) space.onRoom = () => this.#open.returned(BigInt(index));
  }

  /** The position of the first space that is not known to be full; past the end when all are. */
  first(): number {
    return Number(this.#open.lowest(this.#isFull) ?? this.#spaces.length);
  }

  readonly #isFull = (index: bigint): boolean => this.#spaces[Number(index)]?.isFull === true;
}
