const NOTHING: ReadonlyMap<string, never> = new Map<string, never>();

/** What each Service says of the addresses it has, found again by address: several Services may share one. */
export class ByAddress<T> {
  readonly #said = new Map<string, ReadonlyMap<string, T>>();
  readonly #addresses = new Map<string, Map<string, T>>();

  /** What a Service says, by address. */
  of(service: string): ReadonlyMap<string, T> {
    return this.#said.get(service) ?? NOTHING;
  }

  /** What is said of an address, by Service, whoever said something first being first. */
  at(address: string): ReadonlyMap<string, T> {
    return this.#addresses.get(address) ?? NOTHING;
  }

  /** Every address of which something is said, with that. */
  [Symbol.iterator](): Iterator<readonly [address: string, said: ReadonlyMap<string, T>]> {
    return this.#addresses.entries();
  }

  /** Puts `says` in place of all that a Service said; empty: it is gone. The addresses that makes a difference to, lost ones first. */
  set(service: string, says: ReadonlyMap<string, T>): readonly string[] {
    const before = this.of(service);
    if (says.size === 0) this.#said.delete(service);
    else this.#said.set(service, says);
    const lost = [...before.keys()].filter((address) => !says.has(address));
    const changed = [...says].filter(([address, value]) => !before.has(address) || before.get(address) !== value);
    for (const address of lost) {
      const said = this.#addresses.get(address);
      said?.delete(service);
      if (said?.size === 0) this.#addresses.delete(address);
    }
    for (const [address, value] of changed) {
      const said = this.#addresses.get(address) ?? new Map<string, T>();
      this.#addresses.set(address, said.set(service, value));
    }
    return [...lost, ...changed.map(([address]) => address)];
  }
}
