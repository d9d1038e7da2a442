import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KubeObject } from "#api/kubernetes/objects";
import { DAEMON_SETS, DEPLOYMENTS, EVENTS, POD_DISRUPTION_BUDGETS, PODS } from "#api/resources";
import {
  allowance,
  budgetConditions,
  budgetCounts,
  disruptionsAllowed,
  stillDisrupted,
} from "#sandbox/controllers/disruption-math";
import { obj } from "#sandbox/kinds/json";
import { eventually, podsOf, type Rig, startRig } from "./rig.ts";

describe("the figures of a budget", () => {
  const rows: [string, object, number, number, { expected: number; desired: number }, number][] = [
    ["minAvailable counts the pods that are there", { minAvailable: 2 }, 3, 0, { expected: 3, desired: 2 }, 1],
    [
      "minAvailable in percent rounds up, of what is asked for",
      { minAvailable: "50%" },
      2,
      5,
      { expected: 5, desired: 3 },
      2,
    ],
    ["maxUnavailable counts from what is asked for", { maxUnavailable: 1 }, 2, 3, { expected: 3, desired: 2 }, 1],
    ["maxUnavailable in percent rounds up", { maxUnavailable: "30%" }, 5, 5, { expected: 5, desired: 3 }, 2],
    ["maxUnavailable beyond all pods asks for none", { maxUnavailable: 9 }, 3, 3, { expected: 3, desired: 0 }, 3],
    ["nothing may be evicted where there is nothing", { minAvailable: 0 }, 0, 0, { expected: 0, desired: 0 }, 0],
    [
      "a budget that asks for more than there is allows nothing",
      { minAvailable: 4 },
      3,
      0,
      { expected: 3, desired: 4 },
      0,
    ],
  ];
  it.each(rows)("%s", (_name, spec, pods, scale, counts, allowed) => {
    expect(budgetCounts({ ...spec }, pods, scale)).toEqual(counts);
    expect(disruptionsAllowed(counts, Math.max(pods, scale))).toBe(allowed);
  });

  it("keep an eviction that is under way for two minutes", () => {
    const at = Date.parse("2026-01-01T00:00:00Z");
    const disruptedPods = {
      going: "2026-01-01T00:00:00Z",
      gone: "2026-01-01T00:00:00Z",
      waits: "2026-01-01T00:00:00Z",
    };
    const pods = new Map([
      ["going", { terminating: true }],
      ["waits", { terminating: false }],
    ]);
    const budget = { status: { disruptedPods } };
    expect(stillDisrupted(budget, pods, at + 1_000)).toEqual({
      kept: { waits: "2026-01-01T00:00:00Z" },
      overdue: [],
      againMs: 119_000,
    });
    expect(stillDisrupted(budget, pods, at + 120_000)).toEqual({ kept: {}, overdue: ["waits"] });
  });

  it("move the condition's time only when its status moves", () => {
    const [first] = budgetConditions({}, allowance(1), "a");
    const [same] = budgetConditions({ status: { conditions: [first ?? {}] } }, allowance(2), "b");
    const [turned] = budgetConditions({ status: { conditions: [first ?? {}] } }, allowance(0), "c");
    expect([first, same, turned].map((one) => [one?.reason, one?.lastTransitionTime])).toEqual([
      ["SufficientPods", "a"],
      ["SufficientPods", "a"],
      ["InsufficientPods", "c"],
    ]);
  });
});

describe("PodDisruptionBudgets", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await startRig();
    for (const name of ["n1", "n2", "n3"]) await rig.addNode(name);
  });
  afterEach(() => rig.close());

  const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "nginx" }] } };
  const selector = { matchLabels: { app: "web" } };
  const deploy = (replicas: number) =>
    rig.apply(DEPLOYMENTS, {
      metadata: { name: "web", namespace: "default" },
      spec: { replicas, selector, template },
    });
  const budget = (spec: object, name = "web") =>
    rig.apply(POD_DISRUPTION_BUDGETS, { metadata: { name, namespace: "default" }, spec: { selector, ...spec } });
  const status = (name = "web") =>
    obj(obj(rig.objects.cache<KubeObject>(POD_DISRUPTION_BUDGETS).get(`default/${name}`)).status);
  const reasonOf = (name = "web") => {
    const conditions = status(name).conditions;
    return Array.isArray(conditions) ? obj(conditions[0]).reason : undefined;
  };
  const event = (reason: string) =>
    rig.objects
      .cache(EVENTS)
      .list()
      .find((one) => one.reason === reason)?.message;

  it("count the pods of a Deployment and follow its size", async () => {
    await deploy(3);
    await budget({ maxUnavailable: 1 });
    await eventually("one", () => status().disruptionsAllowed === 1 && status().currentHealthy === 3);
    expect(status()).toMatchObject({ expectedPods: 3, desiredHealthy: 2, observedGeneration: 1 });
    expect(reasonOf()).toBe("SufficientPods");
    rig.holdBack("web");
    const body = { spec: { replicas: 5 } };
    await rig.objects.patch(DEPLOYMENTS, { name: "web", namespace: "default" }, { kind: "merge", body });
    await eventually("two more are missing", () => status().desiredHealthy === 4);
    expect(status()).toMatchObject({ disruptionsAllowed: 0, currentHealthy: 3, expectedPods: 5 });
    expect(reasonOf()).toBe("InsufficientPods");
  });

  it("let one pod go, refuse the next with their figures, and let it go when the successor is ready", async () => {
    await deploy(3);
    await budget({ minAvailable: 2 });
    await eventually("one", () => status().disruptionsAllowed === 1);
    rig.holdBack("web");
    const [first, second] = podsOf(rig, "web").map((pod) => pod.metadata.name ?? "");
    rig.evict(first ?? "");
    expect(() => rig.evict(second ?? "")).toThrow("Cannot evict pod as it would violate the pod's disruption budget.");
    await eventually("the first is gone", () => rig.objects.cache(PODS).get(`default/${first}`) === undefined);
    await eventually("two healthy", () => status().currentHealthy === 2);
    expect(() => rig.evict(second ?? "")).toThrow("disruption budget");
    rig.holdBack(null);
    await eventually("one more", () => status().disruptionsAllowed === 1);
    rig.evict(second ?? "");
    await eventually("settled", () => status().currentHealthy === 3);
    expect(status().disruptedPods).toBeUndefined();
  });

  it("say that a DaemonSet's pods cannot be counted by share", async () => {
    await rig.apply(DAEMON_SETS, { metadata: { name: "web", namespace: "default" }, spec: { selector, template } });
    await budget({ maxUnavailable: 1 });
    await eventually("refused", () => reasonOf() === "SyncFailed");
    await eventually("said", () => event("CalculateExpectedPodCountFailed"));
    expect(event("CalculateExpectedPodCountFailed")).toBe(
      "Failed to calculate the number of expected pods: daemonsets.apps does not implement the scale subresource",
    );
    await budget({ minAvailable: 1 }, "by-number");
    await eventually("counted", () => status("by-number").disruptionsAllowed === 2);
  });

  it("say that they found no pods, or pods that nobody manages", async () => {
    await budget({ minAvailable: 1 });
    expect(await eventually("said", () => event("NoPods"))).toBe("No matching pods found");
    await rig.apply(PODS, {
      metadata: { name: "alone", namespace: "default", labels: { app: "web" } },
      spec: { containers: [{ name: "c", image: "nginx" }] },
    });
    await budget({ maxUnavailable: 1 }, "share");
    expect(await eventually("said", () => event("UnmanagedPods"))).toBe(
      'Pods selected by this PodDisruptionBudget (selector: &LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.',
    );
  });
});
