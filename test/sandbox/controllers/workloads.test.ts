import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CONTROLLER_REVISIONS, DAEMON_SETS, DEPLOYMENTS, EVENTS, NODES, PODS, REPLICA_SETS } from "#api/resources";
import { eventually, nodesOf, podsOf, type Rig, startRig } from "./rig.ts";

const template = (app: string, image = "nginx:1", more: object = {}) => ({
  metadata: { labels: { app } },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image }], ...more },
});
const deployment = (name: string, replicas: number, more: object = {}) => ({
  metadata: { name, namespace: "default" },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name), ...more },
});

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
  for (const name of ["n1", "n2", "n3"]) await rig.addNode(name);
});
afterEach(() => rig.close());

const live = (app: string) => podsOf(rig, app).filter((pod) => pod.metadata.deletionTimestamp === undefined);
const ready = (app: string) => live(app).filter((pod) => pod.status?.podIP !== undefined);
const current = (name: string) => rig.objects.cache(DEPLOYMENTS).get(`default/${name}`);
const messages = () =>
  rig.objects
    .cache(EVENTS)
    .list()
    .map((event) => `${event.reason}: ${event.message}`.replace(/-[a-z0-9]{10}/, "-HASH"));
const patch = (name: string, spec: object) =>
  rig.objects.patch(DEPLOYMENTS, { name, namespace: "default" }, { kind: "merge", body: { spec } });

describe("Deployments", () => {
  it("spread their pods over the nodes and report availability in the real words", async () => {
    await rig.apply(DEPLOYMENTS, deployment("web", 3));
    const done = await eventually("three available", () => {
      const now = current("web");
      return now?.status?.conditions?.find((one) => one.reason === "NewReplicaSetAvailable") && now;
    });
    expect(nodesOf(live("web"))).toEqual(["n1", "n2", "n3"]);
    expect(done.status).toMatchObject({ replicas: 3, updatedReplicas: 3, availableReplicas: 3, observedGeneration: 1 });
    expect(done.status?.conditions?.map((one) => [one.type, one.status, one.reason])).toEqual([
      ["Available", "True", "MinimumReplicasAvailable"],
      ["Progressing", "True", "NewReplicaSetAvailable"],
    ]);
    expect(done.metadata.annotations).toMatchObject({ "deployment.kubernetes.io/revision": "1" });
    const [set] = rig.objects.cache(REPLICA_SETS).list();
    const hash = set?.metadata.labels?.["pod-template-hash"] ?? "";
    expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{10}$/);
    for (const pod of live("web")) expect(pod.metadata.name).toMatch(new RegExp(`^web-${hash}-[a-z0-9]{5}$`));
    await eventually("event", () =>
      messages().includes("ScalingReplicaSet: Scaled up replica set web-HASH from 0 to 3"),
    );
  });

  it("never fall below replicas - maxUnavailable during a rollout, and keep the old template for an undo", async () => {
    await rig.apply(DEPLOYMENTS, deployment("web", 4));
    await eventually("up", () => ready("web").length === 4);
    let least = 4;
    let most = 4;
    const stop = rig.objects.cache(PODS).onChange(() => {
      least = Math.min(least, ready("web").length);
      most = Math.max(most, live("web").length);
    });
    await patch("web", { template: template("web", "nginx:2") });
    await eventually("rolled out", () => {
      const status = current("web")?.status;
      return (
        status?.observedGeneration === 2 &&
        status.updatedReplicas === 4 &&
        status.replicas === 4 &&
        ready("web").length === 4
      );
    });
    stop();
    expect(least).toBeGreaterThanOrEqual(3);
    expect(most).toBeLessThanOrEqual(5);
    const sets = rig.objects.cache(REPLICA_SETS).list();
    expect(sets.map((set) => set.spec?.replicas).sort()).toEqual([0, 4]);
    await patch("web", { template: template("web", "nginx:1") });
    await eventually("undone", () => {
      const image = ready("web").filter((pod) => pod.spec?.containers[0]?.image === "nginx:1");
      return image.length === 4 && live("web").length === 4;
    });
    expect(rig.objects.cache(REPLICA_SETS).list()).toHaveLength(2);
    const annotation = await eventually("revision 3", () => {
      const value = current("web")?.metadata.annotations?.["deployment.kubernetes.io/revision"];
      return value === "3" && value;
    });
    expect(annotation).toBe("3");
  });

  it("keep the new pods out while they do not become ready", async () => {
    await rig.apply(DEPLOYMENTS, deployment("web", 3));
    await eventually("up", () => ready("web").length === 3);
    const old = new Set(live("web").map((pod) => pod.metadata.name));
    await patch("web", { template: template("web", "bad:1") });
    const stuck = await eventually("surge pod", () => live("web").find((pod) => !old.has(pod.metadata.name)));
    expect(stuck).toBeDefined();
    rig.holdBack(stuck.metadata.name?.slice(0, -6) ?? "");
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(ready("web").length).toBeGreaterThanOrEqual(3);
  });

  it("recreate stops every old pod before the first new one", async () => {
    await rig.apply(DEPLOYMENTS, deployment("web", 3, { strategy: { type: "Recreate" } }));
    await eventually("up", () => ready("web").length === 3);
    let mixed = false;
    rig.objects.cache(PODS).onChange(() => {
      mixed ||= new Set(podsOf(rig, "web").map((pod) => pod.spec?.containers[0]?.image)).size > 1;
    });
    await patch("web", { template: template("web", "nginx:2") });
    await eventually(
      "replaced",
      () => ready("web").length === 3 && ready("web").every((pod) => pod.spec?.containers[0]?.image === "nginx:2"),
    );
    expect(mixed).toBe(false);
  });

  it("scale down from the nodes that have most, and a deleted pod is replaced", async () => {
    await rig.apply(DEPLOYMENTS, deployment("web", 5));
    await eventually("five", () => ready("web").length === 5);
    await patch("web", { replicas: 3 });
    await eventually("three", () => podsOf(rig, "web").length === 3);
    expect(nodesOf(live("web"))).toEqual(["n1", "n2", "n3"]);
    const [victim] = live("web");
    await rig.objects.remove(PODS, { name: victim?.metadata.name ?? "", namespace: "default" });
    await eventually(
      "replaced",
      () => ready("web").length === 3 && !live("web").some((pod) => pod.metadata.uid === victim?.metadata.uid),
    );
    expect(nodesOf(live("web"))).toEqual(["n1", "n2", "n3"]);
  });

  it("take everything they own with them when deleted", async () => {
    await rig.apply(DEPLOYMENTS, deployment("web", 2));
    await eventually("up", () => ready("web").length === 2);
    await rig.objects.remove(DEPLOYMENTS, { name: "web", namespace: "default" });
    await eventually("all gone", () => podsOf(rig, "web").length + rig.objects.cache(REPLICA_SETS).list().length === 0);
  });

  it("leave their pods behind when orphaned, wait for them in the foreground", async () => {
    await rig.apply(DEPLOYMENTS, deployment("web", 2));
    await eventually("up", () => ready("web").length === 2);
    await rig.objects.remove(DEPLOYMENTS, { name: "web", namespace: "default" }, { propagation: "Orphan" });
    await eventually("gone", () => current("web") === undefined);
    const [set] = rig.objects.cache(REPLICA_SETS).list();
    expect(set?.metadata.ownerReferences ?? []).toEqual([]);
    expect(live("web")).toHaveLength(2);
    await rig.objects.remove(
      REPLICA_SETS,
      { name: set?.metadata.name ?? "", namespace: "default" },
      { propagation: "Foreground" },
    );
    await eventually("set gone", () => rig.objects.cache(REPLICA_SETS).list().length === 0);
    expect(podsOf(rig, "web")).toEqual([]);
  });
});

