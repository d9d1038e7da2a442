/**
 * The free values of one range, lowest first, without ever holding them: a
 * cursor below which every value is used or waits in a heap of returned ones.
 *
 * Costs: each use moves the cursor past a value once and each return enters the
 * heap once, so `lowest` is amortised O(log returned), whatever the size of the
 * range or how full it is. Space is proportional to what was returned.
 */
export class FreeList {
  #cursor: bigint;
  readonly #last: bigint;
  /** Binary min-heap; may hold values taken again meanwhile, which `lowest` drops when it meets them. */
  readonly #heap: bigint[] = [];
  readonly #inHeap = new Set<bigint>();

  constructor(first: bigint, last: bigint) {
    this.#cursor = first;
    this.#last = last;
  }

  /** The lowest value that is not used. The answer for a value below the cursor may only change to free by `returned`. */
  lowest(isUsed: (value: bigint) => boolean): bigint | null {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (!isUsed(top)) return top;
      this.#pop();
    }
    while (this.#cursor <= this.#last && isUsed(this.#cursor)) this.#cursor++;
    return this.#cursor <= this.#last ? this.#cursor : null;
  }

  /** Says that a value of the range is used no longer. */
  returned(value: bigint): void {
    if (value >= this.#cursor || this.#inHeap.has(value)) return;
    this.#inHeap.add(value);
    const heap = this.#heap;
    let index = heap.push(value) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as bigint;
      if (above <= value) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = value;
  }

  #pop(): void {
    const heap = this.#heap;
    this.#inHeap.delete(heap[0] as bigint);
    const value = heap.pop() as bigint;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as bigint) < (heap[child] as bigint)) child++;
      if ((heap[child] as bigint) >= value) break;
      heap[index] = heap[child] as bigint;
      index = child;
    }
    heap[index] = value;
  }
}
