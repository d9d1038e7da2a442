import type { KubeObject } from "#api/kubernetes/objects";
import { apiVersionOf, PODS, type ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import { type Clock, systemClock } from "#runtime/clock";
import { type Log, silentLog } from "#runtime/log";
import { type CacheTimings, ListWatchCache } from "./cache.ts";
import type { Connection } from "./connection.ts";
import { collectionPath, objectPath } from "./paths.ts";
import type {
  Cluster,
  DeleteOptions,
  ListOptions,
  ObjectCache,
  ObjectList,
  ObjectName,
  PatchKind,
  PatchRequest,
  WriteOptions,
} from "./port.ts";
import { SharedCache } from "./shared-cache.ts";
import { Transport } from "./transport.ts";

interface HttpClusterOptions {
  readonly connection: Connection;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Name in managedFields for writes that give none. */
  readonly fieldManager?: string;
  readonly timings?: CacheTimings;
  /**
   * Caches forget who wrote which field (metadata.managedFields): often more than half of an object. Not for those who
   * show objects to people.
   */
  readonly lean?: boolean;
}

interface RawList<T> {
  readonly items?: readonly T[] | null;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}

type Scope = { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string };

const PAGE_SIZE = "500";

const PATCH_TYPE: Readonly<Record<PatchKind, string>> = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  strategic: "application/strategic-merge-patch+json",
};

/** `Cluster` over HTTP. Objects stay the plain JSON they arrived as: fields nobody here knows survive a read and write. */
export class HttpCluster implements Cluster {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #fieldManager: string | undefined;
  readonly #timings: CacheTimings;
  readonly #lean: boolean;
  readonly #caches = new Map<string, { readonly cache: ListWatchCache<KubeObject>; users: number }>();
  #closed = false;

  constructor(options: HttpClusterOptions) {
    this.#transport = new Transport(options.connection);
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLog;
    this.#fieldManager = options.fieldManager;
    this.#timings = options.timings ?? {};
    this.#lean = options.lean ?? false;
  }

  list<T extends KubeObject>(resource: ResourceRef<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    return this.#list(resource, options, options.signal);
  }

  async get<T extends KubeObject>(resource: ResourceRef<T>, name: ObjectName, signal?: AbortSignal): Promise<T> {
    return this.#transport.json<T>({ method: "GET", path: objectPath(resource, name), signal });
  }

  async create<T extends KubeObject>(resource: ResourceRef<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const path = collectionPath(resource, object.metadata.namespace);
    return this.#write<T>("POST", path, complete(resource, object), options);
  }

  async replace<T extends KubeObject>(resource: ResourceRef<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const { name, namespace } = object.metadata;
    if (!name) throw new Fault("invalid", "an object without a name cannot be replaced");
    const path = objectPath(resource, { name, namespace }, options.subresource);
    return this.#write<T>("PUT", path, complete(resource, object), options);
  }

  async patch<T extends KubeObject>(resource: ResourceRef<T>, name: ObjectName, patch: PatchRequest): Promise<T> {
    const path = objectPath(resource, name, patch.subresource);
    return this.#write<T>("PATCH", path, patch.body, patch, PATCH_TYPE[patch.kind]);
  }

