import type { Node } from "#api/kubernetes/cluster";
import type { KubeObject } from "#api/kubernetes/objects";
import type { Pod } from "#api/kubernetes/pods";
import type { EndpointSlice, Service } from "#api/kubernetes/services";
import type { IPAddressPool, L2Advertisement, ServiceL2Status, SpeakerState } from "#api/metallb";
import { NAMESPACE } from "#api/names";
import type { ProbeCommand, ProbeMessage } from "#api/probe";
import {
  CRDS,
  DAEMON_SETS,
  DEPLOYMENTS,
  IP_ADDRESS_POOLS,
  L2_ADVERTISEMENTS,
  NAMESPACES,
  NODES,
  PODS,
  SERVICE_L2_STATUSES,
  SERVICES,
  SPEAKER_STATES,
} from "#api/resources";
import type { Cluster } from "#kube/port";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import type { Manifests, Prober, ServerContext } from "#server/context";
import type { Facts } from "#server/view";
import { MemoryCluster } from "./memory-cluster.ts";

export const macOf = (node: string) => `02:be:77:00:00:1${node.slice(-1)}`;
export const NODE_NAMES = ["node-01", "node-02", "node-03"] as const;

export function node(name: string): Node {
  return {
    metadata: { name, labels: { "kubernetes.io/hostname": name } },
    status: {
      addresses: [{ type: "InternalIP", address: `127.77.0.1${name.slice(-1)}` }],
      conditions: [{ type: "Ready", status: "True" }],
    },
  };
}

export function speakerPod(on: string, ready = true): Pod {
  return {
    metadata: { name: `speaker-${on.slice(-2)}`, namespace: NAMESPACE, labels: { component: "speaker" } },
    spec: { nodeName: on, containers: [{ name: "speaker" }] },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      containerStatuses: [
        { name: "speaker", ready, restartCount: 1, state: { running: { startedAt: "2026-01-01T00:00:00Z" } } },
      ],
    },
  };
}

