import type { KubeObject } from "#api/kubernetes/objects";
import { apiVersionOf, LEASES, type ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import type {
  Cluster,
  DeleteOptions,
  Election,
  ListOptions,
  ObjectName,
  PatchRequest,
  Term,
  WriteOptions,
} from "#kube/port";
import type { EventRecorder } from "./events.ts";

/** How long a graceful end waits for writes under way before it keeps the Lease to its natural end. */
const SETTLE_MS = 1500;

/** For a controller that is the only one by other means: it leads for as long as it lives. */
const ALONE: Term = {
  since: Number.NEGATIVE_INFINITY,
  signal: new AbortController().signal,
  holds: () => true,
  release: () => Promise.resolve(),
};

/**
 * Leads whenever it may, until the signal aborts: `work` is run for each term with a cluster that writes only while
 * the term holds, and with a signal that ends with the term or the process, whichever is first. Between two terms
 * nothing is remembered. At a graceful end the Lease is released once no write is under way, so that a successor
 * can begin at once and meets none of them.
 */
export async function leadInTerms(
  given: { readonly cluster: Cluster; readonly election?: Election | undefined; readonly signal: AbortSignal },
  work: (leading: { readonly cluster: Cluster; readonly term: Term; readonly signal: AbortSignal }) => Promise<void>,
): Promise<void> {
  const { cluster, election, signal } = given;
  while (!signal.aborted) {
    const term = election === undefined ? ALONE : await election.campaign(signal);
    const fenced = new FencedCluster(cluster, term);
    try {
      await work({ cluster: fenced, term, signal: AbortSignal.any([signal, term.signal]) });
    } catch (thrown) {
      if (!term.signal.aborted && !signal.aborted) throw thrown;
    }
    if (election !== undefined && (await fenced.settled(SETTLE_MS))) await term.release();
  }
}

/** The Event that Kubernetes' own components write on their Lease. */
export function sayWhoLeads(
  events: EventRecorder,
  given: {
    readonly election?: Election | undefined;
    readonly namespace: string;
    readonly podName: string;
  },
): void {
  const { election, namespace, podName } = given;
  if (election === undefined) return;
  const lease = { apiVersion: apiVersionOf(LEASES), kind: LEASES.kind, metadata: { name: election.name, namespace } };
  events.emit(lease, "Normal", "LeaderElection", `${podName || "controller"} became leader`);
}

type Fence = Required<Pick<WriteOptions, "mayStart" | "signal">>;

/**
 * A cluster whose writes end with a term: none is sent after it, and those under way are broken off by its signal.
 * What has left by then and lands all the same carries the resourceVersion it was decided on.
 */
class FencedCluster implements Cluster {
  readonly #cluster: Cluster;
  readonly #term: Term;
  readonly #fence: Fence;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(cluster: Cluster, term: Term) {
    this.#cluster = cluster;
    this.#term = term;
    this.#fence = { mayStart: () => term.holds(), signal: term.signal };
  }

  create<T extends KubeObject>(resource: ResourceRef<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.#write((fence) => this.#cluster.create(resource, object, { ...options, ...fence }));
  }

  replace<T extends KubeObject>(resource: ResourceRef<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.#write((fence) => this.#cluster.replace(resource, object, { ...options, ...fence }));
  }

  patch<T extends KubeObject>(resource: ResourceRef<T>, name: ObjectName, patch: PatchRequest): Promise<T> {
    return this.#write((fence) => this.#cluster.patch(resource, name, { ...patch, ...fence }));
  }

  remove(resource: ResourceRef, name: ObjectName, options: DeleteOptions = {}): Promise<void> {
    return this.#write((fence) => this.#cluster.remove(resource, name, { ...options, ...fence }));
  }

  list<T extends KubeObject>(resource: ResourceRef<T>, options?: ListOptions) {
    return this.#cluster.list(resource, options);
  }

  get<T extends KubeObject>(resource: ResourceRef<T>, name: ObjectName, signal?: AbortSignal): Promise<T> {
    return this.#cluster.get(resource, name, signal);
  }

  cache<T extends KubeObject>(resource: ResourceRef<T>, scope?: Parameters<Cluster["cache"]>[1]) {
    return this.#cluster.cache(resource, scope);
  }

  podLog(name: ObjectName, options?: Parameters<Cluster["podLog"]>[1]): Promise<string> {
    return this.#cluster.podLog(name, options);
  }

  version(signal?: AbortSignal): Promise<string> {
    return this.#cluster.version(signal);
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }

  /** True when every write under way came to its end within `ms`. */
  async settled(ms: number): Promise<boolean> {
    const done = Promise.allSettled(this.#underWay).then(() => true);
    const late = new Promise<false>((resolve) => {
      AbortSignal.timeout(ms).addEventListener("abort", () => resolve(false), { once: true });
    });
    return await Promise.race([done, late]);
  }

  async #write<T>(send: (fence: Fence) => Promise<T>): Promise<T> {
    if (!this.#term.holds()) {
      const cause = this.#term.signal.reason;
      throw new Fault("unavailable", "this replica no longer leads: not written", { cause });
    }
    const sent = send(this.#fence);
    this.#underWay.add(sent);
    try {
      return await sent;
    } finally {
      this.#underWay.delete(sent);
    }
  }
}
