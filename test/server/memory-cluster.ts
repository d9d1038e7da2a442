import type { KubeObject } from "#api/kubernetes/objects";
import { apiVersionOf, CRDS, keyOf, type ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import type {
  CacheHealth,
  Cluster,
  DeleteOptions,
  ListOptions,
  ObjectCache,
  ObjectName,
  PatchRequest,
} from "#kube/port";

type Listener = (key: string, now: KubeObject | undefined, before: KubeObject | undefined) => void;
type Before = (verb: string, resource: ResourceRef, object: KubeObject | undefined) => void;

const NOTHING: readonly never[] = [];

/** An API server in memory: versions, conflicts, merge patches, caches that follow at once. Nothing else. */
export class MemoryCluster implements Cluster {
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #listeners = new Map<string, Set<Listener>>();
  /** Kinds that answer 404 until their CRD is there. */
  readonly absent = new Set<string>();
  readonly forbidden = new Set<string>();
  readonly writes: string[] = [];
  connected = true;
  logText = "one\ntwo\n";
  /** Throw here to make a request fail. */
  before: Before = () => undefined;
  #version = 100;

  seed<T extends KubeObject>(resource: ResourceRef<T>, ...objects: readonly T[]): void {
    for (const object of objects)
      this.#put(resource, {
        ...object,
        metadata: { creationTimestamp: "2026-01-01T00:00:00Z", uid: `uid-${keyOf(object)}`, ...object.metadata },
      });
  }

  /** What a controller would write. */
  change<T extends KubeObject>(resource: ResourceRef<T>, key: string, change: (object: T) => T): void {
    const held = this.#of(resource).get(key) as T | undefined;
    if (held !== undefined) this.#put(resource, change(structuredClone(held)));
  }

  drop(resource: ResourceRef, key: string): void {
    const held = this.#of(resource).get(key);
    if (held === undefined) return;
    this.#version += 1;
    this.#of(resource).delete(key);
    for (const listener of this.#listenersOf(resource)) listener(key, undefined, held);
  }

  held<T extends KubeObject>(resource: ResourceRef<T>, key: string): T | undefined {
    return this.#of(resource).get(key) as T | undefined;
  }

  async list<T extends KubeObject>(resource: ResourceRef<T>, options: ListOptions = {}) {
    this.#check("list", resource, undefined);
    const items = [...this.#of(resource).values()].filter(
      (one) => options.namespace === undefined || one.metadata.namespace === options.namespace,
    );
    return { items: items as T[], resourceVersion: String(this.#version) };
  }

  async get<T extends KubeObject>(resource: ResourceRef<T>, name: ObjectName): Promise<T> {
    this.#check("get", resource, undefined);
    return structuredClone(this.#must(resource, name)) as T;
  }

  async create<T extends KubeObject>(resource: ResourceRef<T>, object: T): Promise<T> {
    this.#check("create", resource, object);
    if (this.#of(resource).has(keyOf(object)))
      throw new Fault("already_exists", `${resource.plural} "${object.metadata.name}" already exists`);
    this.writes.push(`create ${resource.plural} ${keyOf(object)}`);
    return this.#put(resource, {
      ...object,
      metadata: {
        ...object.metadata,
        uid: crypto.randomUUID(),
        creationTimestamp: "2026-02-01T00:00:00Z",
        generation: 1,
      },
    });
  }

  async replace<T extends KubeObject>(resource: ResourceRef<T>, object: T): Promise<T> {
    this.#check("replace", resource, object);
    const { name = "", namespace } = object.metadata;
    this.#guard(this.#must(resource, { name, namespace }), object.metadata.resourceVersion);
    this.writes.push(`replace ${resource.plural} ${keyOf(object)}`);
    return this.#put(resource, object);
  }

  async patch<T extends KubeObject>(resource: ResourceRef<T>, name: ObjectName, patch: PatchRequest): Promise<T> {
    this.#check("patch", resource, undefined);
    const held = this.#must(resource, name);
    const body = patch.body as { metadata?: { resourceVersion?: string }; spec?: unknown };
    this.#guard(held, body.metadata?.resourceVersion);
    const merged = merge(held, body) as T;
    if (JSON.stringify(merged) === JSON.stringify(held)) return held as T;
    this.writes.push(`patch ${resource.plural} ${keyOf(held)}`);
    const generation = (held.metadata.generation ?? 1) + (body.spec === undefined ? 0 : 1);
    return this.#put(resource, { ...merged, metadata: { ...merged.metadata, generation } });
  }

  async remove(resource: ResourceRef, name: ObjectName, _options?: DeleteOptions): Promise<void> {
    this.#check("remove", resource, undefined);
    const held = this.#must(resource, name);
    this.writes.push(`remove ${resource.plural} ${keyOf(held)}`);
    this.drop(resource, keyOf(held));
  }

  cache<T extends KubeObject>(
    resource: ResourceRef<T>,
    scope: { namespace?: string; fieldSelector?: string } = {},
  ): ObjectCache<T> {
    const listeners = this.#listenersOf(resource);
    const own = new Set<Listener>();
    const name = /^metadata\.name=(.+)$/.exec(scope.fieldSelector ?? "")?.[1];
    const inScope = (object: KubeObject | undefined) =>
      object !== undefined &&
      (scope.namespace === undefined || object.metadata.namespace === scope.namespace) &&
      (name === undefined || object.metadata.name === name);
    const here = () => !this.absent.has(resource.plural) && !this.forbidden.has(resource.plural);
    const cluster = this;
    let held: { version: number; items: readonly T[] } | undefined;
    return {
      get synced() {
        return here();
      },
      listedSince: async () => undefined,
      whenSynced: async () => undefined,
      get: (key) => (here() && inScope(this.#of(resource).get(key)) ? (this.#of(resource).get(key) as T) : undefined),
      list: () => {
        if (!here()) return NOTHING as readonly T[];
        if (held?.version !== this.#version) {
          const items = [...this.#of(resource).values()].filter(inScope) as T[];
          const same =
            held !== undefined &&
            items.length === held.items.length &&
            items.every((one, at) => one === held?.items[at]);
          held = { version: this.#version, items: same && held !== undefined ? held.items : items };
        }
        return held.items;
      },
      onChange(listener) {
        const mine: Listener = (key, now, before) => {
          if (inScope(now) || inScope(before)) listener(key, now as T | undefined, before as T | undefined);
        };
        listeners.add(mine);
        own.add(mine);
        return () => {
          listeners.delete(mine);
          own.delete(mine);
        };
      },
      get health(): CacheHealth {
        const forbidden = cluster.forbidden.has(resource.plural);
        return cluster.connected && here()
          ? { connected: true, lastSeen: 0, forbidden }
          : { connected: false, lastSeen: 0, error: "connect ECONNREFUSED", forbidden };
      },
      close: () => {
        for (const mine of own) listeners.delete(mine);
      },
    };
  }

  async podLog(): Promise<string> {
    return this.logText;
  }
  async version(): Promise<string> {
    return "v1.36.2";
  }
  async close(): Promise<void> {}

  /** Lists of a kind whose CRD came are served from now on. */
  define(resource: ResourceRef): void {
    this.absent.delete(resource.plural);
    this.seed(CRDS, { metadata: { name: `${resource.plural}.${resource.group}` } });
  }

  #check(verb: string, resource: ResourceRef, object: KubeObject | undefined): void {
    if (!this.connected) throw new Fault("unavailable", "connect ECONNREFUSED");
    if (this.absent.has(resource.plural))
      throw new Fault("not_found", "the server could not find the requested resource");
    this.before(verb, resource, object);
  }

  #guard(held: KubeObject, version: string | undefined): void {
    if (version !== undefined && version !== held.metadata.resourceVersion)
      throw new Fault("conflict", "the object has been modified");
  }

  #must(resource: ResourceRef, name: ObjectName): KubeObject {
    const key = name.namespace === undefined ? name.name : `${name.namespace}/${name.name}`;
    const held = this.#of(resource).get(key);
    if (held === undefined) throw new Fault("not_found", `${resource.plural} "${name.name}" not found`);
    return held;
  }

  #put<T extends KubeObject>(resource: ResourceRef<T>, object: T): T {
    this.#version += 1;
    const stored = {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(this.#version) },
    };
    const before = this.#of(resource).get(keyOf(object));
    this.#of(resource).set(keyOf(object), stored);
    for (const listener of this.#listenersOf(resource)) listener(keyOf(object), stored, before);
    return stored;
  }

  #of(resource: ResourceRef): Map<string, KubeObject> {
    const key = `${resource.group}/${resource.plural}`;
    const held = this.#objects.get(key) ?? new Map<string, KubeObject>();
    this.#objects.set(key, held);
    return held;
  }

  #listenersOf(resource: ResourceRef): Set<Listener> {
    const key = `${resource.group}/${resource.plural}`;
    const held = this.#listeners.get(key) ?? new Set<Listener>();
    this.#listeners.set(key, held);
    return held;
  }
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {};
  const result: Record<string, unknown> = base as Record<string, unknown>;
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (value !== undefined) result[key] = merge(result[key], value);
  }
  return result;
}
