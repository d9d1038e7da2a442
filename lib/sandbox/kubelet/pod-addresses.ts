/**
 * Addresses of one node's pods out of 10.244.n.0/24 (.0 and .1 and .255 are
 * never given). Round robin like the host-local plugin, so that an address is
 * not reused while someone may still remember its last owner.
 */
export class PodAddresses {
  readonly #prefix: string;
  readonly #holders = new Map<string, string>();
  readonly #released: (uid: string) => void;
  #last = 1;

  /** `node` counts from 1. `released` hears of every pod that is gone for good. */
  constructor(node: number, released: (uid: string) => void = () => undefined) {
    this.#prefix = `10.244.${node}.`;
    this.#released = released;
  }

  /** Keeps `address` for `uid` if it belongs to this node and nobody else holds it. */
  adopt(uid: string, address: string): boolean {
    const host = Number(address.slice(this.#prefix.length));
    if (!address.startsWith(this.#prefix) || !Number.isInteger(host) || host < 2 || host > 254) return false;
    const holder = this.#holders.get(address);
    if (holder !== undefined && holder !== uid) return false;
    this.#holders.set(address, uid);
    this.#last = host;
    return true;
  }

  /** The address of `uid`: the one it holds, else the next free one; null when the node has none left. */
  assign(uid: string): string | null {
    for (const [address, holder] of this.#holders) if (holder === uid) return address;
    for (let step = 1; step <= 253; step++) {
      const host = ((this.#last - 2 + step) % 253) + 2;
      const address = `${this.#prefix}${host}`;
      if (this.#holders.has(address)) continue;
      this.#holders.set(address, uid);
      this.#last = host;
      return address;
    }
    return null;
  }

  release(uid: string): void {
    for (const [address, holder] of this.#holders) if (holder === uid) this.#holders.delete(address);
    this.#released(uid);
  }
}

/** Where the process behind pod address 10.244.n.x really listens: 127.244.n.x. Other addresses are their own. */
export function shadowOf(address: string): string {
  return address.startsWith("10.244.") ? `127${address.slice(2)}` : address;
}