export function controllerPod(): Pod {
  return {
    metadata: { name: "controller-5c-abc", namespace: NAMESPACE, labels: { component: "controller" } },
    spec: { nodeName: "node-01", containers: [{ name: "controller" }] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  };
}

export function speakerState(name: string, status: Partial<NonNullable<SpeakerState["status"]>> = {}): SpeakerState {
  return {
    metadata: { name, namespace: NAMESPACE },
    status: {
      node: name,
      ready: true,
      interfaces: [{ name: "eth0", mac: macOf(name), up: true }],
      members: NODE_NAMES.filter((other) => other !== name).map((other) => ({ node: other, alive: true, ready: true })),
      ...status,
    },
  };
}

export function pool(
  name: string,
  addresses: readonly string[],
  spec: Partial<IPAddressPool["spec"]> = {},
): IPAddressPool {
  return {
    metadata: { name, namespace: NAMESPACE, creationTimestamp: "2026-01-01T00:00:00Z", resourceVersion: "1" },
    spec: { addresses: [...addresses], autoAssign: true, avoidBuggyIPs: false, ...spec },
  };
}

export function advertisement(
  name: string,
  pools: readonly string[] = [],
  spec: L2Advertisement["spec"] = {},
): L2Advertisement {
  return {
    metadata: { name, namespace: NAMESPACE, resourceVersion: "1" },
    spec: { ipAddressPools: [...pools], ...spec },
  };
}

export function service(
  name: string,
  more: { type?: string; ip?: string; annotations?: Record<string, string>; spec?: object; created?: string } = {},
): Service {
  return {
    metadata: {
      name,
      namespace: "default",
      resourceVersion: "1",
      creationTimestamp: more.created ?? "2026-01-01T00:00:00Z",
      ...(more.annotations !== undefined && { annotations: more.annotations }),
    },
    spec: {
      type: more.type ?? "LoadBalancer",
      clusterIP: "10.96.0.10",
      clusterIPs: ["10.96.0.10"],
      selector: { app: name },
      ports: [{ port: 80, protocol: "TCP", targetPort: 80, nodePort: 30080 }],
      externalTrafficPolicy: "Cluster",
      ...more.spec,
    },
    status: { loadBalancer: more.ip === undefined ? {} : { ingress: [{ ip: more.ip }] } },
  };
}

export function slice(of: string, pods: readonly { pod: string; node: string; ready?: boolean }[]): EndpointSlice {
  return {
    metadata: { name: `${of}-x`, namespace: "default", labels: { "kubernetes.io/service-name": of } },
    addressType: "IPv4",
    endpoints: pods.map((one, index) => ({
      addresses: [`10.244.1.${index + 2}`],
      conditions: { ready: one.ready ?? true },
      nodeName: one.node,
      targetRef: { kind: "Pod", name: one.pod },
    })),
  };
}

export const threePods = (of: string) =>
  slice(
    of,
    NODE_NAMES.map((name, index) => ({ pod: `${of}-${index}`, node: name })),
  );

export function l2Status(of: string, on: string): ServiceL2Status {
  return {
    metadata: { name: `l2-${of}`, namespace: NAMESPACE },
    status: { node: on, serviceName: of, serviceNamespace: "default", interfaces: [{ name: "eth0" }] },
  };
}

/** Three healthy nodes, pool production with advertisement external. */
export function facts(more: Partial<Facts> = {}): Facts {
  return {
    services: [],
    slices: [],
    nodes: NODE_NAMES.map(node),
    pods: [controllerPod(), ...NODE_NAMES.map((name) => speakerPod(name))],
    namespaces: [{ metadata: { name: "default", labels: {} } }],
    pools: [pool("production", ["127.77.10.1-127.77.10.254"])],
    advertisements: [advertisement("external", ["production"])],
    l2Statuses: [],
    speakerStates: NODE_NAMES.map((name) => speakerState(name)),
    holds: [],
    unreachable: new Set(),
    controllerReady: true,
    announcersKnown: true,
    now: Date.parse("2026-01-01T00:00:30Z"),
    ...more,
  };
}

/** The same as `facts()`, in a cluster. */
export function healthyCluster(): MemoryCluster {
  const cluster = new MemoryCluster();
  const all = facts();
  cluster.seed(NODES, ...all.nodes);
  cluster.seed(PODS, ...all.pods);
  cluster.seed(NAMESPACES, ...all.namespaces);
  cluster.seed(IP_ADDRESS_POOLS, ...all.pools);
  cluster.seed(L2_ADVERTISEMENTS, ...all.advertisements);
  cluster.seed(SPEAKER_STATES, ...all.speakerStates);
  cluster.seed(DEPLOYMENTS, {
    metadata: { name: "controller", namespace: NAMESPACE, generation: 1 },
    spec: { replicas: 1 },
    status: { observedGeneration: 1, replicas: 1, readyReplicas: 1, updatedReplicas: 1 },
  });
  cluster.seed(DAEMON_SETS, {
    metadata: { name: "speaker", namespace: NAMESPACE, generation: 1 },
    spec: {},
    status: { observedGeneration: 1, desiredNumberScheduled: 3, numberReady: 3, updatedNumberScheduled: 3 },
  });
  for (const kind of [IP_ADDRESS_POOLS, L2_ADVERTISEMENTS, SERVICE_L2_STATUSES])
    cluster.seed<KubeObject>(CRDS, { metadata: { name: `${kind.plural}.${kind.group}` } });
  return cluster;
}

/** Plays the controller and the speakers: the first free address, announced by node-02. */
export function playController(cluster: MemoryCluster): void {
  const used = new Set<string>();
  cluster.cache(SERVICES).onChange((key, now) => {
    if (now === undefined) return;
    const held = now.status?.loadBalancer?.ingress?.[0]?.ip;
    const wants = now.spec?.type === "LoadBalancer";
    queueMicrotask(() => {
      if (wants && held === undefined) {
        const ip = [1, 2, 3, 4, 5].map((n) => `127.77.10.${n}`).find((one) => !used.has(one)) ?? "127.77.10.9";
        used.add(ip);
        cluster.change(SERVICES, key, (one) => ({ ...one, status: { loadBalancer: { ingress: [{ ip }] } } }));
        cluster.seed(SERVICE_L2_STATUSES, l2Status(now.metadata.name ?? "", "node-02"));
      } else if (!wants && held !== undefined) {
        used.delete(held);
        cluster.change(SERVICES, key, (one) => ({ ...one, status: { loadBalancer: {} } }));
        cluster.drop(SERVICE_L2_STATUSES, `${NAMESPACE}/l2-${now.metadata.name}`);
      }
    });
  });
}

export class FakeProber implements Prober {
  alive = true;
  readonly sent: ProbeCommand[] = [];
  readonly #listeners = new Set<(message: ProbeMessage) => void>();
  /** What a real prober would say to a command. */
  answer: (command: ProbeCommand) => void = () => undefined;

  send(command: ProbeCommand): void {
    this.sent.push(command);
    queueMicrotask(() => this.answer(command));
  }
  onMessage(listener: (message: ProbeMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  say(message: ProbeMessage): void {
    for (const listener of this.#listeners) listener(message);
  }

  /** One second in which each of `pods` answered once. */
  second(id: string, seq: number, pods: readonly string[], outcome: "ok" | "timeout" = "ok"): void {
    const counts: Record<string, number> = {};
    for (const pod of pods) counts[pod] = (counts[pod] ?? 0) + 1;
    const at = 1_000_000 + seq * 1000;
    const replies = pods.map((pod, index) => ({
      seq: seq * 100 + index,
      at,
      outcome,
      pod: outcome === "ok" ? pod : null,
      node: null,
      status: outcome === "ok" ? 200 : null,
      totalMs: 3,
      text: outcome === "ok" ? `POD: ${pod}` : "no answer",
    }));
    this.say({
      kind: "second",
      tick: { id, at, perPod: outcome === "ok" ? counts : {}, outcomes: { [outcome]: pods.length }, p50: 3, p95: 4 },
      replies,
      totals: {
        sent: pods.length * (seq + 1),
        skipped: 0,
        outcomes: { [outcome]: pods.length * (seq + 1) },
        pods: [...new Set(pods)].map((pod) => ({ pod, node: "node-01", count: 1 })),
        unattributed: 0,
        p50: 3,
        p95: 4,
        p99: null,
        longestOutageMs: 0,
      },
    });
  }
}

export function contextFor(cluster: Cluster, more: Partial<ServerContext> = {}): ServerContext {
  return {
    cluster,
    sandbox: true,
    clusterName: "sandbox",
    server: "https://127.0.0.1:16443",
    user: "berth-admin",
    namespace: NAMESPACE,
    prober: new FakeProber(),
    manifests: () => MANIFESTS,
    clock: systemClock,
    log: silentLog,
    version: "0.1.0",
    ...more,
  };
}

const object = (apiVersion: string, kind: string, name: string, namespace?: string): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace !== undefined && { namespace }) },
});
const MANIFESTS: Manifests = {
  namespace: [object("v1", "Namespace", NAMESPACE)],
  crds: [object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "ipaddresspools.metallb.io")],
  rbac: [object("v1", "ServiceAccount", "controller", NAMESPACE), object("v1", "ServiceAccount", "speaker", NAMESPACE)],
  controller: [object("apps/v1", "Deployment", "controller", NAMESPACE)],
  speaker: [object("apps/v1", "DaemonSet", "speaker", NAMESPACE)],
  demo: [object("apps/v1", "Deployment", "nginx-app"), object("v1", "Service", "nginx")],
};

export function request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Request {
  return new Request(`http://127.0.0.1:3000${path}`, {
    method,
    headers: { host: "127.0.0.1:3000", ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
}

export const params = (values: Record<string, string> = {}) => ({ params: Promise.resolve(values) });
