import type { KubeObject, OwnerReference } from "#api/kubernetes/objects";
import type { ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import type { Cluster, ObjectCache } from "#kube/port";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import { runLoop } from "#runtime/loop";
import { WorkQueue } from "#runtime/work-queue";

/** Permissions and kinds may come later. */
const REFUSED_RETRY_MS = 5000;

/** One object that only this process writes: made when it is absent, then its status kept as `render` says. */
export class PublishedObject<T extends KubeObject & { status?: unknown }> {
  readonly #options: PublishedOptions<T>;
  readonly #queue: WorkQueue;
  readonly #cache: ObjectCache<T>;
  readonly #key: string;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #dirty = true;

  constructor(options: PublishedOptions<T>) {
    this.#options = options;
    const { cluster, resource, namespace, name, clock } = options;
    this.#queue = new WorkQueue({ clock });
    this.#key = `${namespace}/${name}`;
    this.#cache = cluster.cache(resource, { namespace, fieldSelector: `metadata.name=${name}` });
    this.#cache.onChange((key, now) => {
      if (key !== this.#key) return;
      if (now === undefined) this.touch();
      else options.onObject?.(now);
    });
  }

  get #current(): T | undefined {
    return this.#cache.get(this.#key);
  }

  /** Writes soon: what `render` says may have changed, or the object is gone. */
  touch(): void {
    this.#dirty = true;
    this.#queue.add(this.#key);
  }

  /** Publishes until the signal aborts; never rejects. */
  async run(): Promise<void> {
    const { log, signal } = this.#options;
    await this.#cache.whenSynced(signal).catch(() => undefined);
    const known = this.#current;
    if (known !== undefined) this.#options.onObject?.(known);
    this.touch();
    await runLoop(this.#queue, () => this.#reconcile(), { log, signal });
  }

  /** One last write, for the shutdown. Never throws. */
  async flush(): Promise<void> {
    await this.#write().catch(() => undefined);
  }

  async #reconcile(): Promise<{ readonly requeueAfterMs?: number }> {
    const { clock, log, minIntervalMs, refreshMs } = this.#options;
    const sinceMs = clock.monotonic() - this.#writtenAt;
    if (this.#dirty && sinceMs < minIntervalMs) return { requeueAfterMs: minIntervalMs - sinceMs };
    try {
      if (this.#dirty || (refreshMs !== null && sinceMs >= refreshMs)) await this.#write();
    } catch (thrown) {
      const fault = Fault.from(thrown);
      if (fault.retryable) throw fault;
      log.warn("not published", { object: this.#key, code: fault.code, error: fault.message });
      return { requeueAfterMs: REFUSED_RETRY_MS };
    }
    return refreshMs === null ? {} : { requeueAfterMs: refreshMs };
  }

  async #write(): Promise<void> {
    const { cluster, resource, namespace, name, clock, render } = this.#options;
    this.#dirty = false;
    this.#writtenAt = clock.monotonic();
    try {
      const current = this.#current ?? (await this.#create());
      await this.#own(current);
      const status = render(current.status as T["status"]);
      if (status === null) return;
      await cluster.patch(resource, { name, namespace }, { kind: "merge", body: { status }, subresource: "status" });
    } catch (thrown) {
      this.#dirty = true;
      // Removed behind the cache's back: the next attempt makes it anew.
      if (thrown instanceof Fault && thrown.code === "not_found")
        throw new Fault("conflict", thrown.message, { cause: thrown });
      throw thrown;
    }
  }

  async #create(): Promise<T> {
    const { cluster, resource, namespace, name, labels, owners } = this.#options;
    const metadata = { name, namespace, labels, ownerReferences: [...owners()] };
    try {
      return await cluster.create(resource, { metadata, spec: {} } as unknown as T);
    } catch (thrown) {
      if (!(thrown instanceof Fault) || thrown.code !== "already_exists") throw thrown;
      return cluster.get(resource, { name, namespace });
    }
  }

  /** An object left by an earlier pod of this node would be collected with that pod. */
  async #own(current: T): Promise<void> {
    const { cluster, resource, namespace, name, owners } = this.#options;
    const [owner] = owners();
    const owned = (current.metadata.ownerReferences ?? []).some(({ uid }) => uid === owner?.uid);
    if (owner === undefined || owned) return;
    const body = { metadata: { ownerReferences: [owner] } };
    await cluster.patch(resource, { name, namespace }, { kind: "merge", body });
  }
}

interface PublishedOptions<T extends KubeObject & { status?: unknown }> {
  readonly cluster: Cluster;
  readonly resource: ResourceRef<T>;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owners: () => readonly OwnerReference[];
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Two writes are at least so far apart. */
  readonly minIntervalMs: number;
  /** Written again after so long without a change; null for never. */
  readonly refreshMs: number | null;
  /** The whole status, given the one that is there; null to leave that as it is. */
  readonly render: (current: T["status"]) => Readonly<Record<string, unknown>> | null;
  /** Called with every state of the object that the server shows. */
  readonly onObject?: (object: T) => void;
}
