import { randomUUID } from "node:crypto";
import type { KubeObject } from "#api/kubernetes/objects";
import { keyOf, type ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import type { ObjectName, Objects, ObjectView } from "#sandbox/port";

type Listener = (key: string, now: KubeObject | undefined, before: KubeObject | undefined) => void;

/** One write as tests look at it. */
export interface Write {
  readonly verb: "create" | "replace" | "patch" | "remove";
  readonly kind: string;
  readonly key: string;
  readonly body: unknown;
}

/**
 * The API as kubelets and controllers see it, in memory: versions, uids,
 * merge patch, graceful deletion of pods. No validation, no selectors.
 */
export class MemoryObjects implements Objects {
  readonly writes: Write[] = [];
  readonly #kinds = new Map<string, Map<string, KubeObject>>();
  readonly #listeners = new Map<string, Set<Listener>>();
  #version = 0;

  async get<T extends KubeObject>(resource: ResourceRef<T>, name: ObjectName): Promise<T> {
    return this.#found(resource, name);
  }

  async list<T extends KubeObject>(resource: ResourceRef<T>) {
    return { items: this.all(resource), resourceVersion: String(this.#version) };
  }

  async create<T extends KubeObject>(resource: ResourceRef<T>, object: T): Promise<T> {
    const key = keyOf(object);
    if (this.#objects(resource).has(key))
      throw new Fault("already_exists", `${resource.plural} "${key}" already exists`);
    const metadata = { uid: randomUUID(), creationTimestamp: new Date().toISOString(), ...object.metadata };
    this.#note("create", resource, key, object);
    return this.#store(resource, key, { ...object, metadata });
  }

  async replace<T extends KubeObject>(resource: ResourceRef<T>, object: T): Promise<T> {
    this.#found(resource, { name: object.metadata.name ?? "", namespace: object.metadata.namespace });
    this.#note("replace", resource, keyOf(object), object);
    return this.#store(resource, keyOf(object), object);
  }

  async patch<T extends KubeObject>(
    resource: ResourceRef<T>,
    name: ObjectName,
    patch: { readonly kind: "merge" | "json" | "strategic"; readonly body: unknown },
  ): Promise<T> {
    if (patch.kind === "json") throw new Fault("invalid", "json patch is not supported here");
    const before = this.#found(resource, name);
    this.#note("patch", resource, keyOf(before), patch.body);
    return this.#store(resource, keyOf(before), merge(before, patch.body) as T);
  }

  async remove(
    resource: ResourceRef,
    name: ObjectName,
    options: { readonly uid?: string; readonly gracePeriodSeconds?: number } = {},
  ): Promise<void> {
    const object = this.#found(resource, name);
    if (options.uid !== undefined && options.uid !== object.metadata.uid) throw new Fault("conflict", "uid differs");
    const key = keyOf(object);
    this.#note("remove", resource, key, options);
    const spec = object.spec as { nodeName?: string; terminationGracePeriodSeconds?: number } | undefined;
    const grace = options.gracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? 30;
    if (resource.plural === "pods" && spec?.nodeName !== undefined && grace > 0) {
      const deletionTimestamp = new Date(Date.now() + grace * 1000).toISOString();
      const metadata = { ...object.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace };
      this.#store(resource, key, { ...object, metadata });
      return;
    }
    this.#objects(resource).delete(key);
    this.#tell(resource, key, undefined, object);
  }

  cache<T extends KubeObject>(resource: ResourceRef<T>): ObjectView<T> {
    return {
      synced: true,
      whenSynced: async () => undefined,
      get: (key) => this.#objects(resource).get(key) as T | undefined,
      list: () => this.all(resource),
      onChange: (listener) => {
        const listeners = this.#listenersOf(resource);
        listeners.add(listener as Listener);
        return () => listeners.delete(listener as Listener);
      },
    };
  }

  all<T extends KubeObject>(resource: ResourceRef<T>): readonly T[] {
    return [...this.#objects(resource).values()] as T[];
  }

  #found<T extends KubeObject>(resource: ResourceRef<T>, { name, namespace }: ObjectName): T {
    const key = namespace === undefined || !resource.namespaced ? name : `${namespace}/${name}`;
    const object = this.#objects(resource).get(key);
    if (object === undefined) throw new Fault("not_found", `${resource.plural} "${name}" not found`);
    return object as T;
  }

  #store<T extends KubeObject>(resource: ResourceRef<T>, key: string, object: T): T {
    const before = this.#objects(resource).get(key);
    this.#version++;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#objects(resource).set(key, stored);
    this.#tell(resource, key, stored, before);
    return stored;
  }

  #tell(resource: ResourceRef, key: string, now: KubeObject | undefined, before: KubeObject | undefined): void {
    // As over a watch: later, and in order.
    setImmediate(() => {
      for (const listener of this.#listenersOf(resource)) listener(key, now, before);
    });
  }

  #note(verb: Write["verb"], resource: ResourceRef, key: string, body: unknown): void {
    this.writes.push({ verb, kind: resource.kind, key, body });
  }

  #objects(resource: ResourceRef): Map<string, KubeObject> {
    return entry(this.#kinds, `${resource.group}/${resource.plural}`, () => new Map());
  }

  #listenersOf(resource: ResourceRef): Set<Listener> {
    return entry(this.#listeners, `${resource.group}/${resource.plural}`, () => new Set());
  }
}

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make();
  map.set(key, made);
  return made;
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === "object" && target !== null && !Array.isArray(target) ? target : {};
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (value !== undefined) result[key] = merge(result[key], value);
  }
  return result;
}
