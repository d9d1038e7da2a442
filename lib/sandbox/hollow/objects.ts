import type { Lease, Node } from "#api/kubernetes/cluster";
import type { KubeObject } from "#api/kubernetes/objects";
import type { Pod } from "#api/kubernetes/pods";
import type { Service } from "#api/kubernetes/services";

/** Everything a seed makes lives here, beside the nodes: one `kubectl delete namespace hollow` takes it away. */
export const HOLLOW_NAMESPACE = "hollow";
/** On every hollow node: no kubelet stands behind it. */
export const HOLLOW_LABEL = "berth.dev/hollow";
export const LEASE_SECONDS = 40;

const PER_APP = 10;

export function hollowNodeName(index: number): string {
  return `hollow-${String(index).padStart(3, "0")}`;
}

export function hollowNamespace(): KubeObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name: HOLLOW_NAMESPACE } };
}

/** Ready, and tainted so that nothing that has to run is placed there. */
export function hollowNode(index: number, now: string): Node {
  const name = hollowNodeName(index);
  const podCIDR = `10.${128 + (index >> 8)}.${index & 255}.0/24`;
  const resources = { cpu: "8", memory: "32Gi", pods: "110" };
  const heartbeat = { lastHeartbeatTime: now, lastTransitionTime: now };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        [HOLLOW_LABEL]: "true",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/zone": `h${index % 3}`,
      },
    },
    spec: { podCIDR, podCIDRs: [podCIDR], taints: [{ key: HOLLOW_LABEL, value: "true", effect: "NoSchedule" }] },
    status: {
      addresses: [
        { type: "InternalIP", address: `10.127.${index >> 8}.${index & 255}` },
        { type: "Hostname", address: name },
      ],
      capacity: resources,
      allocatable: resources,
      conditions: [
        { type: "Ready", status: "True", ...heartbeat, reason: "HollowReady", message: "no kubelet: objects only" },
      ],
    },
  };
}

export function hollowLease(index: number, renewTime: string): Lease {
  const name = hollowNodeName(index);
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, namespace: "kube-node-lease" },
    spec: { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime },
  };
}

/** A pod that is already on its node, so that no scheduler looks at it. */
export function hollowPod(index: number, nodes: number): Pod {
  const app = appOf(index);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `pod-${String(index).padStart(5, "0")}`, namespace: HOLLOW_NAMESPACE, labels: { app } },
    spec: {
      nodeName: hollowNodeName(index % nodes),
      containers: [{ name: "app", image: "hollow" }],
      automountServiceAccountToken: false,
    },
  };
}

/** What a kubelet would report of the pod, had it one. */
export function hollowPodStatus(pod: Pod, now: string): NonNullable<Pod["status"]> {
  const index = Number(/\d+$/.exec(pod.metadata.name ?? "")?.[0] ?? 0);
  const address = `10.${160 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
  const condition = (type: string) => ({ type, status: "True", lastTransitionTime: now });
  return {
    phase: "Running",
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: now,
    conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map(condition),
    containerStatuses: (pod.spec?.containers ?? []).map(({ name }) => ({
      name,
      ready: true,
      started: true,
      restartCount: 0,
      image: "hollow",
      imageID: "",
      state: { running: { startedAt: now } },
    })),
  };
}

/** Every second Service asks for an address; every tenth has ready pods behind it. */
export function hollowService(index: number): Service {
  const name = `service-${String(index).padStart(5, "0")}`;
  const selector = index % PER_APP === 0 ? { selector: { app: appOf(index) } } : {};
  const type = index % 2 === 0 ? { type: "LoadBalancer" as const, allocateLoadBalancerNodePorts: false } : {};
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: HOLLOW_NAMESPACE, labels: { app: appOf(index) } },
    spec: { ...type, ...selector, ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }] },
  };
}

function appOf(index: number): string {
  return `app-${Math.floor(index / PER_APP)}`;
}