  async remove(resource: ResourceRef, name: ObjectName, options: DeleteOptions = {}): Promise<void> {
    const { propagation, resourceVersion, uid, gracePeriodSeconds, mayStart, signal } = options;
    const preconditions = {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    await this.#transport.text({
      method: "DELETE",
      path: objectPath(resource, name),
      mayStart,
      signal,
      body: {
        kind: "DeleteOptions",
        apiVersion: "v1",
        ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
        ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
        ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
      },
    });
  }

  cache<T extends KubeObject>(resource: ResourceRef<T>, scope: Scope = {}): ObjectCache<T> {
    const id = [collectionPath(resource, scope.namespace), scope.labelSelector ?? "", scope.fieldSelector ?? ""].join(
      "\n",
    );
    const entry = this.#caches.get(id) ?? { cache: this.#startCache(resource, scope), users: 0 };
    this.#caches.set(id, entry);
    entry.users += 1;
    // Only this resource's objects are ever stored under this id.
    return new SharedCache<T>(entry.cache as unknown as ListWatchCache<T>, () => {
      entry.users -= 1;
      if (entry.users > 0) return;
      entry.cache.close();
      this.#caches.delete(id);
    });
  }

  podLog(
    name: ObjectName,
    options: { tailLines?: number; container?: string; previous?: boolean; signal?: AbortSignal } = {},
  ): Promise<string> {
    return this.#transport.text({
      method: "GET",
      path: objectPath(PODS, name, "log"),
      accept: "*/*",
      query: {
        tailLines: options.tailLines === undefined ? undefined : String(options.tailLines),
        container: options.container,
        previous: options.previous === true ? "true" : undefined,
      },
      signal: options.signal,
    });
  }

  async version(signal?: AbortSignal): Promise<string> {
    const { gitVersion } = await this.#transport.json<{ gitVersion?: string }>({
      method: "GET",
      path: "/version",
      signal,
    });
    return gitVersion ?? "unknown";
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { cache } of this.#caches.values()) cache.close();
    this.#caches.clear();
    await this.#transport.close();
  }

  #startCache(resource: ResourceRef, scope: Scope): ListWatchCache<KubeObject> {
    const cache = new ListWatchCache<KubeObject>({
      name: resource.plural,
      clock: this.#clock,
      log: this.#log,
      timings: this.#timings,
      lean: this.#lean,
      source: {
        list: (signal) => this.#list(resource, scope, signal),
        watch: (resourceVersion, timeoutSeconds, signal) =>
          this.#transport.stream({
            method: "GET",
            path: collectionPath(resource, scope.namespace),
            query: {
              watch: "true",
              allowWatchBookmarks: "true",
              resourceVersion,
              timeoutSeconds: String(timeoutSeconds),
              labelSelector: scope.labelSelector,
              fieldSelector: scope.fieldSelector,
            },
            signal,
          }),
      },
    });
    if (this.#closed) cache.close();
    return cache;
  }

  async #list<T extends KubeObject>(
    resource: ResourceRef<T>,
    scope: Scope,
    signal: AbortSignal | undefined,
  ): Promise<ObjectList<T>> {
    try {
      return await this.#pages(resource, scope, signal, PAGE_SIZE);
    } catch (thrown) {
      // The list was compacted away between two pages: take it in one.
      if (!(thrown instanceof Fault) || thrown.code !== "gone") throw thrown;
      return this.#pages(resource, scope, signal, undefined);
    }
  }

  async #pages<T extends KubeObject>(
    resource: ResourceRef<T>,
    scope: Scope,
    signal: AbortSignal | undefined,
    limit: string | undefined,
  ): Promise<ObjectList<T>> {
    const items: T[] = [];
    let page: string | undefined;
    let resourceVersion = "";
    do {
      const raw: RawList<T> = await this.#transport.json<RawList<T>>({
        method: "GET",
        path: collectionPath(resource, scope.namespace),
        query: { limit, continue: page, labelSelector: scope.labelSelector, fieldSelector: scope.fieldSelector },
        signal,
      });
      // A server leaves kind and apiVersion out of list items, and puts them into watch events.
      for (const item of raw.items ?? []) items.push(complete(resource, item));
      page = raw.metadata?.continue || undefined;
      resourceVersion = raw.metadata?.resourceVersion ?? "";
    } while (page !== undefined);
    return { items, resourceVersion };
  }

  #write<T>(
    method: "POST" | "PUT" | "PATCH",
    path: string,
    body: unknown,
    options: WriteOptions,
    contentType = "application/json",
  ): Promise<T> {
    return this.#transport.json<T>({
      method,
      path,
      body,
      contentType,
      query: {
        dryRun: options.dryRun === true ? "All" : undefined,
        fieldManager: options.fieldManager ?? this.#fieldManager,
      },
      mayStart: options.mayStart,
      signal: options.signal,
    });
  }
}

function complete<T extends KubeObject>(resource: ResourceRef<T>, object: T): T {
  if (object.kind !== undefined && object.apiVersion !== undefined) return object;
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object };
}
