import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  ENDPOINTS,
  EVENTS,
  NAMESPACES,
  NODES,
  PODS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from "#api/resources";
import { obj } from "#sandbox/kinds/json";
import { eventually, keysOf, nodesOf, podsOf, type Rig, startRig } from "./rig.ts";

let rig: Rig;
beforeEach(async () => {
  // Leases are renewed every 50 ms, by this same process.
  rig = await startRig({ nodeGraceMs: 2_000 });
  for (const [index, name] of ["n1", "n2", "n3"].entries()) {
    await rig.addNode(name, { "topology.kubernetes.io/zone": `z${index + 1}` });
  }
});
afterEach(() => rig.close());

async function web(replicas = 3, more: object = {}): Promise<void> {
  const labels = { app: "web" };
  const containers = [{ name: "c", image: "nginx", ports: [{ name: "http", containerPort: 8080 }] }];
  await rig.apply(DEPLOYMENTS, {
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers, ...more } },
    },
  });
  await rig.apply(SERVICES, {
    metadata: { name: "web", namespace: "default", labels: { team: "a" } },
    spec: { selector: labels, ports: [{ name: "h", port: 80, targetPort: "http" }] },
  });
}
const slices = () =>
  rig.objects
    .cache(ENDPOINT_SLICES)
    .list()
    .filter((slice) => slice.metadata.labels?.["kubernetes.io/service-name"] === "web");
const endpoints = () => slices().flatMap((slice) => slice.endpoints ?? []);
const readyEndpoints = () => endpoints().filter((one) => one.conditions?.ready);
const condition = (name: string) =>
  rig.objects
    .cache(NODES)
    .get(name)
    ?.status?.conditions?.find((one) => one.type === "Ready")?.status;