describe("DaemonSets", () => {
  const daemon = (more: object = {}) => ({
    metadata: { name: "agent", namespace: "default" },
    spec: { selector: { matchLabels: { app: "agent" } }, template: template("agent", "agent:1", more) },
  });
  const status = () => rig.objects.cache(DAEMON_SETS).get("default/agent")?.status;

  it("run one pod on every node, also on a new one and on a cordoned one", async () => {
    await rig.objects.patch(NODES, { name: "n2" }, { kind: "merge", body: { spec: { unschedulable: true } } });
    await rig.apply(DAEMON_SETS, daemon());
    await eventually("three ready", () => status()?.numberReady === 3);
    await rig.addNode("n4");
    await eventually("four ready", () => status()?.numberAvailable === 4);
    expect(nodesOf(live("agent"))).toEqual(["n1", "n2", "n3", "n4"]);
    expect(status()).toMatchObject({ desiredNumberScheduled: 4, updatedNumberScheduled: 4, numberMisscheduled: 0 });
  });

  it("replace pods of an older template one at a time and keep the old template as a revision", async () => {
    await rig.apply(DAEMON_SETS, daemon());
    await eventually("up", () => status()?.numberAvailable === 3);
    let least = 3;
    rig.objects.cache(PODS).onChange(() => {
      least = Math.min(least, ready("agent").length);
    });
    const body = { spec: { template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": "now" } } } } };
    await rig.objects.patch(DAEMON_SETS, { name: "agent", namespace: "default" }, { kind: "merge", body });
    await eventually("updated", () => {
      const now = status();
      return now?.observedGeneration === 2 && now.updatedNumberScheduled === 3 && now.numberAvailable === 3;
    });
    expect(least).toBeGreaterThanOrEqual(2);
    expect(nodesOf(live("agent"))).toEqual(["n1", "n2", "n3"]);
    const revisions = rig.objects
      .cache(CONTROLLER_REVISIONS)
      .list()
      .map((one) => one.revision);
    expect(revisions.sort()).toEqual([1, 2]);
  });

  it("stay off nodes that their selector or a taint excludes", async () => {
    const taints = [{ key: "dedicated", value: "x", effect: "NoSchedule" }];
    await rig.objects.patch(NODES, { name: "n1" }, { kind: "merge", body: { spec: { taints } } });
    await rig.objects.patch(NODES, { name: "n3" }, { kind: "merge", body: { metadata: { labels: { disk: "ssd" } } } });
    await rig.apply(DAEMON_SETS, daemon());
    await eventually("two", () => status()?.numberReady === 2);
    expect(nodesOf(live("agent"))).toEqual(["n2", "n3"]);
    const body = { spec: { template: { spec: { nodeSelector: { disk: "ssd" } } } } };
    await rig.objects.patch(DAEMON_SETS, { name: "agent", namespace: "default" }, { kind: "merge", body });
    // Its old pod goes, too: for a while there is one that has no node yet.
    await eventually("one", () => status()?.numberReady === 1 && nodesOf(live("agent")).join() === "n3");
  });
});
