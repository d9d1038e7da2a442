import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeObject } from "#api/kubernetes/objects";
import type { Pod } from "#api/kubernetes/pods";
import { keyOf, LEASES, NODES, PODS, type ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { bootstrap } from "#sandbox/apiserver/bootstrap";
import { Catalog } from "#sandbox/apiserver/catalog";
import { evictPod } from "#sandbox/apiserver/eviction";
import { LocalObjects } from "#sandbox/apiserver/local";
import { Webhooks } from "#sandbox/apiserver/webhooks/driver";
import { type Controllers, type ControllersOptions, startControllers } from "#sandbox/controllers/start";
import { builtinKinds } from "#sandbox/kinds/registry";
import { openStore } from "#sandbox/store/sqlite";

/** A cluster in this process: the real API engine and controllers, and kubelets that only say that pods run. */
export interface Rig {
  readonly objects: LocalObjects;
  readonly controllers: Controllers;
  /** Adds a ready node whose Lease is renewed until `silence`. */
  addNode(name: string, labels?: Readonly<Record<string, string>>): Promise<void>;
  /** The node's kubelet stops: no Lease, no pod status. */
  silence(name: string): void;
  /** The kubelet is back: its Lease first. */
  wake(name: string): Promise<void>;
  /** Pods that stay Pending when their name or image contains this. */
  holdBack(part: string | null): void;
  apply<T extends KubeObject>(resource: ResourceRef<T>, object: object): Promise<T>;
  /** The Eviction API for a pod of namespace default; rejects as the server would. */
  evict(name: string, body?: object): void;
  close(): Promise<void>;
}

export async function startRig(
  options: Partial<ControllersOptions> & { readonly leases?: boolean } = {},
): Promise<Rig> {
  const directory = mkdtempSync(join(tmpdir(), "berth-controllers-"));
  const store = openStore({ path: join(directory, "store.sqlite"), log: silentLog });
  const engine = { store, catalog: new Catalog(builtinKinds(), store), clock: systemClock };
  bootstrap(engine, { port: 16_443, log: silentLog });
  await store.durable();
  const objects = new LocalObjects(engine, new Webhooks(engine, silentLog), silentLog);
  const rig = await startCluster(objects, options);
  const pods = engine.catalog.find("", "v1", "pods");
  if (pods === undefined) throw new Error("no pods");
  return {
    ...rig,
    evict: (name, body = {}) => void evictPod(engine, { resource: pods, namespace: "default", name }, body, false),
    async close() {
      await rig.close();
      objects.close();
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The same controllers and kubelets over an API that is there already. */
export async function startCluster(
  objects: LocalObjects,
  options: Partial<ControllersOptions> = {},
): Promise<Omit<Rig, "evict">> {
  const controllers = await startControllers(objects, { clock: systemClock, log: silentLog, ca: "PEM", ...options });
  const silent = new Set<string>();
  let held: string | null = null;
  let address = 10;
  const pods = objects.cache(PODS);

  const tend = async (pod: Pod): Promise<void> => {
    const { name = "", namespace } = pod.metadata;
    const node = pod.spec?.nodeName;
    if (node === undefined || silent.has(node)) return;
    if (pod.metadata.deletionTimestamp !== undefined) {
      await objects.remove(PODS, { name, namespace }, { gracePeriodSeconds: 0 });
      return;
    }
    if (
      pod.status?.podIP !== undefined ||
      (held !== null && `${name} ${pod.spec?.containers[0]?.image}`.includes(held))
    )
      return;
    address += 1;
    const podIP = `10.244.0.${address}`;
    const now = new Date().toISOString();
    const conditions = ["Initialized", "Ready", "ContainersReady"].map((type) => ({
      type,
      status: "True",
      lastTransitionTime: now,
    }));
    const status = { phase: "Running", podIP, podIPs: [{ ip: podIP }], conditions };
    await objects.patch(PODS, { name, namespace }, { kind: "strategic", body: { status }, subresource: "status" });
  };
  const visit = (pod: Pod | undefined) => {
    if (pod === undefined) return;
    tend(pod).catch((thrown: unknown) => {
      const { code } = Fault.from(thrown);
      if (code !== "not_found" && code !== "conflict") throw thrown;
    });
  };
  pods.onChange((_key, now) => visit(now));

  const nodes: string[] = [];
  const renew = async (): Promise<void> => {
    for (const name of nodes.filter((one) => !silent.has(one))) {
      const body = { spec: { renewTime: new Date().toISOString() } };
      await objects.patch(LEASES, { name, namespace: "kube-node-lease" }, { kind: "merge", body });
    }
  };
  const timer = setInterval(() => void renew().catch(() => undefined), 50);

  const apply: Rig["apply"] = (resource, object) => {
    const { group, version, kind } = resource;
    const apiVersion = group === "" ? version : `${group}/${version}`;
    return objects.create(resource, { apiVersion, kind, ...object } as never);
  };

  return {
    objects,
    controllers,
    apply,
    async addNode(name, labels = {}) {
      const now = new Date().toISOString();
      const conditions = [{ type: "Ready", status: "True", lastHeartbeatTime: now, lastTransitionTime: now }];
      await apply(NODES, {
        metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
        status: { conditions },
      });
      await apply(LEASES, { metadata: { name, namespace: "kube-node-lease" }, spec: { holderIdentity: name } });
      nodes.push(name);
    },
    silence: (name) => void silent.add(name),
    async wake(name) {
      silent.delete(name);
      await renew();
      const now = new Date().toISOString();
      const conditions = [{ type: "Ready", status: "True", lastHeartbeatTime: now, lastTransitionTime: now }];
      await objects.patch(
        NODES,
        { name },
        { kind: "strategic", body: { status: { conditions } }, subresource: "status" },
      );
    },
    holdBack(part) {
      held = part;
      for (const pod of pods.list()) visit(pod);
    },
    async close() {
      clearInterval(timer);
      await controllers.close();
    },
  };
}

/** Waits until `check` gives something, at most forty seconds; the last failure tells what was missing. */
export async function eventually<T>(what: string, check: () => T | undefined | false | null): Promise<T> {
  const end = performance.now() + 40_000;
  for (;;) {
    const found = check();
    if (found !== undefined && found !== false && found !== null) return found;
    if (performance.now() > end) throw new Error(`did not happen within 40 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const podsOf = (rig: Rig, app: string): readonly Pod[] =>
  rig.objects
    .cache(PODS)
    .list()
    .filter((pod) => pod.metadata.labels?.app === app);

export const nodesOf = (pods: readonly Pod[]): readonly string[] => pods.map((pod) => pod.spec?.nodeName ?? "").sort();

export const keysOf = (objects: readonly KubeObject[]): readonly string[] => objects.map(keyOf).sort();
