import { serviceOfReport } from "#api/facts";
import type { OwnerReference } from "#api/kubernetes/objects";
import type { ServiceL2Status } from "#api/metallb";
import { LABEL } from "#api/names";
import { byAge, keyOf, SERVICE_L2_STATUSES } from "#api/resources";
import { Fault } from "#core/errors";
import type { Cluster, ObjectCache } from "#kube/port";
import { Grouping } from "#runtime/grouping";
import type { Log } from "#runtime/log";
import { runLoop } from "#runtime/loop";
import { WorkQueue, type WorkQueueOptions } from "#runtime/work-queue";

interface L2StatusDeps {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly node: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly owners: () => readonly OwnerReference[];
  /** What this node announces for a Service now: names of the interfaces (null: all), or undefined for nothing. */
  readonly announced: (key: string) => { readonly interfaces: readonly string[] | null } | undefined;
  readonly queue?: WorkQueueOptions;
}

/**
 * Keeps the ServiceL2Status objects true (metallb.md 1.6): one per announced
 * Service, made by the node that announces it, which also removes everybody
 * else's and its own duplicates; a node that stopped removes only its own.
 */
export class L2StatusWriter {
  readonly #deps: L2StatusDeps;
  readonly #queue: WorkQueue;
  readonly #cache: ObjectCache<ServiceL2Status>;
  readonly #reports = new Grouping<ServiceL2Status>(serviceOfReport);
  /** Objects we made that the cache may not show yet, by Service. */
  readonly #made = new Map<string, ServiceL2Status>();

  constructor(deps: L2StatusDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue(deps.queue);
    this.#cache = deps.cluster.cache(SERVICE_L2_STATUSES, { namespace: deps.namespace });
    for (const object of this.#cache.list()) this.#reports.change(keyOf(object), object, undefined);
    this.#cache.onChange((key, now, before) => {
      if (now === undefined) this.#unmake(key);
      for (const service of this.#reports.change(key, now, before)) this.#queue.add(service);
    });
  }

  whenSynced(signal: AbortSignal): Promise<void> {
    return this.#cache.whenSynced(signal);
  }

  /** Looks at the Service as soon as possible. */
  touch(key: string): void {
    this.#queue.add(key);
  }

  /** Looks at every Service of which anything is published, and at `keys`, trusting only what the server shows. */
  resync(keys: readonly string[]): void {
    this.#made.clear();
    for (const key of [...keys, ...this.claimed()]) this.#queue.add(key);
  }

  /** Services that an object says this node announces, whether or not it is true. */
  claimed(): readonly string[] {
    return this.#cache.list().flatMap((object) => (this.#isMine(object) ? (serviceOfReport(object) ?? []) : []));
  }

  run(): Promise<void> {
    for (const key of this.claimed()) this.#queue.add(key);
    return runLoop(this.#queue, (key) => this.#reconcile(key), {
      log: this.#deps.log,
      signal: this.#deps.signal,
      workers: 4,
    });
  }

  /** Removes what this node published: for the shutdown, after the queue has ended. Never throws. */
  async removeMine(): Promise<void> {
    const mine = [...this.#cache.list().filter((object) => this.#isMine(object)), ...this.#made.values()];
    await Promise.allSettled(mine.map((object) => this.#remove(object)));
  }

  async #reconcile(key: string): Promise<Record<string, never>> {
    const shown = this.#reports.of(key);
    const made = this.#made.get(key);
    if (made !== undefined && this.#cache.get(keyOf(made)) !== undefined) this.#made.delete(key);
    const all = made === undefined || shown.some((object) => keyOf(object) === keyOf(made)) ? shown : [...shown, made];
    const [own, ...duplicates] = all.filter((object) => this.#isMine(object)).toSorted(byAge);
    const announced = this.#deps.announced(key);
    if (announced === undefined) {
      for (const object of [own, ...duplicates]) if (object !== undefined) await this.#forget(key, object);
      return {};
    }
    const current = own ?? (await this.#create(key));
    await this.#writeStatus(key, current, announced.interfaces);
    for (const object of [...duplicates, ...all.filter((object) => !this.#isMine(object))]) await this.#remove(object);
    return {};
  }

  async #create(key: string): Promise<ServiceL2Status> {
    const [serviceNamespace = "", serviceName = ""] = key.split("/");
    const { cluster, namespace, node, owners } = this.#deps;
    const made = await cluster.create(SERVICE_L2_STATUSES, {
      metadata: {
        generateName: "l2-",
        namespace,
        labels: { [LABEL.node]: node, [LABEL.serviceName]: serviceName, [LABEL.serviceNamespace]: serviceNamespace },
        ownerReferences: [...owners()],
      },
      spec: {},
    });
    this.#made.set(key, made);
    return made;
  }

  async #writeStatus(key: string, object: ServiceL2Status, interfaces: readonly string[] | null): Promise<void> {
    const [serviceNamespace = "", serviceName = ""] = key.split("/");
    const wanted = interfaces?.map((name) => ({ name }));
    const { node, serviceName: name, serviceNamespace: namespace, interfaces: written } = object.status ?? {};
    const same = node === this.#deps.node && name === serviceName && namespace === serviceNamespace;
    if (same && JSON.stringify(written) === JSON.stringify(wanted)) return;
    const status = { node: this.#deps.node, serviceName, serviceNamespace, interfaces: wanted ?? null };
    try {
      const updated = await this.#deps.cluster.patch(SERVICE_L2_STATUSES, nameOf(object), {
        kind: "merge",
        body: { status },
        subresource: "status",
      });
      if (this.#made.has(key)) this.#made.set(key, updated);
    } catch (thrown) {
      if (!isGone(thrown)) throw thrown;
      // Somebody removed it meanwhile; the cache will say so, and then it is made anew.
      this.#made.delete(key);
      this.#queue.addAfter(key, 100);
    }
  }

  async #forget(key: string, object: ServiceL2Status): Promise<void> {
    await this.#remove(object);
    if (this.#made.get(key)?.metadata.name === object.metadata.name) this.#made.delete(key);
  }

  async #remove(object: ServiceL2Status): Promise<void> {
    try {
      await this.#deps.cluster.remove(SERVICE_L2_STATUSES, nameOf(object));
    } catch (thrown) {
      if (!isGone(thrown)) throw thrown;
    }
  }

  /** An object that came and went before we looked is no longer ours to count on: it is to be made anew. */
  #unmake(gone: string): void {
    for (const [service, made] of this.#made) {
      if (keyOf(made) !== gone) continue;
      this.#made.delete(service);
      this.#queue.add(service);
    }
  }

  #isMine(object: ServiceL2Status): boolean {
    return object.metadata.labels?.[LABEL.node] === this.#deps.node;
  }
}

function nameOf({ metadata }: ServiceL2Status): { readonly name: string; readonly namespace: string | undefined } {
  return { name: metadata.name ?? "", namespace: metadata.namespace };
}

function isGone(thrown: unknown): boolean {
  return thrown instanceof Fault && thrown.code === "not_found";
}
