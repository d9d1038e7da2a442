import { describe, expect, it } from "vitest";
import { humanDuration } from "#sandbox/kinds/age";
import type { Json } from "#sandbox/kinds/definition";
import { kindOf } from "./support.ts";

const NOW = Date.parse("2026-01-01T01:00:00Z");
const created = "2026-01-01T00:55:00Z";

/** The row of an object as kubectl would print it, with or without the columns of `-o wide`. */
function row(kind: string, object: Json, wide = false): readonly unknown[] {
  const full = {
    ...object,
    metadata: { name: "x", creationTimestamp: created, ...(object.metadata as Json | undefined) },
  };
  return kindOf(kind)
    .columns.filter((column) => wide || column.priority === 0)
    .map((column) => column.value(full, NOW));
}

describe("ages", () => {
  it.each([
    [-5_000, "<invalid>"],
    [-500, "0s"],
    [59_000, "59s"],
    [119_999, "119s"],
    [120_000, "2m"],
    [210_000, "3m30s"],
    [10 * 60_000, "10m"],
    [179 * 60_000, "179m"],
    [180 * 60_000, "3h"],
    [200 * 60_000, "3h20m"],
    [47 * 3_600_000, "47h"],
    [48 * 3_600_000, "2d"],
    [50 * 3_600_000, "2d2h"],
    [8 * 86_400_000, "8d"],
    [800 * 86_400_000, "2y70d"],
    [9 * 365 * 86_400_000, "9y"],
  ])("%d ms print as %s", (milliseconds, text) => {
    expect(humanDuration(milliseconds)).toBe(text);
  });
});

describe("the STATUS of a pod", () => {
  const container = (name: string, state: Json, more: Json = {}): Json => ({ name, state, restartCount: 0, ...more });
  const running = { running: { startedAt: created } };
  const pod = (status: Json, metadata: Json = {}, inits = 0): Json => ({
    metadata,
    spec: {
      initContainers: Array.from({ length: inits }, (_, index) => ({ name: `i${index}` })),
      containers: [{ name: "c" }],
    },
    status,
  });
  const initialised = { type: "Initialized", status: "True" };

  it.each<[string, Json, readonly unknown[]]>([
    ["Pending before it is scheduled", pod({ phase: "Pending" }), ["0/1", "Pending", "0"]],
    [
      "ContainerCreating while its volumes are made",
      pod({ phase: "Pending", containerStatuses: [container("c", { waiting: { reason: "ContainerCreating" } })] }),
      ["0/1", "ContainerCreating", "0"],
    ],
    [
      "Init:0/2 while the first init container runs",
      pod(
        {
          phase: "Pending",
          initContainerStatuses: [container("i0", running)],
          containerStatuses: [container("c", { waiting: { reason: "PodInitializing" } })],
        },
        {},
        2,
      ),
      ["0/1", "Init:0/2", "0"],
    ],
    [
      "Init:1/2 when the first is done",
      pod(
        {
          phase: "Pending",
          initContainerStatuses: [
            container("i0", { terminated: { exitCode: 0 } }),
            container("i1", { waiting: { reason: "PodInitializing" } }),
          ],
        },
        {},
        2,
      ),
      ["0/1", "Init:1/2", "0"],
    ],
    [
      "PodInitializing when all are done",
      pod(
        {
          phase: "Pending",
          conditions: [initialised],
          initContainerStatuses: [container("i0", { terminated: { exitCode: 0 } })],
          containerStatuses: [container("c", { waiting: { reason: "PodInitializing" } })],
        },
        {},
        1,
      ),
      ["0/1", "PodInitializing", "0"],
    ],
    [
      "Init:Error when an init container failed",
      pod(
        {
          phase: "Pending",
          initContainerStatuses: [container("i0", { terminated: { exitCode: 1, reason: "Error" } })],
        },
        {},
        1,
      ),
      ["0/1", "Init:Error", "0"],
    ],
    [
      "Init:CrashLoopBackOff with its restarts",
      pod(
        {
          phase: "Pending",
          initContainerStatuses: [container("i0", { waiting: { reason: "CrashLoopBackOff" } }, { restartCount: 3 })],
        },
        {},
        1,
      ),
      ["0/1", "Init:CrashLoopBackOff", "3"],
    ],
    [
      "Running",
      pod({ phase: "Running", containerStatuses: [container("c", running, { ready: true })] }),
      ["1/1", "Running", "0"],
    ],
    [
      "Running with the time of its last restart",
      pod({
        phase: "Running",
        containerStatuses: [
          container("c", running, {
            ready: true,
            restartCount: 1,
            lastState: { terminated: { exitCode: 1, finishedAt: "2026-01-01T00:59:55Z" } },
          }),
        ],
      }),
      ["1/1", "Running", "1 (5s ago)"],
    ],
    [
      "ImagePullBackOff",
      pod({ phase: "Pending", containerStatuses: [container("c", { waiting: { reason: "ImagePullBackOff" } })] }),
      ["0/1", "ImagePullBackOff", "0"],
    ],
    [
      "Error",
      pod({ phase: "Failed", containerStatuses: [container("c", { terminated: { exitCode: 1, reason: "Error" } })] }),
      ["0/1", "Error", "0"],
    ],
    [
      "Completed",
      pod({
        phase: "Succeeded",
        containerStatuses: [container("c", { terminated: { exitCode: 0, reason: "Completed" } })],
      }),
      ["0/1", "Completed", "0"],
    ],
    [
      "Terminating",
      pod(
        { phase: "Running", containerStatuses: [container("c", running, { ready: true })] },
        { deletionTimestamp: created },
      ),
      ["1/1", "Terminating", "0"],
    ],
    [
      "ExitCode:2 without a reason",
      pod({ phase: "Failed", containerStatuses: [container("c", { terminated: { exitCode: 2 } })] }),
      ["0/1", "ExitCode:2", "0"],
    ],
  ])("is %s", (_what, object, cells) => {
    expect(row("Pod", object).slice(1, 4)).toEqual(cells);
  });

  it("comes with address and node when wide", () => {
    const object = {
      ...pod({ phase: "Running", podIPs: [{ ip: "10.244.1.2" }] }),
      spec: { nodeName: "n1", containers: [] },
    };
    expect(row("Pod", object, true).slice(5)).toEqual(["10.244.1.2", "n1", "<none>", "<none>"]);
  });
});

