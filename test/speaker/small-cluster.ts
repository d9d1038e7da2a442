import type { KubeObject } from "#api/kubernetes/objects";
import { keyOf, type ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import type { Cluster, ObjectCache, ObjectName, PatchRequest } from "#kube/port";

type Listener = (key: string, now: KubeObject | undefined, before: KubeObject | undefined) => void;

interface Kind {
  readonly objects: Map<string, KubeObject>;
  readonly caches: Set<{
    readonly objects: Map<string, KubeObject>;
    readonly listeners: Set<Listener>;
    readonly matches: (o: KubeObject) => boolean;
  }>;
}

/** An API server small enough to see through: caches follow writes in a microtask; `down` refuses every call. */
export class SmallCluster {
  readonly #kinds = new Map<string, Kind>();
  #version = 100;
  down = false;

  /** A client; when `isCut` says so it gets no answers and its caches stand still. */
  client(isCut: () => boolean = () => false): Cluster {
    const check = () => {
      if (this.down || isCut()) throw new Fault("unavailable", "the API server is away");
    };
    const guard = async <T>(work: () => T): Promise<T> => {
      await Promise.resolve();
      check();
      return work();
    };
    return {
      list: (resource) => guard(() => ({ items: this.list(resource), resourceVersion: String(this.#version) })),
      get: (resource, name) => guard(() => this.get(resource, name)),
      create: (resource, object) => guard(() => this.create(resource, object)),
      replace: (resource, object) => guard(() => this.put(resource, object)),
      patch: (resource, name, patch) => guard(() => this.patch(resource, name, patch)),
      remove: (resource, name) => guard(() => this.remove(resource, name)),
      cache: (resource, scope) => this.#cache(resource, scope ?? {}, () => this.down || isCut()),
      podLog: () => Promise.resolve(""),
      version: () => Promise.resolve("v1.36.2"),
      close: () => Promise.resolve(),
    };
  }

  list<T extends KubeObject>(resource: ResourceRef<T>): readonly T[] {
    return [...this.#kind(resource).objects.values()] as T[];
  }

  get<T extends KubeObject>(resource: ResourceRef<T>, name: ObjectName): T {
    const found = this.#kind(resource).objects.get(keyOf({ metadata: { ...name } }));
    if (found === undefined) throw new Fault("not_found", `${resource.plural} "${name.name}" not found`);
    return found as T;
  }

  create<T extends KubeObject>(resource: ResourceRef<T>, object: T): T {
    const name = object.metadata.name ?? `${object.metadata.generateName}${(this.#version + 1).toString(36)}`;
    const named = {
      ...object,
      metadata: { uid: `uid-${name}`, creationTimestamp: "2026-01-01T00:00:00Z", ...object.metadata, name },
    };
    if (this.#kind(resource).objects.has(keyOf(named))) throw new Fault("already_exists", `${name} exists`);
    return this.put(resource, named);
  }

  put<T extends KubeObject>(resource: ResourceRef<T>, object: T): T {
    this.#version += 1;
    const kind = this.#kind(resource);
    const now = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#tell(kind, keyOf(now), now);
    return now;
  }

  patch<T extends KubeObject>(resource: ResourceRef<T>, name: ObjectName, { body, kind }: PatchRequest): T {
    if (kind !== "merge") throw new Fault("invalid", "only merge patches here");
    return this.put(resource, merge(this.get(resource, name), body) as T);
  }

  remove(resource: ResourceRef, name: ObjectName): void {
    this.get(resource, name);
    this.#tell(this.#kind(resource), keyOf({ metadata: { ...name } }), undefined);
  }

  #tell(kind: Kind, key: string, now: KubeObject | undefined): void {
    if (now === undefined) kind.objects.delete(key);
    else kind.objects.set(key, now);
    for (const cache of kind.caches) queueMicrotask(() => catchUp(cache, kind));
  }

  #kind(resource: ResourceRef): Kind {
    const known = this.#kinds.get(resource.plural) ?? { objects: new Map(), caches: new Set() };
    this.#kinds.set(resource.plural, known);
    return known;
  }

  /** Lets caches that were cut off catch up, as their reconnect would. */
  reconnect(): void {
    for (const kind of this.#kinds.values()) for (const cache of kind.caches) catchUp(cache, kind);
  }

  #cache<T extends KubeObject>(
    resource: ResourceRef<T>,
    scope: { readonly namespace?: string; readonly fieldSelector?: string },
    isCut: () => boolean,
  ): ObjectCache<T> {
    const kind = this.#kind(resource);
    const name = scope.fieldSelector?.replace("metadata.name=", "");
    const matches = ({ metadata }: KubeObject) =>
      (scope.namespace === undefined || metadata.namespace === scope.namespace) &&
      (name === undefined || metadata.name === name);
    const cache = { objects: new Map<string, KubeObject>(), listeners: new Set<Listener>(), matches, isCut };
    kind.caches.add(cache);
    catchUp(cache, kind);
    return {
      synced: true,
      whenSynced: () => Promise.resolve(),
      listedSince: async () => catchUp(cache, kind),
      get: (key) => cache.objects.get(key) as T | undefined,
      list: () => [...cache.objects.values()] as T[],
      onChange: (listener) => {
        const own = listener as Listener;
        cache.listeners.add(own);
        return () => cache.listeners.delete(own);
      },
      health: { connected: true, lastSeen: 0, forbidden: false },
      close: () => void kind.caches.delete(cache),
    };
  }
}

function catchUp(
  cache: {
    readonly objects: Map<string, KubeObject>;
    readonly listeners: Set<Listener>;
    matches(o: KubeObject): boolean;
    isCut?: () => boolean;
  },
  kind: Kind,
): void {
  if (cache.isCut?.() === true) return;
  for (const key of new Set([...cache.objects.keys(), ...kind.objects.keys()])) {
    const before = cache.objects.get(key);
    const now = kind.objects.get(key);
    if (before === now || (now !== undefined && !cache.matches(now))) continue;
    if (now === undefined) cache.objects.delete(key);
    else cache.objects.set(key, now);
    for (const listener of cache.listeners) listener(key, now, before);
  }
}

function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
