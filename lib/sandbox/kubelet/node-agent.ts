import { randomUUID } from "node:crypto";
import type { Lease, Node } from "#api/kubernetes/cluster";
import { LEASES, NODES } from "#api/resources";
import { Fault } from "#core/errors";
import { sleep } from "#runtime/clock";
import type { KubeletDeps } from "./deps.ts";
import { type NodeIdentity, nodeLabels, nodeObject, nodeStatus } from "./node-object.ts";

const RENEW_MS = 1_000;
const LEASE_SECONDS = 4;
/** An unchanged status is reported this often, as a kubelet does. */
const REPORT_MS = 300_000;

/** Registers a node, keeps its Lease fresh and its status true until the signal aborts. Never throws. */
export class NodeAgent {
  readonly #deps: KubeletDeps;
  readonly #identity: NodeIdentity;
  readonly #node: () => Node | undefined;
  readonly #bootId = randomUUID();
  #reportedAt = Number.NEGATIVE_INFINITY;

  /** `node` is the object as the cluster has it now. */
  constructor(deps: KubeletDeps, identity: NodeIdentity, node: () => Node | undefined) {
    this.#deps = deps;
    this.#identity = identity;
    this.#node = node;
  }

  async run(signal: AbortSignal, rebooted: boolean): Promise<void> {
    const { clock, events } = this.#deps;
    const subject = {
      kind: "Node",
      namespace: "default",
      name: this.#identity.name,
      uid: this.#identity.name,
    } as const;
    await this.#until(signal, "register", () => this.#register());
    if (signal.aborted) return;
    events.record(subject, "Normal", "Starting", "Starting kubelet.");
    if (rebooted) {
      events.record(subject, "Warning", "Rebooted", `Node ${subject.name} has been rebooted, boot id: ${this.#bootId}`);
    }
    await this.#until(signal, "status", () => this.#report());
    const turned = (what: string) =>
      events.record(subject, "Normal", what, `Node ${subject.name} status is now: ${what}`);
    if (!signal.aborted) {
      for (const what of ["NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID", "NodeReady"]) {
        turned(what);
      }
    }
    let cordoned = this.#node()?.spec?.unschedulable === true;
    while (!signal.aborted) {
      try {
        await this.#renew();
        if (this.#outdated()) await this.#report();
        const now = this.#node()?.spec?.unschedulable === true;
        if (now !== cordoned) turned(now ? "NodeNotSchedulable" : "NodeSchedulable");
        cordoned = now;
      } catch (error) {
        const fault = Fault.from(error);
        this.#deps.log.warn("node heartbeat failed", { error: fault.message });
        if (fault.code === "not_found") await this.#register().catch(() => undefined);
      }
      await sleep(clock, RENEW_MS, signal).catch(() => undefined);
    }
  }

  async #until(signal: AbortSignal, what: string, run: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      try {
        await run();
        return;
      } catch (error) {
        this.#deps.log.warn(`node ${what} failed`, { error: Fault.from(error).message });
      }
      await sleep(this.#deps.clock, 300, signal).catch(() => undefined);
    }
  }

  async #register(): Promise<void> {
    const { objects } = this.#deps;
    const { name } = this.#identity;
    const body = nodeObject(this.#identity);
    try {
      await objects.create(NODES, body);
      this.#reportedAt = Number.NEGATIVE_INFINITY;
    } catch (error) {
      if (Fault.from(error).code !== "already_exists") throw error;
      const known = this.#node();
      const labels = nodeLabels(this.#identity);
      const same = Object.entries(labels).every(([key, value]) => known?.metadata.labels?.[key] === value);
      if (same && known?.spec?.podCIDR === body.spec?.podCIDR) return;
      await objects.patch(NODES, { name }, { kind: "merge", body: { metadata: { labels }, spec: body.spec } });
    }
  }

  /** The node's life cycle controller writes `Unknown` over a silent node; a kubelet that is back takes it back. */
  #outdated(): boolean {
    const ready = this.#node()?.status?.conditions?.find(({ type }) => type === "Ready")?.status;
    const sinceMs = this.#deps.clock.monotonic() - this.#reportedAt;
    return sinceMs > REPORT_MS || (ready !== "True" && sinceMs > RENEW_MS);
  }

  async #report(): Promise<void> {
    const { objects, clock, dataDir } = this.#deps;
    const before = this.#node()?.status?.conditions ?? [];
    const status = await nodeStatus(this.#identity, { clock, dataDir, before, bootId: this.#bootId });
    const name = { name: this.#identity.name };
    await objects.patch(NODES, name, { kind: "merge", subresource: "status", body: { status } });
    this.#reportedAt = clock.monotonic();
  }

  async #renew(): Promise<void> {
    const { objects, clock } = this.#deps;
    const { name } = this.#identity;
    // MicroTime
    const renewTime = new Date(clock.now()).toISOString().replace("Z", "000Z");
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime };
    const at = { namespace: "kube-node-lease", name };
    try {
      await objects.patch(LEASES, at, { kind: "merge", body: { spec } });
    } catch (error) {
      if (Fault.from(error).code !== "not_found") throw error;
      const uid = this.#node()?.metadata.uid;
      const owner = uid === undefined ? [] : [{ apiVersion: "v1", kind: "Node", name, uid }];
      const lease: Lease = {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: { ...at, ownerReferences: owner },
        spec,
      };
      await objects.create(LEASES, lease).catch((created) => {
        if (Fault.from(created).code !== "already_exists") throw created;
      });
    }
  }
}
