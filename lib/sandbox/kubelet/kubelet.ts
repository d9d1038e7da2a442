import type { Node } from "#api/kubernetes/cluster";
import type { Pod } from "#api/kubernetes/pods";
import { Fault } from "#core/errors";
import type { KubeletDeps } from "./deps.ts";
import { NodeAgent } from "./node-agent.ts";
import type { NodeIdentity } from "./node-object.ts";
import { PodWorker } from "./pod-worker.ts";

const RESYNC_MS = 5_000;

/** What a kubelet sees of the cluster: caches that its process shares among all nodes. */
interface KubeletView {
  readonly pods: () => readonly Pod[];
  readonly node: () => Node | undefined;
}

/** One node's kubelet: runs the pods bound to it, keeps Node and Lease. Power off and on is a crash and a boot. */
export class Kubelet {
  readonly identity: NodeIdentity;
  readonly #deps: KubeletDeps;
  readonly #view: KubeletView;
  readonly #workers = new Map<string, PodWorker>();
  /** Pods that are being ended because their object is gone. */
  readonly #leaving = new Set<Promise<void>>();
  #power: AbortController | null = null;
  #booted = false;
  #cancelResync: () => void = () => undefined;

  constructor(deps: KubeletDeps, identity: NodeIdentity, view: KubeletView) {
    this.#deps = deps;
    this.identity = identity;
    this.#view = view;
  }

  get on(): boolean {
    return this.#power !== null;
  }

  /** Boots the node: registers it and starts every pod bound to it. Idempotent. */
  powerOn(): void {
    if (this.#power !== null) return;
    const power = new AbortController();
    this.#power = power;
    const agent = new NodeAgent(this.#deps, this.identity, this.#view.node);
    void agent.run(power.signal, this.#booted);
    this.#booted = true;
    for (const pod of this.#own()) {
      // Adopt every address before the first new one is given.
      if (pod.spec?.hostNetwork !== true && pod.status?.podIP !== undefined) {
        this.#deps.addresses.adopt(pod.metadata.uid ?? "", pod.status.podIP);
      }
    }
    for (const pod of this.#own()) this.#take(pod);
    this.#scheduleResync();
  }

  /** The machine is gone: every process ends at once, nothing is reported, the Lease goes stale. */
  async powerOff(): Promise<void> {
    if (this.#power === null) return;
    this.#power.abort();
    this.#power = null;
    this.#cancelResync();
    const workers = [...this.#workers.values()];
    this.#workers.clear();
    await Promise.all(workers.map((worker) => worker.cut()));
  }

  /** A pod changed (`now` undefined: it is gone). Pods of other nodes are ignored. */
  podChanged(now: Pod | undefined, before: Pod | undefined): void {
    const goneUid = before?.metadata.uid;
    if (this.#power === null) {
      if (goneUid !== undefined && now?.metadata.uid !== goneUid) this.#deps.addresses.release(goneUid);
      return;
    }
    if (goneUid !== undefined && now?.metadata.uid !== goneUid) this.#drop(goneUid);
    if (now === undefined || now.spec?.nodeName !== this.identity.name) return;
    this.#take(now);
  }

  /** A ConfigMap or Secret of that name changed. */
  configurationChanged(namespace: string, name: string): void {
    for (const worker of this.#workers.values()) {
      if (worker.pod.namespace === namespace && mentions(worker, name)) worker.configurationChanged();
    }
  }

  /** The system stops: containers end gracefully within `graceMs`; the cluster keeps showing them as running. */
  async shutdown(graceMs: number): Promise<void> {
    this.#power?.abort();
    this.#power = null;
    this.#cancelResync();
    const workers = [...this.#workers.values()];
    this.#workers.clear();
    await Promise.all([...workers.map((worker) => worker.shutdown(graceMs)), ...this.#leaving]);
  }

  #own(): readonly Pod[] {
    return this.#view.pods().filter((pod) => pod.spec?.nodeName === this.identity.name);
  }

  #take(pod: Pod): void {
    const { uid } = pod.metadata;
    if (uid === undefined) return;
    const worker = this.#workers.get(uid);
    try {
      if (worker === undefined) this.#workers.set(uid, new PodWorker(this.#deps, pod));
      else worker.update(pod);
    } catch (error) {
      this.#deps.log.error("pod not taken", { pod: pod.metadata.name, error: Fault.from(error).message });
    }
  }

  #drop(uid: string): void {
    const worker = this.#workers.get(uid);
    if (worker === undefined) return;
    this.#workers.delete(uid);
    const leaving = worker.discard().finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  /** What a missed event would have told. */
  #scheduleResync(): void {
    this.#cancelResync = this.#deps.clock.schedule(RESYNC_MS, () => {
      const present = new Set<string>();
      for (const pod of this.#own()) {
        present.add(pod.metadata.uid ?? "");
        this.#take(pod);
      }
      for (const [uid, worker] of this.#workers) {
        if (present.has(uid)) worker.resync();
        else this.#drop(uid);
      }
      this.#scheduleResync();
    });
  }
}

/** Whether a volume of the pod may show the object of that name; a name too many costs nothing. */
function mentions(worker: PodWorker, name: string): boolean {
  return JSON.stringify(worker.pod.volumes).includes(JSON.stringify(name));
}
