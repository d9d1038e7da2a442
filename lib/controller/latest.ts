import type { KubeObject } from "#api/kubernetes/objects";
import type { ObjectCache } from "#kube/port";

/**
 * A cache, read through our own writes: what a write returned counts until the
 * cache shows that version or a newer one. So a decision is never taken twice on
 * a view that is older than what we ourselves already did.
 */
export class Latest<T extends KubeObject> {
  readonly #cache: ObjectCache<T>;
  readonly #written = new Map<string, T>();

  constructor(cache: ObjectCache<T>) {
    this.#cache = cache;
  }

  get(key: string): T | undefined {
    const seen = this.#cache.get(key);
    const written = this.#written.get(key);
    if (written === undefined) return seen;
    // Nothing is written that was not seen before; gone from the cache means deleted since.
    if (seen !== undefined && isNewer(written, seen)) return written;
    this.#written.delete(key);
    return seen;
  }

  /** Takes in the reply to a write or a direct read. Returns the same version as the cache has it, where it does. */
  put(key: string, object: T): T {
    const known = this.get(key);
    if (known !== undefined && isNewer(object, known)) this.#written.set(key, object);
    return known !== undefined && isSameVersion(known, object) ? known : object;
  }

  /** True when the cache shows now what we ourselves wrote: nothing that we do not know. */
  isEcho(key: string, now: T): boolean {
    const written = this.#written.get(key);
    if (written === undefined || !isSameVersion(written, now)) return false;
    this.#written.delete(key);
    return true;
  }
}

function isSameVersion({ metadata: a }: KubeObject, { metadata: b }: KubeObject): boolean {
  return a.resourceVersion === b.resourceVersion && a.uid === b.uid;
}

/** resourceVersions of one resource are decimal numbers that grow (Kubernetes 1.35 made that a promise). */
export function isNewer(a: KubeObject, b: KubeObject): boolean {
  const [left, right] = [a.metadata.resourceVersion ?? "", b.metadata.resourceVersion ?? ""];
  return left.length === right.length ? left > right : left.length > right.length;
}
