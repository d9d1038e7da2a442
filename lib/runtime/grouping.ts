/**
 * Values by key, and which of them belong to each group, kept current change by
 * change: asking for one group costs what is in it, not what there is.
 */
export class Grouping<T> {
  readonly #groupOf: (value: T) => string | null;
  readonly #groups = new Map<string, Map<string, T>>();

  /** `groupOf` gives null for values that belong nowhere. It must depend on the value alone. */
  constructor(groupOf: (value: T) => string | null) {
    this.#groupOf = groupOf;
  }

  /** Takes in the new state of a key (undefined: gone) and the one before (undefined: new). Returns the groups touched. */
  change(key: string, now: T | undefined, before: T | undefined): readonly string[] {
    const from = before === undefined ? null : this.#groupOf(before);
    const to = now === undefined ? null : this.#groupOf(now);
    if (from !== null) this.#leave(from, key);
    if (to !== null && now !== undefined) {
      const group = this.#groups.get(to) ?? new Map<string, T>();
      this.#groups.set(to, group.set(key, now));
    }
    return [...new Set([from, to])].filter((group) => group !== null);
  }

  of(group: string): readonly T[] {
    return [...(this.#groups.get(group)?.values() ?? [])];
  }

  #leave(name: string, key: string): void {
    const group = this.#groups.get(name);
    group?.delete(key);
    if (group?.size === 0) this.#groups.delete(name);
  }
}
