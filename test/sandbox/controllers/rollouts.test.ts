import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  DAEMON_SETS,
  DEPLOYMENTS,
  EVENTS,
  PODS,
  REPLICA_SETS,
  VALIDATING_WEBHOOK_CONFIGURATIONS,
} from "#api/resources";
import { oldSetReplicas, proportionalReplicas, rollingOf } from "#sandbox/controllers/deployment-math";
import { eventually, nodesOf, podsOf, type Rig, startRig } from "./rig.ts";

const template = (app: string, image = "nginx:1", more: object = {}) => ({
  metadata: { labels: { app } },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image, ...more }] },
});

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
  for (const name of ["n1", "n2", "n3"]) await rig.addNode(name);
});
afterEach(() => rig.close());

const live = (app: string) => podsOf(rig, app).filter((pod) => pod.metadata.deletionTimestamp === undefined);
const images = (app: string) => live(app).map((pod) => pod.spec?.containers[0]?.image ?? "");
const current = () => rig.objects.cache(DEPLOYMENTS).get("default/web");
const patch = (spec: object) =>
  rig.objects.patch(DEPLOYMENTS, { name: "web", namespace: "default" }, { kind: "merge", body: { spec } });
const condition = (type: string) => current()?.status?.conditions?.find((one) => one.type === type);
const sizes = () => {
  const sets = rig.objects.cache(REPLICA_SETS).list();
  return Object.fromEntries(
    sets.map((set) => [set.spec?.template?.spec?.containers?.[0]?.image, set.spec?.replicas ?? 0]),
  );
};
async function web(replicas: number, more: object = {}): Promise<void> {
  await rig.apply(DEPLOYMENTS, {
    metadata: { name: "web", namespace: "default" },
    spec: { replicas, selector: { matchLabels: { app: "web" } }, template: template("web"), ...more },
  });
  await eventually("up", () => current()?.status?.availableReplicas === replicas);
}
/** A rollout to an image whose pods never become ready, as far as it gets. */
async function stuck(): Promise<void> {
  rig.holdBack("bad");
  await patch({ template: template("web", "bad:1") });
  await eventually("stuck", () => images("web").includes("bad:1"));
}

describe("proportional scaling", () => {
  const rows: [string, ReturnType<typeof rollingOf>, [string, number, number][], Record<string, number>][] = [
    [
      "gives each set its share of what is added",
      rollingOf(10, 0, 1),
      [
        ["new", 2, 6],
        ["old", 4, 6],
      ],
      { new: 3, old: 7 },
    ],
    [
      "takes most from the largest",
      rollingOf(3, 0, 1),
      [
        ["new", 2, 12],
        ["old", 10, 12],
      ],
      { new: 1, old: 2 },
    ],
    [
      "ends everything when scaled to nothing",
      rollingOf(0, 1, 0),
      [
        ["new", 2, 5],
        ["old", 3, 5],
      ],
      { new: 0, old: 0 },
    ],
    [
      "changes nothing when the size with surge is the same",
      rollingOf(4, 1, 0),
      [
        ["new", 1, 5],
        ["old", 4, 5],
      ],
      { new: 1, old: 4 },
    ],
    [
      "lets the newer of two equals grow first",
      rollingOf(5, 0, 1),
      [
        ["new", 2, 4],
        ["old", 2, 4],
      ],
      { new: 3, old: 2 },
    ],
  ];
  it.each(rows)("%s", (_name, rolling, sets, wanted) => {
    const sized = sets.map(([name, replicas, maxReplicas]) => ({ name, replicas, maxReplicas }));
    expect(Object.fromEntries(proportionalReplicas(rolling, sized))).toEqual(wanted);
  });
  it("leaves old pods alone while the new ones that are not available use up what may be missing", () => {
    const next = oldSetReplicas(rollingOf(4, 1, 1), { replicas: 2, available: 0 }, [{ replicas: 3, available: 3 }]);
    expect(next).toEqual([3]);
  });
});

