import type { Deployment, ReplicaSet } from "#api/kubernetes/workloads";
import type { Json } from "#sandbox/kinds/definition";
import { num, obj, objects, str } from "#sandbox/kinds/json";
import { timestamp } from "./context.ts";
import { rollingOf } from "./deployment-math.ts";

/** Why a Deployment is where it is: the words of the real controller's conditions. */
export type Progress =
  | { readonly kind: "created" | "found"; readonly set: string }
  | { readonly kind: "none" }
  | { readonly kind: "paused" }
  | { readonly kind: "resumed" };

const total = (sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number | undefined) =>
  sets.reduce((sum, set) => sum + (count(set) ?? 0), 0);

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** The status of a Deployment from its ReplicaSets. `requeueAfterMs` is when its progress deadline passes. */
export function deploymentStatus(
  deployment: Deployment,
  newSet: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
  progress: Progress,
  now: number,
): { readonly status: Json; readonly requeueAfterMs?: number } {
  const all = newSet === undefined ? old : [newSet, ...old];
  const before = obj(deployment.status);
  const counts = countsOf(deployment, newSet, all);
  let conditions = [...objects(before.conditions)];
  conditions = setCondition(conditions, availability(deployment, counts), now);
  const { condition, requeueAfterMs } = progressCondition(deployment, newSet, counts, conditions, progress, now);
  if (condition !== null) conditions = setCondition(conditions, condition, now);
  const failing = all
    .flatMap((set) => objects(obj(set.status).conditions))
    .find((one) => one.type === "ReplicaFailure");
  if (failing === undefined) conditions = conditions.filter((one) => one.type !== "ReplicaFailure");
  else {
    const [reason, message] = [str(failing.reason), str(failing.message)];
    conditions = setCondition(conditions, { type: "ReplicaFailure", status: "True", reason, message }, now);
  }
  const status = {
    observedGeneration: deployment.metadata.generation ?? 1,
    ...shown(counts),
    ...(before.collisionCount !== undefined && { collisionCount: before.collisionCount }),
    conditions,
  };
  return { status, ...(requeueAfterMs !== undefined && { requeueAfterMs }) };
}

interface Counts {
  readonly replicas: number;
  readonly updatedReplicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  readonly unavailableReplicas: number;
}

function countsOf(_deployment: Deployment, newSet: ReplicaSet | undefined, all: readonly ReplicaSet[]): Counts {
  const availableReplicas = total(all, (set) => set.status?.availableReplicas);
  return {
    replicas: total(all, (set) => set.status?.replicas),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: total(all, (set) => set.status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, total(all, (set) => set.spec?.replicas) - availableReplicas),
  };
}

// Zeros are left out, as the server leaves them out.
function shown(counts: Counts): Json {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}

function availability(deployment: Deployment, counts: Counts): Condition {
  const replicas = deployment.spec?.replicas ?? 1;
  const { maxSurge, maxUnavailable } = obj(obj(obj(deployment.spec).strategy).rollingUpdate);
  const rolling = str(obj(obj(deployment.spec).strategy).type) !== "Recreate";
  const spare = rolling ? rollingOf(replicas, maxSurge, maxUnavailable).maxUnavailable : 0;
  return counts.availableReplicas >= replicas - spare
    ? {
        type: "Available",
        status: "True",
        reason: "MinimumReplicasAvailable",
        message: "Deployment has minimum availability.",
      }
    : {
        type: "Available",
        status: "False",
        reason: "MinimumReplicasUnavailable",
        message: "Deployment does not have minimum availability.",
      };
}

const progressing = (status: string, reason: string, message: string): Condition => ({
  type: "Progressing",
  status,
  reason,
  message,
});

function progressCondition(
  deployment: Deployment,
  newSet: ReplicaSet | undefined,
  counts: Counts,
  conditions: readonly Json[],
  progress: Progress,
  now: number,
): { readonly condition: Condition | null; readonly requeueAfterMs?: number } {
  const current = conditions.find((condition) => condition.type === "Progressing");
  if (progress.kind === "paused") {
    // That it came to nothing is the more important news.
    if (current?.reason === "ProgressDeadlineExceeded") return { condition: null };
    return { condition: progressing("Unknown", "DeploymentPaused", "Deployment is paused") };
  }
  if (progress.kind === "resumed") {
    return { condition: progressing("Unknown", "DeploymentResumed", "Deployment is resumed") };
  }
  if (progress.kind === "created") {
    return { condition: progressing("True", "NewReplicaSetCreated", `Created new replica set "${progress.set}"`) };
  }
  const name = newSet?.metadata.name ?? "";
  if (progress.kind === "found" && current === undefined) {
    return { condition: progressing("True", "FoundNewReplicaSet", `Found new replica set "${progress.set}"`) };
  }
  const finished = current?.reason === "NewReplicaSetAvailable" && counts.replicas === counts.updatedReplicas;
  if (finished) return { condition: null };
  const wanted = deployment.spec?.replicas ?? 1;
  const complete =
    counts.updatedReplicas === wanted && counts.replicas === wanted && counts.availableReplicas === wanted;
  if (complete) {
    const message = `ReplicaSet "${name}" has successfully progressed.`;
    return { condition: progressing("True", "NewReplicaSetAvailable", message) };
  }
  const deadlineMs = num(obj(deployment.spec).progressDeadlineSeconds) * 1000;
  if (hasProgressed(obj(deployment.status), counts)) {
    const condition = progressing("True", "ReplicaSetUpdated", `ReplicaSet "${name}" is progressing.`);
    return { condition, ...(deadlineMs > 0 && { requeueAfterMs: deadlineMs + 1000 }) };
  }
  const updated = Date.parse(str(current?.lastUpdateTime));
  if (deadlineMs === 0 || Number.isNaN(updated)) return { condition: null };
  const left = updated + deadlineMs - now;
  if (left > 0 || current?.reason === "ProgressDeadlineExceeded") {
    return { condition: null, ...(left > 0 && { requeueAfterMs: left + 1000 }) };
  }
  const message = `ReplicaSet "${name}" has timed out progressing.`;
  return { condition: progressing("False", "ProgressDeadlineExceeded", message) };
}

function hasProgressed(before: Json, now: Counts): boolean {
  const oldBefore = num(before.replicas) - num(before.updatedReplicas);
  const oldNow = now.replicas - now.updatedReplicas;
  return (
    now.updatedReplicas > num(before.updatedReplicas) ||
    oldNow < oldBefore ||
    now.readyReplicas > num(before.readyReplicas) ||
    now.availableReplicas > num(before.availableReplicas)
  );
}

/** Replaces the condition of this type; its transition time stays as long as its status does. */
function setCondition(conditions: readonly Json[], next: Condition, now: number): Json[] {
  const current = conditions.find((condition) => condition.type === next.type);
  const same = current?.status === next.status && current.reason === next.reason;
  // Progress restarts the clock of the deadline; every other repetition is no news.
  if (same && next.reason !== "ReplicaSetUpdated") return [...conditions];
  const time = timestamp(now);
  const lastTransitionTime = current?.status === next.status ? str(current.lastTransitionTime) || time : time;
  const others = conditions.filter((condition) => condition.type !== next.type);
  return [...others, { ...next, lastUpdateTime: time, lastTransitionTime }];
}
