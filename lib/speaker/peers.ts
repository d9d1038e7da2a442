import type { Peer } from "./members-state.ts";

/**
 * Peers by node. Never changes: `with` gives another one, which costs a copy of a short array instead of a copy of a
 * map, a hundred times a second and more.
 */
export class Peers {
  static readonly none = new Peers(new Map(), []);
  readonly #slots: ReadonlyMap<string, number>;
  readonly #list: readonly Peer[];

  private constructor(slots: ReadonlyMap<string, number>, list: readonly Peer[]) {
    this.#slots = slots;
    this.#list = list;
  }

  get size(): number {
    return this.#list.length;
  }

  get(node: string): Peer | undefined {
    const slot = this.#slots.get(node);
    return slot === undefined ? undefined : this.#list[slot];
  }

  /** In the order in which they were first heard. */
  values(): readonly Peer[] {
    return this.#list;
  }

  with(peer: Peer): Peers {
    const slot = this.#slots.get(peer.node);
    if (slot !== undefined) return new Peers(this.#slots, this.#list.with(slot, peer));
    return new Peers(new Map(this.#slots).set(peer.node, this.#list.length), [...this.#list, peer]);
  }

  /** Each as `change` makes it. */
  map(change: (peer: Peer) => Peer): Peers {
    return new Peers(this.#slots, this.#list.map(change));
  }

  filter(isKept: (peer: Peer) => boolean): Peers {
    const list = this.#list.filter(isKept);
    return new Peers(new Map(list.map(({ node }, slot) => [node, slot])), list);
  }
}