describe("a Deployment", () => {
  it("scaled in the middle of a stuck rollout grows mostly by pods that work", async () => {
    await web(4);
    await stuck();
    await patch({ replicas: 12 });
    await eventually("grown", () => live("web").length === 15);
    await eventually("mostly old", () => (sizes()["nginx:1"] ?? 0) >= 9);
    expect(condition("Progressing")?.status).toBe("True");
  });

  it("paused in the middle of a rollout stands still, says so, and goes on when resumed", async () => {
    await web(4, { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } });
    await stuck();
    await patch({ paused: true });
    await eventually("paused", () => condition("Progressing")?.reason === "DeploymentPaused");
    expect(condition("Progressing")).toMatchObject({ status: "Unknown", message: "Deployment is paused" });
    rig.holdBack(null);
    await eventually("the one that started is ready", () => current()?.status?.availableReplicas === 5);
    expect(sizes()).toEqual({ "nginx:1": 4, "bad:1": 1 });
    const reasons: string[] = [];
    rig.objects.cache(DEPLOYMENTS).onChange(() => reasons.push(condition("Progressing")?.reason ?? ""));
    await patch({ paused: false });
    await eventually("done", () => condition("Progressing")?.reason === "NewReplicaSetAvailable");
    expect(reasons).toContain("DeploymentResumed");
    await eventually("replaced", () => images("web").join() === "bad:1,bad:1,bad:1,bad:1");
  });

  it("that does not get on in time says so, and stays as it is when paused then", async () => {
    await web(1, { progressDeadlineSeconds: 1, minReadySeconds: 0 });
    await stuck();
    await eventually("timed out", () => condition("Progressing")?.reason === "ProgressDeadlineExceeded");
    expect(condition("Progressing")?.message).toMatch(/^ReplicaSet "web-\w{10}" has timed out progressing\.$/);
    expect(condition("Progressing")?.status).toBe("False");
    await patch({ paused: true });
    await eventually("seen", () => current()?.status?.observedGeneration === current()?.metadata.generation);
    expect(condition("Progressing")?.reason).toBe("ProgressDeadlineExceeded");
  });

  it("keeps no more old templates than revisionHistoryLimit says", async () => {
    await web(1, { revisionHistoryLimit: 1 });
    for (const image of ["nginx:2", "nginx:3", "nginx:4"]) {
      await patch({ template: template("web", image) });
      await eventually("rolled out", () => images("web").join() === image && current()?.status?.replicas === 1);
    }
    await eventually("two sets", () => Object.keys(sizes()).length === 2);
    expect(sizes()).toEqual({ "nginx:3": 0, "nginx:4": 1 });
  });

  it("whose pods the server refuses shows its words as ReplicaFailure, until they are taken", async () => {
    await web(1);
    await rig.apply(VALIDATING_WEBHOOK_CONFIGURATIONS, {
      metadata: { name: "away" },
      webhooks: [
        {
          name: "pods.example.test",
          rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
          clientConfig: { url: "https://127.0.0.1:9/" },
          failurePolicy: "Fail",
          sideEffects: "None",
          admissionReviewVersions: ["v1"],
          timeoutSeconds: 1,
        },
      ],
    });
    await patch({ replicas: 2 });
    await eventually("refused", () => condition("ReplicaFailure"));
    expect(condition("ReplicaFailure")).toMatchObject({ status: "True", reason: "FailedCreate" });
    expect(condition("ReplicaFailure")?.message).toContain("pods.example.test");
    await rig.objects.remove(VALIDATING_WEBHOOK_CONFIGURATIONS, { name: "away" });
    await eventually("taken", () => current()?.status?.availableReplicas === 2);
    await eventually("said no more", () => condition("ReplicaFailure") === undefined);
  });
});

