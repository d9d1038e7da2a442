/**
 * `node --expose-gc test/bench/sandbox-churn.ts [rollouts]`: an API server in this process under what a rollout of three
 * pods writes (pods, their statuses, Events, Leases, endpoints), again and again. What the heap holds must level off.
 * Prints a table.
 */
import { setFlagsFromString } from "node:v8";
import { ENDPOINT_SLICES, EVENTS, LEASES, NODES, PODS, type ResourceRef } from "#api/resources";
import { startTestApi } from "../support/api-server.ts";

// As `berth sandbox` runs.
setFlagsFromString("--semi-space-growth-factor=1");
const ROLLOUTS = Number(process.argv[2] ?? 4_000);
const LOOKS = 8;
const collect = globalThis.gc;
if (collect === undefined) throw new Error("run it with --expose-gc");

const api = await startTestApi();
const { objects } = api.server;
const namespace = "default";
const at = (minutes: number) => new Date(Date.now() + minutes * 1000).toISOString().replace(/\.\d+Z$/, "Z");
const merge = (ref: ResourceRef, name: string, body: object, subresource?: "status") =>
  objects.patch(
    ref,
    { name, namespace: ref.namespaced ? namespace : "" },
    { kind: "merge", body, ...(subresource === undefined ? {} : { subresource }) },
  );

await objects.create(NODES, { apiVersion: "v1", kind: "Node", metadata: { name: "n1" } } as never);
await objects.create(LEASES, {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "n1", namespace },
  spec: { holderIdentity: "n1", leaseDurationSeconds: 40 },
} as never);
await objects.create(ENDPOINT_SLICES, {
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: "web", namespace },
  addressType: "IPv4",
  endpoints: [],
} as never);

async function pod(name: string, index: number): Promise<void> {
  const env = Array.from({ length: 6 }, (_, i) => ({ name: `VALUE_${i}`, value: `${name}-${i}` }));
  const container = { name: "nginx", image: "nginx:latest", env, ports: [{ containerPort: 80 }] };
  const created = await objects.create(PODS, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { app: "web" } },
    spec: { nodeName: "n1", containers: [container] },
  } as never);
  for (const [step, phase] of ["Pending", "Pending", "Running", "Running"].entries()) {
    const conditions = ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
      type,
      status: step > 2 ? "True" : "False",
      lastTransitionTime: at(index),
    }));
    await merge(PODS, name, { status: { phase, podIP: `10.244.0.${(index % 250) + 1}`, conditions } }, "status");
  }
  for (const reason of ["Scheduled", "Pulled", "Created", "Started", "Killing"]) {
    await objects.create(EVENTS, {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${name}.${reason.toLowerCase()}.${index}`, namespace },
      involvedObject: { apiVersion: "v1", kind: "Pod", namespace, name, uid: created.metadata.uid },
      reason,
      message: `${reason}: container image "nginx:latest" already present on machine and can be accessed by the pod`,
      type: "Normal",
      count: 1,
      firstTimestamp: at(0),
      lastTimestamp: at(0),
      source: { component: "kubelet", host: "n1" },
    } as never);
  }
}

console.log("rollouts   heap (MB)   resident (MB)   events kept");
const started = performance.now();
for (let i = 0; i < ROLLOUTS; i++) {
  const names = [0, 1, 2].map((replica) => `web-${i}-${replica}`);
  for (const name of names) await pod(name, i);
  await merge(ENDPOINT_SLICES, "web", {
    endpoints: [{ addresses: [`10.244.0.${(i % 250) + 1}`], targetRef: { name: names[0] } }],
  });
  await merge(LEASES, "n1", { spec: { renewTime: new Date().toISOString().replace("Z", "000Z") } });
  await merge(NODES, "n1", { metadata: { annotations: { beat: `${i}` } } });
  for (const name of names) await objects.remove(PODS, { name, namespace }, { gracePeriodSeconds: 0 });
  if ((i + 1) % Math.ceil(ROLLOUTS / LOOKS) !== 0) continue;
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  const cells = [i + 1, Math.round(heapUsed / 1_048_576), Math.round(rss / 1_048_576), api.store.count("/events")];
  console.log(cells.map((cell, column) => `${cell}`.padStart([8, 12, 16, 14][column] ?? 0)).join(""));
}
console.log(`${Math.round((performance.now() - started) / ROLLOUTS)} ms a rollout`);
await api.close();
