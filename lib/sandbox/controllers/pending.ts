import type { KubeObject } from "#api/kubernetes/objects";
import { keyOf } from "#api/resources";
import type { Clock } from "#runtime/clock";
import type { ObjectView } from "../port.ts";

const FORGET_AFTER_MS = 30_000;

/**
 * Objects we have created that the cache does not show yet, so that no second one is made meanwhile. An entry ends when
 * the cache has shown the object, or after 30 s (it was deleted before the cache saw it).
 */
export class Pending<T extends KubeObject> {
  readonly #entries = new Map<string, { readonly object: T; readonly at: number }>();
  readonly #view: ObjectView<T>;
  readonly #clock: Clock;

  constructor(view: ObjectView<T>, clock: Clock) {
    this.#view = view;
    this.#clock = clock;
    view.onChange((key) => this.#entries.delete(key));
  }

  /** `created` came back from the server. */
  add(created: T): void {
    const key = keyOf(created);
    const shown = this.#view.get(key);
    if (shown === undefined) this.#entries.set(key, { object: created, at: this.#clock.monotonic() });
  }

  /** What passes `wanted` and is not in the cache. */
  missing(wanted: (object: T) => boolean): readonly T[] {
    const found: T[] = [];
    for (const [key, { object, at }] of this.#entries) {
      if (this.#view.get(key) !== undefined || this.#clock.monotonic() - at > FORGET_AFTER_MS)
        this.#entries.delete(key);
      else if (wanted(object)) found.push(object);
    }
    return found;
  }
}

/** A view grouped by something about its objects, kept current. Create it when the view is synced. */
export class Index<T extends KubeObject> {
  readonly #keys = new Map<string, Set<string>>();
  readonly #view: ObjectView<T>;

  constructor(view: ObjectView<T>, groupsOf: (object: T) => readonly string[]) {
    this.#view = view;
    for (const object of view.list()) this.#add(keyOf(object), groupsOf(object));
    view.onChange((key, now, before) => {
      for (const group of before === undefined ? [] : groupsOf(before)) this.#keys.get(group)?.delete(key);
      if (now !== undefined) this.#add(key, groupsOf(now));
    });
  }

  #add(key: string, groups: readonly string[]): void {
    for (const group of groups) {
      const keys = this.#keys.get(group) ?? new Set();
      keys.add(key);
      this.#keys.set(group, keys);
    }
  }

  /** The objects of a group, by key. */
  of(group: string): readonly T[] {
    const keys = [...(this.#keys.get(group) ?? [])].sort();
    if (keys.length === 0) this.#keys.delete(group);
    return keys.flatMap((key) => this.#view.get(key) ?? []);
  }
}