describe("a DaemonSet", () => {
  const agent = (updateStrategy: object) =>
    rig.apply(DAEMON_SETS, {
      metadata: { name: "agent", namespace: "default" },
      spec: { updateStrategy, selector: { matchLabels: { app: "agent" } }, template: template("agent", "agent:1") },
    });
  const status = () => rig.objects.cache(DAEMON_SETS).get("default/agent")?.status;
  const update = () =>
    rig.objects.patch(
      DAEMON_SETS,
      { name: "agent", namespace: "default" },
      { kind: "merge", body: { spec: { template: template("agent", "agent:2") } } },
    );

  it("with OnDelete replaces only what somebody deletes", async () => {
    await agent({ type: "OnDelete" });
    await eventually("up", () => status()?.numberAvailable === 3);
    await update();
    await eventually("seen", () => status()?.observedGeneration === 2);
    expect(images("agent")).toEqual(["agent:1", "agent:1", "agent:1"]);
    const [first] = live("agent");
    await rig.objects.remove(PODS, { name: first?.metadata.name ?? "", namespace: "default" });
    await eventually("one replaced", () => images("agent").sort().join() === "agent:1,agent:1,agent:2");
    expect(status()).toMatchObject({ desiredNumberScheduled: 3 });
  });

  it("with maxSurge starts the new pod beside the old one, which goes when the new one is ready", async () => {
    await agent({ rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
    await eventually("up", () => status()?.numberAvailable === 3);
    const ready = () => live("agent").filter((pod) => pod.status?.podIP !== undefined).length;
    let [least, most] = [3, 3];
    rig.objects.cache(PODS).onChange(() => {
      least = Math.min(least, ready());
      most = Math.max(most, live("agent").length);
    });
    await update();
    await eventually("replaced", () => images("agent").join() === "agent:2,agent:2,agent:2");
    await eventually("counted", () => status()?.updatedNumberScheduled === 3 && status()?.numberAvailable === 3);
    expect([least, most]).toEqual([3, 4]);
  });
});

describe("what belongs to whom", () => {
  const relabel = (name: string | undefined, app: string) =>
    rig.objects.patch(
      PODS,
      { name: name ?? "", namespace: "default" },
      { kind: "merge", body: { metadata: { labels: { app } } } },
    );

  it("a pod whose label is taken away is let go and replaced, and taken in again when it gets the label back", async () => {
    await web(2);
    const [taken] = live("web");
    await relabel(taken?.metadata.name, "debug");
    const freed = await eventually("let go", () =>
      live("debug").find((pod) => pod.metadata.ownerReferences === undefined),
    );
    expect(freed.metadata.uid).toBe(taken?.metadata.uid);
    await eventually("replaced", () => live("web").length === 2 && current()?.status?.availableReplicas === 2);
    await relabel(taken?.metadata.name, "web");
    await eventually("one too many goes", () => live("debug").length === 0 && live("web").length === 2);
    expect(live("web").every((pod) => pod.metadata.ownerReferences?.length === 1)).toBe(true);
  });

  it("a Deployment that is made again takes in the ReplicaSet and pods that the one before left behind", async () => {
    await web(2);
    const before = live("web").map((pod) => pod.metadata.uid);
    const name = { name: "web", namespace: "default" };
    await rig.objects.remove(DEPLOYMENTS, name, { propagation: "Orphan" });
    await eventually("orphans", () => current() === undefined && Object.keys(sizes()).length === 1);
    await web(2);
    expect(Object.keys(sizes())).toHaveLength(1);
    expect(live("web").map((pod) => pod.metadata.uid)).toEqual(before);
    const owner = rig.objects.cache(REPLICA_SETS).list()[0]?.metadata.ownerReferences?.[0];
    expect(owner).toMatchObject({ kind: "Deployment", uid: current()?.metadata.uid });
  });

  it("a DaemonSet lets go of a pod whose label is taken away, and puts another on its node", async () => {
    const labels = { app: "agent" };
    await rig.apply(DAEMON_SETS, {
      metadata: { name: "agent", namespace: "default" },
      spec: { selector: { matchLabels: labels }, template: template("agent") },
    });
    await eventually("up", () => live("agent").length === 3);
    const [taken] = live("agent");
    await relabel(taken?.metadata.name, "debug");
    await eventually("let go", () => live("debug")[0]?.metadata.ownerReferences === undefined);
    await eventually("one on each node", () => nodesOf(live("agent")).join() === "n1,n2,n3");
    expect(live("debug").map((pod) => pod.metadata.uid)).toEqual([taken?.metadata.uid]);
  });
});

describe("Events of a rollout", () => {
  it("name the ReplicaSet and how it was scaled", async () => {
    await web(2);
    await patch({ replicas: 3 });
    const said = await eventually("said", () => {
      const found = rig.objects
        .cache(EVENTS)
        .list()
        .filter((event) => event.reason === "ScalingReplicaSet");
      return found.length === 2 && found.map(({ message = "" }) => message.replace(/web-\w{10}/, "web-HASH"));
    });
    expect(said).toEqual(["Scaled up replica set web-HASH from 0 to 2", "Scaled up replica set web-HASH from 2 to 3"]);
  });
});