describe("EndpointSlices", () => {
  it("name each ready pod with its node, zone and the number of a named port", async () => {
    await web();
    await eventually("three endpoints", () => readyEndpoints().length === 3);
    const [slice, ...others] = slices();
    expect(others).toEqual([]);
    expect(slice?.metadata.name).toMatch(/^web-[a-z0-9]{5}$/);
    expect(slice?.metadata.labels).toMatchObject({
      team: "a",
      "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    });
    expect(slice?.ports).toEqual([{ name: "h", port: 8080, protocol: "TCP" }]);
    expect(
      endpoints()
        .map((one) => [one.nodeName, one.zone])
        .sort(),
    ).toEqual([
      ["n1", "z1"],
      ["n2", "z2"],
      ["n3", "z3"],
    ]);
    const mirror = await eventually("Endpoints", () => {
      const subsets = rig.objects.cache(ENDPOINTS).get("default/web")?.subsets as
        | { addresses?: unknown[] }[]
        | undefined;
      return subsets?.[0]?.addresses?.length === 3 && subsets;
    });
    expect(mirror).toMatchObject([{ ports: [{ name: "h", port: 8080, protocol: "TCP" }] }]);
  });

  it("keep a terminating pod as serving but not ready until it is gone", async () => {
    await web(1);
    await eventually("one", () => readyEndpoints().length === 1);
    const [pod] = podsOf(rig, "web");
    rig.silence(pod?.spec?.nodeName ?? "");
    await rig.objects.remove(PODS, { name: pod?.metadata.name ?? "", namespace: "default" });
    const leaving = await eventually("terminating", () => endpoints().find((one) => one.conditions?.terminating));
    expect(leaving.conditions).toEqual({ ready: false, serving: true, terminating: true });
    await rig.objects.remove(PODS, { name: pod?.metadata.name ?? "", namespace: "default" }, { gracePeriodSeconds: 0 });
    await eventually("gone", () => endpoints().every((one) => one.targetRef?.uid !== pod?.metadata.uid));
  });

  it("are one empty slice for a Service without pods, keep their name when pods come, and go with the Service", async () => {
    await rig.apply(SERVICES, {
      metadata: { name: "web", namespace: "default" },
      spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
    });
    const [empty] = await eventually("placeholder", () => slices().length === 1 && slices());
    expect(empty?.endpoints).toEqual([]);
    await rig.apply(PODS, {
      metadata: { name: "p", namespace: "default", labels: { app: "web" } },
      spec: { containers: [{ name: "c", image: "i" }] },
    });
    await eventually("filled", () => readyEndpoints().length === 1);
    expect(keysOf(slices())).toEqual(keysOf(empty === undefined ? [] : [empty]));
    await rig.objects.remove(SERVICES, { name: "web", namespace: "default" });
    await eventually(
      "gone",
      () => slices().length === 0 && rig.objects.cache(ENDPOINTS).get("default/web") === undefined,
    );
  });

  it("follow 120 pods into two slices without losing or doubling any", async () => {
    await web(120);
    await eventually("all", () => readyEndpoints().length === 120);
    expect(
      slices()
        .map((slice) => slice.endpoints?.length)
        .sort(),
    ).toEqual([100, 20]);
    expect(new Set(endpoints().map((one) => one.addresses?.[0])).size).toBe(120);
  });
});

describe("node lifecycle", () => {
  it("takes the pods of a silent node out of the endpoints, taints it, and lets it back in", async () => {
    await web();
    await eventually("three", () => readyEndpoints().length === 3);
    rig.silence("n2");
    await eventually("unknown", () => condition("n2") === "Unknown");
    expect(
      rig.objects
        .cache(NODES)
        .get("n2")
        ?.status?.conditions?.map((one) => `${one.type} ${one.status}`),
    ).toEqual(["MemoryPressure Unknown", "DiskPressure Unknown", "PIDPressure Unknown", "Ready Unknown"]);
    await eventually("two", () => readyEndpoints().length === 2);
    await eventually("taints", () => rig.objects.cache(NODES).get("n2")?.spec?.taints?.length === 2);
    const taints = rig.objects
      .cache(NODES)
      .get("n2")
      ?.spec?.taints?.map((taint) => `${taint.key}:${taint.effect}`);
    expect(taints).toEqual(["node.kubernetes.io/unreachable:NoSchedule", "node.kubernetes.io/unreachable:NoExecute"]);
    expect(["n1", "n3"].map(condition)).toEqual(["True", "True"]);
    await rig.wake("n2");
    await eventually("untainted", () => rig.objects.cache(NODES).get("n2")?.spec?.taints === undefined);
  });

  it("evicts pods that do not tolerate the outage, and their successors run elsewhere", async () => {
    const tolerations = ["not-ready", "unreachable"].map((what) => ({
      key: `node.kubernetes.io/${what}`,
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: 1,
    }));
    await web(3, { tolerations });
    await eventually("three", () => readyEndpoints().length === 3);
    rig.silence("n2");
    const evicted = await eventually("evicted", () =>
      podsOf(rig, "web").find((pod) => pod.spec?.nodeName === "n2" && pod.metadata.deletionTimestamp !== undefined),
    );
    expect(evicted.status?.conditions?.find((one) => one.type === "DisruptionTarget")).toMatchObject({
      status: "True",
      reason: "DeletionByTaintManager",
      message: "Taint manager: deleting due to NoExecute taint",
    });
    await eventually("three again", () => readyEndpoints().length === 3);
    expect(nodesOf(podsOf(rig, "web").filter((pod) => pod.metadata.deletionTimestamp === undefined))).not.toContain(
      "n2",
    );
  });

  it("marks a cordoned node with the unschedulable taint only", async () => {
    await rig.objects.patch(NODES, { name: "n1" }, { kind: "merge", body: { spec: { unschedulable: true } } });
    const taints = await eventually("taint", () => rig.objects.cache(NODES).get("n1")?.spec?.taints);
    expect(taints).toEqual([{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }]);
  });
});

describe("scheduling", () => {
  it("leaves a pod pending with a sentence when no node fits, and binds it when one does", async () => {
    await rig.apply(PODS, {
      metadata: { name: "picky", namespace: "default" },
      spec: { nodeSelector: { disk: "ssd" }, containers: [{ name: "c", image: "i" }] },
    });
    const pod = () => rig.objects.cache(PODS).get("default/picky");
    const refused = await eventually("refused", () =>
      pod()?.status?.conditions?.find((one) => one.type === "PodScheduled"),
    );
    expect(refused).toMatchObject({ status: "False", reason: "Unschedulable" });
    expect(refused.message).toBe(
      "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
    );
    await rig.addNode("n4", { disk: "ssd" });
    await eventually("bound", () => pod()?.spec?.nodeName === "n4");
    expect(pod()?.status?.conditions?.find((one) => one.type === "PodScheduled")?.status).toBe("True");
    const words = await eventually("event", () =>
      rig.objects
        .cache(EVENTS)
        .list()
        .find((event) => event.reason === "Scheduled"),
    );
    expect(words.message).toBe("Successfully assigned default/picky to n4");
  });
});

describe("scheduling by size", () => {
  const sized = (name: string, cpu: string) =>
    rig.apply(PODS, {
      metadata: { name, namespace: "default" },
      spec: { containers: [{ name: "c", image: "i", resources: { requests: { cpu, memory: "64Mi" } } }] },
    });
  const scheduled = (name: string) =>
    rig.objects
      .cache(PODS)
      .get(`default/${name}`)
      ?.status?.conditions?.find((one) => one.type === "PodScheduled");

  it("fills nodes by what pods request, and says which resource is short", async () => {
    for (const name of ["n1", "n2", "n3"]) {
      const body = { status: { allocatable: { cpu: "2", memory: "1Gi", pods: "110" } } };
      await rig.objects.patch(NODES, { name }, { kind: "merge", body, subresource: "status" });
    }
    for (const name of ["a", "b", "c"]) await sized(name, "1500m");
    await eventually("bound", () => ["a", "b", "c"].every((name) => scheduled(name)?.status === "True"));
    await sized("small", "0.5");
    await eventually("bound", () => scheduled("small")?.status === "True");
    await sized("d", "600m");
    const refused = await eventually("refused", () => scheduled("d"));
    expect(refused.message).toBe(
      "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.",
    );
    await rig.objects.remove(PODS, { name: "a", namespace: "default" });
    await eventually("bound when there is room", () => scheduled("d")?.status === "True");
  });
});

describe("namespaces", () => {
  it("say in their conditions what they wait for, and what holds it", async () => {
    await rig.apply(NAMESPACES, { metadata: { name: "stuck" } });
    await rig.apply(CONFIG_MAPS, {
      metadata: { name: "held", namespace: "stuck", finalizers: ["example.test/hold"] },
    });
    await rig.objects.remove(NAMESPACES, { name: "stuck" });
    const stuck = () => rig.objects.cache(NAMESPACES).get("stuck");
    const said = (type: string) =>
      (
        obj(stuck()).status as { conditions?: { type: string; status: string; message: string }[] } | undefined
      )?.conditions?.find((one) => one.type === type);
    await eventually("only it is left", () => said("NamespaceFinalizersRemaining")?.status === "True");
    await eventually(
      "said",
      () =>
        said("NamespaceContentRemaining")?.message ===
        "Some resources are remaining: configmaps. has 1 resource instances",
    );
    expect(said("NamespaceFinalizersRemaining")?.message).toBe(
      "Some content in the namespace has finalizers remaining: example.test/hold in 1 resource instances",
    );
    expect(said("NamespaceDeletionContentFailure")).toMatchObject({ status: "False" });
    const body = { metadata: { finalizers: null } };
    await rig.objects.patch(CONFIG_MAPS, { name: "held", namespace: "stuck" }, { kind: "merge", body });
    await eventually("gone", () => stuck() === undefined);
  });

  it("get a service account and the authority, and are emptied before they go", async () => {
    await rig.apply(NAMESPACES, { metadata: { name: "team" } });
    await eventually("account", () => rig.objects.cache(SERVICE_ACCOUNTS).get("team/default"));
    const ca = await eventually("ca", () => rig.objects.cache(CONFIG_MAPS).get("team/kube-root-ca.crt"));
    expect(ca.data).toEqual({ "ca.crt": "PEM" });
    await rig.apply(PODS, {
      metadata: { name: "p", namespace: "team" },
      spec: { containers: [{ name: "c", image: "i" }] },
    });
    await eventually("running", () => rig.objects.cache(PODS).get("team/p")?.status?.podIP);
    await rig.objects.remove(NAMESPACES, { name: "team" });
    await eventually("gone", () => rig.objects.cache(NAMESPACES).get("team") === undefined);
    expect(rig.objects.cache(PODS).get("team/p")).toBeUndefined();
    expect(rig.objects.cache(CONFIG_MAPS).get("team/kube-root-ca.crt")).toBeUndefined();
  });

  it("have their default service account put back when somebody deletes it", async () => {
    const first = await eventually("account", () => rig.objects.cache(SERVICE_ACCOUNTS).get("default/default"));
    await rig.objects.remove(SERVICE_ACCOUNTS, { name: "default", namespace: "default" });
    await eventually("back", () => {
      const now = rig.objects.cache(SERVICE_ACCOUNTS).get("default/default");
      return now !== undefined && now.metadata.uid !== first.metadata.uid;
    });
  });
});