describe("the row of", () => {
  const ports = [
    { port: 80, nodePort: 31279, protocol: "TCP" },
    { port: 53, protocol: "UDP" },
  ];
  it.each<[string, string, Json, readonly unknown[]]>([
    [
      "a LoadBalancer without an address",
      "Service",
      { spec: { type: "LoadBalancer", clusterIPs: ["10.96.0.9"], ports } },
      ["x", "LoadBalancer", "10.96.0.9", "<pending>", "80:31279/TCP,53/UDP", "5m"],
    ],
    [
      "a LoadBalancer with two",
      "Service",
      {
        spec: { type: "LoadBalancer" },
        status: { loadBalancer: { ingress: [{ ip: "192.0.2.9" }, { ip: "192.0.2.10" }] } },
      },
      ["x", "LoadBalancer", "<none>", "192.0.2.10,192.0.2.9", "<none>", "5m"],
    ],
    [
      "an ExternalName",
      "Service",
      { spec: { type: "ExternalName", externalName: "example.org" } },
      ["x", "ExternalName", "<none>", "example.org", "<none>", "5m"],
    ],
    [
      "a Deployment",
      "Deployment",
      { spec: { replicas: 3 }, status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 } },
      ["x", "2/3", 3, 1, "5m"],
    ],
    [
      "a cordoned node",
      "Node",
      {
        spec: { unschedulable: true },
        status: { conditions: [{ type: "Ready", status: "True" }], nodeInfo: { kubeletVersion: "v1.36.2" } },
      },
      ["x", "Ready,SchedulingDisabled", "<none>", "5m", "v1.36.2"],
    ],
    [
      "a lost control-plane node",
      "Node",
      {
        metadata: { labels: { "node-role.kubernetes.io/control-plane": "" } },
        status: { conditions: [{ type: "Ready", status: "Unknown" }] },
      },
      ["x", "NotReady", "control-plane", "5m", ""],
    ],
    [
      "an EndpointSlice with four endpoints",
      "EndpointSlice",
      {
        addressType: "IPv4",
        ports: [{ port: 80 }],
        endpoints: ["1", "2", "3", "4"].map((last) => ({ addresses: [`10.0.0.${last}`] })),
      },
      ["x", "IPv4", "80", "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...", "5m"],
    ],
    ["an empty EndpointSlice", "EndpointSlice", { addressType: "IPv4" }, ["x", "IPv4", "<unset>", "<unset>", "5m"]],
    [
      "an Event that repeated",
      "Event",
      {
        involvedObject: { kind: "Pod", name: "p" },
        type: "Normal",
        reason: "Pulled",
        message: "done\n",
        count: 3,
        lastTimestamp: "2026-01-01T00:59:00Z",
      },
      ["60s", "Normal", "Pulled", "pod/p", "done"],
    ],
    ["a Secret", "Secret", { type: "Opaque", data: { a: "" } }, ["x", "Opaque", 1, "5m"]],
    ["a RoleBinding", "RoleBinding", { roleRef: { kind: "Role", name: "r" } }, ["x", "Role/r", "5m"]],
    [
      "a ControllerRevision",
      "ControllerRevision",
      {
        metadata: {
          ownerReferences: [{ apiVersion: "apps/v1", kind: "DaemonSet", name: "speaker", controller: true }],
        },
        revision: 2,
      },
      ["x", "daemonset.apps/speaker", 2, "5m"],
    ],
  ])("%s", (_what, kind, object, cells) => {
    expect(row(kind, object)).toEqual(cells);
  });

  it("an object that is nothing but a name never throws, whatever its kind", () => {
    for (const kind of ["Pod", "Service", "Node", "Deployment", "DaemonSet", "Event", "EndpointSlice", "Lease"]) {
      expect(() => row(kind, { spec: 5, status: "x" }, true)).not.toThrow();
    }
  });
});
