import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { arch, cpus, hostname, release, totalmem } from "node:os";
import type { Node } from "#api/kubernetes/cluster";
import type { Condition } from "#api/kubernetes/objects";
import type { Clock } from "#runtime/clock";
import { timeText } from "./deps.ts";

/** One simulated machine. Nodes count from 1: node-01 is number 1. */
export interface NodeIdentity {
  readonly number: number;
  readonly name: string;
  readonly address: string;
  /** In networks where nodes have one. */
  readonly address6?: string | undefined;
}

const KUBELET_VERSION = "v1.36.2";

/** The Node object that a kubelet registers; its status is written apart. */
export function nodeObject({ number, name }: NodeIdentity): Node {
  const podCIDR = `10.244.${number}.0/24`;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: nodeLabels({ number, name }), annotations: { "node.alpha.kubernetes.io/ttl": "0" } },
    spec: { podCIDR, podCIDRs: [podCIDR, `fd77:244:${number}::/64`] },
  };
}

export function nodeLabels({ number, name }: Pick<NodeIdentity, "number" | "name">): Record<string, string> {
  return {
    "beta.kubernetes.io/arch": architecture(),
    "beta.kubernetes.io/os": "linux",
    "kubernetes.io/arch": architecture(),
    "kubernetes.io/hostname": name,
    "kubernetes.io/os": "linux",
    "topology.kubernetes.io/zone": `z${number}`,
  };
}

/**
 * NodeStatus as the kubelet reports it. Every node shows the whole of the one
 * machine that all of them share; nothing here is invented.
 */
export async function nodeStatus(
  { name, address, address6 }: NodeIdentity,
  options: {
    readonly clock: Clock;
    readonly dataDir: string;
    readonly before: readonly Condition[];
    readonly bootId: string;
  },
): Promise<NonNullable<Node["status"]>> {
  const disk = await statfs(options.dataDir).catch(() => null);
  const resources = {
    cpu: String(cpus().length),
    "ephemeral-storage": `${disk === null ? 0 : Math.floor((disk.blocks * disk.bsize) / 1024)}Ki`,
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    pods: "110",
  };
  const machine = createHash("sha256").update(`${machineId()} ${name}`).digest("hex").slice(0, 32);
  return {
    addresses: [
      { type: "InternalIP", address },
      ...(address6 === undefined ? [] : [{ type: "InternalIP", address: address6 }]),
      { type: "Hostname", address: name },
    ],
    capacity: resources,
    allocatable: resources,
    conditions: conditions(options.clock, options.before),
    nodeInfo: {
      architecture: architecture(),
      bootID: options.bootId,
      containerRuntimeVersion: "berth://0.1.0",
      kernelVersion: release(),
      kubeProxyVersion: "",
      kubeletVersion: KUBELET_VERSION,
      machineID: machine,
      operatingSystem: "linux",
      osImage: "Berth sandbox",
      systemUUID: machine.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
    },
  };
}

function conditions(clock: Clock, before: readonly Condition[]): Condition[] {
  const now = timeText(clock);
  const rows = [
    ["MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
    ["DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
    ["PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
    ["Ready", "True", "KubeletReady", "kubelet is posting ready status"],
  ] as const;
  const own = rows.map(([type, status, reason, message]) => {
    const old = before.find((condition) => condition.type === type);
    const lastTransitionTime = old?.status === status ? (old.lastTransitionTime ?? now) : now;
    return { type, status, lastHeartbeatTime: now, lastTransitionTime, reason, message };
  });
  return [...before.filter(({ type }) => !rows.some(([known]) => known === type)), ...own];
}

function architecture(): string {
  const machine = arch();
  return machine === "x64" ? "amd64" : machine;
}

function machineId(): string {
  try {
    return readFileSync("/etc/machine-id", "utf8").trim();
  } catch {
    return hostname();
  }
}
