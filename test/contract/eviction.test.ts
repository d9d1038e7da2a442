import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEPLOYMENTS, NODES, PODS } from "#api/resources";
import { eventually, type Rig, startCluster } from "../sandbox/controllers/rig.ts";
import { type Reply, startTestApi, type TestApi } from "../support/api-server.ts";

const PODS_PATH = "/api/v1/namespaces/default/pods";
const BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
const MERGE = { type: "application/merge-patch+json" };
const VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget.";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

/** A running pod that is ready or not; nobody runs it. */
async function pod(name: string, app: string, ready = true, phase = "Running"): Promise<void> {
  const spec = { nodeName: "n1", containers: [{ name: "c", image: "nginx" }] };
  await api.send("POST", PODS_PATH, { metadata: { name, labels: { app } }, spec });
  const status = { phase, conditions: [{ type: "Ready", status: ready ? "True" : "False" }] };
  await api.send("PATCH", `${PODS_PATH}/${name}/status`, { status }, MERGE);
}

async function budget(name: string, app: string, status: object, spec: object = {}): Promise<void> {
  const selector = { matchLabels: { app } };
  await api.send("POST", BUDGETS, { metadata: { name }, spec: { minAvailable: 1, selector, ...spec } });
  await api.send("PATCH", `${BUDGETS}/${name}/status`, { status: { observedGeneration: 1, ...status } }, MERGE);
}

const evict = (name: string, more: object = {}, query = ""): Promise<Reply> =>
  api.send("POST", `${PODS_PATH}/${name}/eviction${query}`, {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name, namespace: "default" },
    ...more,
  });
const going = async (name: string) =>
  (await api.send("GET", `${PODS_PATH}/${name}`)).body.metadata?.deletionTimestamp !== undefined;

describe("the eviction of a pod", () => {
  it("without a budget deletes it and says why on it", async () => {
    await pod("free", "free");
    expect(await evict("free")).toMatchObject({ code: 201, body: { kind: "Status", status: "Success" } });
    const { body } = await api.send("GET", `${PODS_PATH}/free`);
    expect(body.metadata.deletionTimestamp).toBeDefined();
    expect(body.status.conditions).toContainEqual(
      expect.objectContaining({
        type: "DisruptionTarget",
        status: "True",
        reason: "EvictionByEvictionAPI",
        message: "Eviction API: evicting",
      }),
    );
  });

  it("is counted in the budget, and refused with its figures when nothing is left", async () => {
    await pod("a1", "a");
    await pod("a2", "a");
    await budget("a", "a", { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 });
    expect((await evict("a1", {}, "?dryRun=All")).code).toBe(201);
    expect(await going("a1")).toBe(false);
    expect((await evict("a1")).code).toBe(201);
    const spent = (await api.send("GET", `${BUDGETS}/a`)).body.status;
    expect(spent).toMatchObject({ disruptionsAllowed: 0, disruptedPods: { a1: expect.any(String) } });
    const refused = await evict("a2");
    expect(refused).toMatchObject({
      code: 429,
      body: {
        reason: "TooManyRequests",
        message: VIOLATES,
        details: {
          causes: [
            {
              reason: "DisruptionBudget",
              message: "The disruption budget a needs 1 healthy pods and has 2 currently",
            },
          ],
        },
      },
    });
    expect(await going("a2")).toBe(false);
    // One that leaves already, or does not work yet or any more, costs nobody anything.
    expect((await evict("a1")).code).toBe(201);
    await pod("a3", "a", false, "Pending");
    expect((await evict("a3")).code).toBe(201);
  });

  it("waits for a budget that the controller has not looked at yet", async () => {
    await pod("b1", "b");
    await budget("b", "b", { observedGeneration: 0, disruptionsAllowed: 1 });
    const { code, body } = await evict("b1");
    expect([code, body.details.retryAfterSeconds]).toEqual([429, 10]);
    expect(body.details.causes[0].message).toBe("The disruption budget b is still being processed by the server.");
  });

  it("says that the budget could not be worked out", async () => {
    await pod("f1", "f");
    const conditions = [{ type: "DisruptionAllowed", status: "False", reason: "SyncFailed", message: "no scale" }];
    await budget("f", "f", { disruptionsAllowed: 0, conditions });
    expect((await evict("f1")).body.details.causes[0].message).toBe(
      "The disruption budget f does not allow evicting pods currently because it failed sync: no scale",
    );
  });

  it("of a pod that is not ready costs nothing while enough others are, or when the budget says so", async () => {
    await pod("u1", "u", false);
    await budget("u", "u", { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 1 });
    expect((await evict("u1")).code).toBe(429);
    await api.send("PATCH", `${BUDGETS}/u/status`, { status: { currentHealthy: 1 } }, MERGE);
    expect((await evict("u1")).code).toBe(201);
    await pod("v1", "v", false);
    await budget("v", "v", { disruptionsAllowed: 0, desiredHealthy: 1 }, { unhealthyPodEvictionPolicy: "AlwaysAllow" });
    expect((await evict("v1")).code).toBe(201);
  });

  it("is refused when two budgets claim the pod, the name differs, or it is another pod by now", async () => {
    await pod("t1", "t");
    await budget("t", "t", { disruptionsAllowed: 1 });
    await budget("t-too", "t", { disruptionsAllowed: 1 });
    expect(await evict("t1")).toMatchObject({
      code: 500,
      body: {
        message: "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
      },
    });
    await pod("w1", "w");
    expect((await evict("w1", { metadata: { name: "other" } })).code).toBe(400);
    expect((await evict("w1", { deleteOptions: { preconditions: { uid: "no" } } })).code).toBe(409);
    expect(await going("w1")).toBe(false);
    expect((await evict("nobody")).code).toBe(404);
  });
});

