import type { Pod } from "#api/kubernetes/pods";
import type { Deployment, ReplicaSet } from "#api/kubernetes/workloads";
import { DEPLOYMENTS, keyOf, PODS, REPLICA_SETS } from "#api/resources";
import { Fault } from "#core/errors";
import { num, obj, sameJson } from "#sandbox/kinds/json";
import { claim, isClaimedBy, isOrphanOf } from "./claim.ts";
import { type ControllerContext, enqueueAll, removeIfThere, startLoop } from "./context.ts";
import { newSetReplicas, oldSetReplicas, proportionalReplicas } from "./deployment-math.ts";
import {
  desired,
  findNewSet,
  isMarkedPaused,
  isRecreate,
  isResized,
  isSaturated,
  limitsOf,
  maxReplicasOf,
  newReplicaSet,
  revisionOf,
  revisionPatch,
} from "./deployment-sets.ts";
import { deploymentStatus, type Progress } from "./deployment-status.ts";
import { controllerOf, controllerUid, ownerKeys } from "./owners.ts";
import { Index, Pending } from "./pending.ts";
import { isFinished } from "./pods.ts";

const COMPONENT = "deployment-controller";

/** Rolls Deployments out over ReplicaSets: one per template, kept for `rollout undo`. */
export function startDeployments(context: ControllerContext): Promise<void> {
  const { objects, clock, events } = context;
  const deployments = objects.cache(DEPLOYMENTS);
  const sets = objects.cache(REPLICA_SETS);
  const pods = objects.cache(PODS);
  const owned = new Index(sets, controllerUid);
  const podsOf = new Index(pods, controllerUid);
  const inNamespace = new Index(sets, (set) => [set.metadata.namespace ?? ""]);
  const pending = new Pending(sets, clock);

  const reconcile = async (key: string) => {
    const deployment = deployments.get(key);
    if (deployment === undefined) return {};
    const uid = deployment.metadata.uid ?? "";
    await claim(
      objects,
      { owner: DEPLOYMENTS, child: REPLICA_SETS },
      deployment,
      inNamespace.of(deployment.metadata.namespace ?? ""),
    );
    const mine = [
      ...owned.of(uid).filter((set) => isClaimedBy(deployment, set)),
      ...pending.missing((set) => controllerUid(set)[0] === uid),
    ].sort(byAge);
    const known = findNewSet(deployment, mine);
    const old = mine.filter((set) => set !== known);
    if (deployment.metadata.deletionTimestamp !== undefined)
      return writeStatus(deployment, known, old, { kind: "none" });
    if (obj(deployment.spec).paused === true) {
      await resize(deployment, known, old);
      return writeStatus(deployment, known, old, { kind: "paused" });
    }
    if (isMarkedPaused(deployment)) return writeStatus(deployment, known, old, { kind: "resumed" });
    if (!isRecreate(deployment) && isResized(deployment, mine)) {
      await resize(deployment, known, old);
      return writeStatus(deployment, known, old, { kind: "none" });
    }
    if (known === undefined) return create(deployment, old);
    const newSet = await keepRevision(deployment, known, old);
    const done = await roll(deployment, newSet, old);
    if (done) await forgetOldSets(deployment, newSet, old);
    return writeStatus(deployment, newSet, old, { kind: "found", set: newSet.metadata.name ?? "" });
  };

  const create = async (deployment: Deployment, old: readonly ReplicaSet[]) => {
    const recreate = isRecreate(deployment);
    if (recreate && (await emptyOldSets(deployment, old)))
      return writeStatus(deployment, undefined, old, { kind: "none" });
    const replicas = newSetReplicas(limitsOf(deployment), 0, total(old));
    const first = newReplicaSet(deployment, old, recreate ? (deployment.spec?.replicas ?? 1) : replicas);
    try {
      const set = await objects.create(REPLICA_SETS, first);
      pending.add(set);
      if ((set.spec?.replicas ?? 0) > 0) recordScale(deployment, set, 0, set.spec?.replicas ?? 0);
      await noteRevision(deployment, revisionOf(set));
      return await writeStatus(deployment, set, old, { kind: "created", set: set.metadata.name ?? "" });
    } catch (thrown) {
      const fault = Fault.from(thrown);
      if (/being terminated/.test(fault.message)) return {};
      if (fault.code !== "already_exists") throw thrown;
      // Another template with our hash: count it, so that the next name differs.
      const collisionCount = num(obj(deployment.status).collisionCount) + 1;
      await patchStatus(deployment, { collisionCount });
      return { requeueAfterMs: 50 };
    }
  };

  const keepRevision = async (deployment: Deployment, set: ReplicaSet, old: readonly ReplicaSet[]) => {
    const patch = revisionPatch(deployment, set, old);
    const { name = "", namespace } = set.metadata;
    const next =
      patch === null ? set : await objects.patch(REPLICA_SETS, { name, namespace }, { kind: "merge", body: patch });
    await noteRevision(deployment, revisionOf(next));
    return next;
  };

  const noteRevision = async (deployment: Deployment, revision: number) => {
    const annotation = "deployment.kubernetes.io/revision";
    if (deployment.metadata.annotations?.[annotation] === String(revision)) return;
    const { name = "", namespace } = deployment.metadata;
    const body = { metadata: { annotations: { [annotation]: String(revision) } } };
    await objects.patch(DEPLOYMENTS, { name, namespace }, { kind: "merge", body });
  };

  /** One step towards the new ReplicaSet; true when there is nothing left to do. */
  const roll = async (deployment: Deployment, newSet: ReplicaSet, old: readonly ReplicaSet[]): Promise<boolean> => {
    if (isRecreate(deployment)) {
      if (await emptyOldSets(deployment, old)) return false;
      return !(await scaleTo(deployment, newSet, deployment.spec?.replicas ?? 1));
    }
    const limits = limitsOf(deployment);
    const have = newSet.spec?.replicas ?? 0;
    const grown = newSetReplicas(limits, have, have + total(old));
    if (await scaleTo(deployment, newSet, grown)) return false;
    const next = oldSetReplicas(limits, countOf(newSet), old.map(countOf));
    for (const [index, set] of old.entries()) await scaleTo(deployment, set, next[index] ?? 0);
    return total(old) === 0;
  };

  /**
   * The Deployment was scaled: its only set follows, in the middle of a rollout each set gets its share. Nothing is
   * rolled out by it.
   */
  const resize = async (deployment: Deployment, newSet: ReplicaSet | undefined, old: readonly ReplicaSet[]) => {
    const replicas = deployment.spec?.replicas ?? 1;
    const all = newSet === undefined ? old : [...old, newSet];
    const active = all.filter((set) => (set.spec?.replicas ?? 0) > 0);
    const [only] = active;
    const lone = active.length === 0 ? (newSet ?? old.at(-1)) : active.length === 1 ? only : undefined;
    if (lone !== undefined) return scaleTo(deployment, lone, replicas);
    if (newSet !== undefined && isSaturated(newSet, replicas)) return emptyOldSets(deployment, old);
    // Which of them is to run is decided when all old pods are gone.
    if (isRecreate(deployment)) return false;
    const sized = active.toReversed().map((set) => ({
      name: set.metadata.name ?? "",
      replicas: set.spec?.replicas ?? 0,
      maxReplicas: maxReplicasOf(set) ?? deployment.status?.replicas ?? 0,
    }));
    const next = proportionalReplicas(limitsOf(deployment), sized);
    for (const set of active) await scaleTo(deployment, set, next.get(set.metadata.name ?? "") ?? 0);
    return true;
  };

  /** Scales old sets to nothing; true while any of their pods is still there. */
  const emptyOldSets = async (deployment: Deployment, old: readonly ReplicaSet[]): Promise<boolean> => {
    for (const set of old) await scaleTo(deployment, set, 0);
    const left = old.flatMap((set) => podsOf.of(set.metadata.uid ?? "")).filter((pod: Pod) => !isFinished(pod));
    return left.length > 0;
  };

  const scaleTo = async (deployment: Deployment, set: ReplicaSet, replicas: number): Promise<boolean> => {
    const before = set.spec?.replicas ?? 0;
    const annotations = desired(deployment);
    const noted = Object.entries(annotations).every(([key, value]) => set.metadata.annotations?.[key] === value);
    if (before === replicas && (noted || replicas === 0)) return false;
    const { name = "", namespace, resourceVersion } = set.metadata;
    const body = { metadata: { resourceVersion, annotations }, spec: { replicas } };
    await objects.patch(REPLICA_SETS, { name, namespace }, { kind: "merge", body });
    if (before !== replicas) recordScale(deployment, set, before, replicas);
    return before !== replicas;
  };

  const recordScale = (deployment: Deployment, set: ReplicaSet, before: number, after: number) => {
    const direction = after > before ? "up" : "down";
    const message = `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${after}`;
    const about = { resource: DEPLOYMENTS, object: deployment, component: COMPONENT };
    events.record({ ...about, reason: "ScalingReplicaSet", message });
  };

  const forgetOldSets = async (deployment: Deployment, newSet: ReplicaSet, old: readonly ReplicaSet[]) => {
    const limit = obj(deployment.spec).revisionHistoryLimit;
    const keep = typeof limit === "number" ? limit : 10;
    const idle = old
      .filter((set) => set !== newSet && (set.spec?.replicas ?? 0) === 0 && (set.status?.replicas ?? 0) === 0)
      .sort((a, b) => revisionOf(a) - revisionOf(b));
    for (const set of idle.slice(0, Math.max(0, idle.length - keep))) await removeIfThere(objects, REPLICA_SETS, set);
  };

  const writeStatus = async (
    deployment: Deployment,
    newSet: ReplicaSet | undefined,
    old: readonly ReplicaSet[],
    progress: Progress,
  ) => {
    const { status, requeueAfterMs } = deploymentStatus(deployment, newSet, old, progress, clock.now());
    // A merge patch removes what it names with null: counts that are zero again.
    const gone = Object.keys(obj(deployment.status)).filter((field) => !(field in status));
    const cleared = Object.fromEntries(gone.map((field) => [field, null]));
    if (!sameJson(status, deployment.status)) await patchStatus(deployment, { ...cleared, ...status });
    return requeueAfterMs === undefined ? {} : { requeueAfterMs };
  };

  const patchStatus = async (deployment: Deployment, status: object) => {
    const { name = "", namespace } = deployment.metadata;
    await objects.patch(DEPLOYMENTS, { name, namespace }, { kind: "merge", body: { status }, subresource: "status" });
  };

  const loop = startLoop(context, "deployment", reconcile, 4);
  enqueueAll(deployments, loop.queue);
  enqueueAll(sets, loop.queue, (set) => {
    if (controllerOf(set) !== undefined) return ownerKeys(set, "Deployment");
    return deployments
      .list()
      .filter((one) => isOrphanOf(one, set))
      .map(keyOf);
  });
  // Recreate waits for the last old pod, which is no change of any ReplicaSet's status.
  pods.onChange((_key, now, before) => {
    if (now !== undefined || before === undefined) return;
    const [setKey = ""] = ownerKeys(before, "ReplicaSet");
    const set = sets.get(setKey);
    for (const key of set === undefined ? [] : ownerKeys(set, "Deployment")) loop.queue.add(key);
  });
  return loop.done;
}

const total = (sets: readonly ReplicaSet[]) => sets.reduce((sum, set) => sum + (set.spec?.replicas ?? 0), 0);

const countOf = (set: ReplicaSet) => ({
  replicas: set.spec?.replicas ?? 0,
  available: set.status?.availableReplicas ?? 0,
});

function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const [left, right] = [a, b].map((set) => Date.parse(set.metadata.creationTimestamp ?? "") || 0);
  return (left ?? 0) - (right ?? 0) || ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1);
}
