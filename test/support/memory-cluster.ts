import type { KubeObject } from "#api/kubernetes/objects";
import { keyOf, type ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import type { Cluster, ListOptions, ObjectCache, ObjectName, PatchRequest, WriteOptions } from "#kube/port";
import type { Clock } from "#runtime/clock";

type Change = { readonly kind: string; readonly key: string; readonly now?: KubeObject | undefined };

/** One request, as faults and records see it. */
export interface Operation {
  readonly verb: "create" | "replace" | "patch" | "remove" | "get" | "list";
  readonly plural: string;
  readonly key: string;
  readonly subresource?: string | undefined;
  readonly body?: unknown;
}

/**
 * An API server for tests: objects with versions, conflicts, merge patches and
 * status subresources as a real one has them; no schemas, no defaults. Clients
 * come and go (`connect`), objects stay.
 */
export class MemoryServer {
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #watchers = new Set<(change: Change) => void>();
  readonly #clock: Clock;
  #version = 1000;
  /** Writes that changed something, in order. */
  readonly writes: Operation[] = [];
  /** What becomes of a request: "lost" is done but its reply never arrives. */
  fault: (operation: Operation) => Fault | "lost" | null = () => null;
  /** Whether a merge patch of /status may set annotations, as the real strategy for Services lets it. */
  statusTakesAnnotations = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  connect(): MemoryCluster {
    return new MemoryCluster(this);
  }

  of<T extends KubeObject>(resource: ResourceRef<T>): T[] {
    return [...this.table(resource).values()] as T[];
  }

  at<T extends KubeObject>(resource: ResourceRef<T>, key: string): T | undefined {
    return this.table(resource).get(key) as T | undefined;
  }

  table(resource: ResourceRef): Map<string, KubeObject> {
    const kind = `${resource.group}/${resource.plural}`;
    const table = this.#objects.get(kind) ?? new Map<string, KubeObject>();
    this.#objects.set(kind, table);
    return table;
  }

  watch(watcher: (change: Change) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  get version(): string {
    return String(this.#version);
  }

  /** Creates or replaces without any check: how a test, not a client, sets the scene. */
  set<T extends KubeObject>(resource: ResourceRef<T>, object: T): T {
    return this.store(resource, object, this.table(resource).get(keyOf(object))) as T;
  }

  delete(resource: ResourceRef, key: string): void {
    if (!this.table(resource).delete(key)) return;
    this.#version++;
    this.#tell({ kind: `${resource.group}/${resource.plural}`, key });
  }

  store(resource: ResourceRef, object: KubeObject, before: KubeObject | undefined): KubeObject {
    const stored = structuredClone(object);
    const { metadata } = stored;
    metadata.uid = before?.metadata.uid ?? `uid-${this.#version}`;
    metadata.creationTimestamp =
      before?.metadata.creationTimestamp ??
      metadata.creationTimestamp ??
      `${new Date(this.#clock.now()).toISOString().slice(0, 19)}Z`;
    metadata.resourceVersion = before?.metadata.resourceVersion;
    if (before !== undefined && JSON.stringify(sorted(stored)) === JSON.stringify(sorted(before))) return before;
    metadata.resourceVersion = String(++this.#version);
    freeze(stored);
    this.table(resource).set(keyOf(stored), stored);
    this.#tell({ kind: `${resource.group}/${resource.plural}`, key: keyOf(stored), now: stored });
    return stored;
  }

  #tell(change: Change): void {
    for (const watcher of this.#watchers) watcher(change);
  }
}

/** One client of a `MemoryServer`. With `lag` its caches show nothing new until `deliver`. */
export class MemoryCluster implements Cluster {
  readonly server: MemoryServer;
  readonly #caches = new Map<string, MemoryCache>();
  readonly #unwatch: () => void;
  readonly #pending: Change[] = [];
  lag = false;
  #isWatchLost = false;
  #closed = false;

  constructor(server: MemoryServer) {
    this.server = server;
    this.#unwatch = server.watch((change) => {
      if (this.#isWatchLost) return;
      this.#pending.push(change);
      if (!this.lag) this.deliver();
    });
  }

  /** Lets the caches catch up, by `count` changes or all. */
  deliver(count = Number.POSITIVE_INFINITY): void {
    for (let left = count; left > 0; left--) {
      const change = this.#pending.shift();
      if (change === undefined) return;
      for (const cache of this.#caches.values()) cache.apply(change);
    }
  }

  /** From now on nothing is heard, and what was under way is lost, until `relist`. */
  loseWatches(): void {
    this.#isWatchLost = true;
    this.#pending.length = 0;
  }

  /** Every cache lists anew, as after a watch that was too old to go on: it shows what is, and never what was between. */
  relist(): void {
    this.#isWatchLost = false;
    this.#pending.length = 0;
    for (const cache of this.#caches.values()) cache.relist(this.server.of(cache.resource));
  }

  async list<T extends KubeObject>(resource: ResourceRef<T>, options: ListOptions = {}) {
    await this.#enter({ verb: "list", plural: resource.plural, key: "" });
    const items = this.server
      .of(resource)
      .filter(({ metadata }) => options.namespace === undefined || metadata.namespace === options.namespace);
    return { items, resourceVersion: this.server.version };
  }

  async get<T extends KubeObject>(resource: ResourceRef<T>, name: ObjectName): Promise<T> {
    await this.#enter({ verb: "get", plural: resource.plural, key: keyFor(name) });
    return this.#present(resource, name);
  }

  async create<T extends KubeObject>(resource: ResourceRef<T>, object: T, _options?: WriteOptions): Promise<T> {
    const made = structuredClone(object);
    made.metadata.name ??= `${made.metadata.generateName ?? ""}${this.server.version}`;
    const operation: Operation = { verb: "create", plural: resource.plural, key: keyOf(made) };
    const lost = await this.#enter(operation);
    if (this.server.table(resource).has(keyOf(made))) {
      throw new Fault("already_exists", `${resource.plural} "${made.metadata.name}" already exists`);
    }
    return this.#answer(lost, this.#write(operation, resource, made, undefined));
  }

  async replace<T extends KubeObject>(resource: ResourceRef<T>, object: T, _options?: WriteOptions): Promise<T> {
    const operation: Operation = { verb: "replace", plural: resource.plural, key: keyOf(object) };
    const lost = await this.#enter(operation);
    const before = this.#present(resource, { name: object.metadata.name ?? "", namespace: object.metadata.namespace });
    checkVersion(before, object.metadata.resourceVersion);
    return this.#answer(lost, this.#write(operation, resource, object, before));
  }

  async patch<T extends KubeObject>(resource: ResourceRef<T>, name: ObjectName, patch: PatchRequest): Promise<T> {
    const { subresource, body } = patch;
    const operation: Operation = { verb: "patch", plural: resource.plural, key: keyFor(name), subresource, body };
    const lost = await this.#enter(operation);
    if (patch.kind !== "merge") throw new Fault("invalid", "this server knows merge patches only");
    const before = this.#present(resource, name);
    const after = merge(before, body) as T;
    checkVersion(before, (body as Partial<KubeObject>).metadata?.resourceVersion);
    const statusOf = (object: T) => (object as { status?: unknown }).status;
    if (subresource === "status") {
      const metadata = this.server.statusTakesAnnotations
        ? { ...before.metadata, annotations: after.metadata.annotations }
        : before.metadata;
      return this.#answer(
        lost,
        this.#write(operation, resource, { ...before, metadata, status: statusOf(after) }, before),
      );
    }
    return this.#answer(lost, this.#write(operation, resource, { ...after, status: statusOf(before) }, before));
  }

  async remove(resource: ResourceRef, name: ObjectName): Promise<void> {
    await this.#enter({ verb: "remove", plural: resource.plural, key: keyFor(name) });
    this.#present(resource, name);
    this.server.delete(resource, keyFor(name));
  }

  cache<T extends KubeObject>(resource: ResourceRef<T>, scope: { readonly namespace?: string } = {}): ObjectCache<T> {
    const id = `${resource.group}/${resource.plural} ${scope.namespace ?? ""}`;
    const known =
      this.#caches.get(id) ??
      new MemoryCache(resource, scope.namespace, this.server.of(resource), () => this.deliver());
    this.#caches.set(id, known);
    return known as unknown as ObjectCache<T>;
  }

  podLog(): Promise<string> {
    return Promise.resolve("");
  }

  version(): Promise<string> {
    return Promise.resolve("v1.36.2");
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    this.#pending.length = 0;
  }

  async #enter(operation: Operation): Promise<boolean> {
    // A request takes a turn: nothing answers in the same step as it was asked.
    await Promise.resolve();
    if (this.#closed) throw new Fault("unavailable", "the client was closed");
    const fault = this.server.fault(operation);
    if (fault instanceof Fault) throw fault;
    return fault === "lost";
  }

  #present<T extends KubeObject>(resource: ResourceRef<T>, name: ObjectName): T {
    const object = this.server.at(resource, keyFor(name));
    if (object === undefined) throw new Fault("not_found", `${resource.plural} "${name.name}" not found`);
    return object;
  }

  #write<T extends KubeObject>(operation: Operation, resource: ResourceRef<T>, object: T, before: T | undefined): T {
    const stored = this.server.store(resource, object, before) as T;
    if (stored !== before) this.server.writes.push(operation);
    return stored;
  }

  async #answer<T>(lost: boolean, reply: T): Promise<T> {
    await Promise.resolve();
    if (lost) throw new Fault("unavailable", "the connection was reset");
    return reply;
  }
}

class MemoryCache implements ObjectCache<KubeObject> {
  readonly resource: ResourceRef;
  readonly #kind: string;
  readonly #namespace: string | undefined;
  readonly #objects = new Map<string, KubeObject>();
  readonly #catchUp: () => void;
  readonly #listeners = new Set<(key: string, now?: KubeObject, before?: KubeObject) => void>();
  readonly synced = true;
  readonly health = { connected: true, lastSeen: 0, forbidden: false };

  constructor(
    resource: ResourceRef,
    namespace: string | undefined,
    objects: readonly KubeObject[],
    catchUp: () => void,
  ) {
    this.#catchUp = catchUp;
    this.resource = resource;
    this.#kind = `${resource.group}/${resource.plural}`;
    this.#namespace = namespace;
    for (const object of objects) if (this.#inScope(object)) this.#objects.set(keyOf(object), object);
  }

  apply({ kind, key, now }: Change): void {
    if (kind !== this.#kind || (now !== undefined && !this.#inScope(now))) return;
    const before = this.#objects.get(key);
    if (now === undefined ? before === undefined : before !== undefined && !later(now, before)) return;
    if (now === undefined) this.#objects.delete(key);
    else this.#objects.set(key, now);
    for (const listener of this.#listeners) listener(key, now, before);
  }

  relist(objects: readonly KubeObject[]): void {
    const before = new Map(this.#objects);
    this.#objects.clear();
    for (const object of objects) if (this.#inScope(object)) this.#objects.set(keyOf(object), object);
    for (const key of new Set([...this.#objects.keys(), ...before.keys()])) {
      const [now, then] = [this.#objects.get(key), before.get(key)];
      if (now !== then) for (const listener of this.#listeners) listener(key, now, then);
    }
  }

  whenSynced(): Promise<void> {
    return Promise.resolve();
  }

  async listedSince(since: number): Promise<void> {
    if (since !== Number.NEGATIVE_INFINITY) this.#catchUp();
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  list(): readonly KubeObject[] {
    return [...this.#objects.values()];
  }

  onChange(listener: (key: string, now?: KubeObject, before?: KubeObject) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
  }

  #inScope({ metadata }: KubeObject): boolean {
    return this.#namespace === undefined || metadata.namespace === this.#namespace;
  }
}

function later(a: KubeObject, b: KubeObject): boolean {
  return Number(a.metadata.resourceVersion) > Number(b.metadata.resourceVersion);
}

function keyFor({ namespace, name }: ObjectName): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function checkVersion(object: KubeObject, version: string | undefined): void {
  if (version === undefined || version === object.metadata.resourceVersion) return;
  throw new Fault(
    "conflict",
    "the object has been modified; please apply your changes to the latest version and try again",
  );
}

/** RFC 7396. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return structuredClone(patch);
  const merged: Record<string, unknown> =
    typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else if (value !== undefined) merged[key] = merge(merged[key], value);
  }
  return merged;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]),
  );
}

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) freeze(inner);
}