describe("kubectl drain", () => {
  let rig: Omit<Rig, "evict">;
  beforeAll(async () => {
    rig = await startCluster(api.server.objects);
    for (const name of ["d1", "d2"]) await rig.addNode(name);
  });
  afterAll(() => rig.close());

  it("empties a node without going below the budget, in kubectl's words, and uncordon lets pods back", async () => {
    const labels = { app: "drained" };
    await rig.apply(DEPLOYMENTS, {
      metadata: { name: "drained", namespace: "default" },
      spec: {
        replicas: 4,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "nginx" }] } },
      },
    });
    await api.kubectl("create", "pdb", "drained", "--selector=app=drained", "--min-available=3");
    const mine = () =>
      rig.objects
        .cache(PODS)
        .list()
        .filter((one) => one.metadata.labels?.app === "drained" && one.metadata.deletionTimestamp === undefined);
    const ready = () => mine().filter((one) => one.status?.podIP !== undefined).length;
    await eventually("up", () => ready() === 4);
    await eventually("counted", () =>
      api.store.list("policy/poddisruptionbudgets").some(({ text }) => text.includes('"disruptionsAllowed":1')),
    );
    expect((await api.kubectl("get", "pdb", "drained", "--no-headers")).out).toMatch(/^drained +3 +N\/A +1 +\S+\n$/);
    let least = 4;
    rig.objects.cache(PODS).onChange(() => {
      least = Math.min(least, ready());
    });
    const drained = await api.kubectl("drain", "d1", "--ignore-daemonsets", "--timeout=18s");
    expect([drained.code, drained.out.split("\n")[0], drained.out.trim().split("\n").at(-1)]).toEqual([
      0,
      "node/d1 cordoned",
      "node/d1 drained",
    ]);
    expect(least).toBeGreaterThanOrEqual(3);
    await eventually("elsewhere", () => ready() === 4 && mine().every((one) => one.spec?.nodeName === "d2"));
    expect((await api.kubectl("uncordon", "d1")).out).toBe("node/d1 uncordoned\n");
    await eventually("taken off", () => rig.objects.cache(NODES).get("d1")?.spec?.taints === undefined);
  });
});

it("kinds that nobody here runs are refused in words that say so", async () => {
  const set = {
    metadata: { name: "s" },
    spec: {
      serviceName: "s",
      selector: { matchLabels: { a: "s" } },
      template: { metadata: { labels: { a: "s" } }, spec: { containers: [{ name: "c", image: "nginx" }] } },
    },
  };
  const { code, body } = await api.send("POST", "/apis/apps/v1/namespaces/default/statefulsets", set);
  expect([code, body.message]).toEqual([
    422,
    'StatefulSet.apps "s" is invalid: spec: Forbidden: the Berth sandbox does not run StatefulSets: use a Deployment here, or a real cluster',
  ]);
  for (const args of [
    ["create", "job", "x", "--image=nginx"],
    ["autoscale", "deployment", "drained", "--max=3"],
    ["create", "cronjob", "x", "--image=nginx", "--schedule=* * * * *"],
  ]) {
    const result = await api.kubectl(...args);
    expect([result.code, result.err]).toEqual([1, expect.stringContaining("the Berth sandbox serves no ")]);
  }
});
