import type { Deployment, ReplicaSet } from "#api/kubernetes/workloads";
import { DEPLOYMENTS, REPLICA_SETS } from "#api/resources";
import type { Json } from "#sandbox/kinds/definition";
import { num, obj, sameJson, str, strings, without } from "#sandbox/kinds/json";
import { asObject } from "./context.ts";
import { rollingOf } from "./deployment-math.ts";
import { ownerReference } from "./owners.ts";
import { templateHash } from "./template-hash.ts";

const HASH = "pod-template-hash";
const REVISION = "deployment.kubernetes.io/revision";
const HISTORY = "deployment.kubernetes.io/revision-history";
const DESIRED = "deployment.kubernetes.io/desired-replicas";
const MAX = "deployment.kubernetes.io/max-replicas";
// Written by kubectl or by this controller about one object; not copied to the ReplicaSet.
const OWN_ANNOTATIONS = [
  "kubectl.kubernetes.io/last-applied-configuration",
  REVISION,
  HISTORY,
  DESIRED,
  MAX,
  "deprecated.deployment.rollback.to",
];

/** The template as it was before the hash label was put on. */
function plainTemplate(workload: Deployment | ReplicaSet): Json {
  const template = obj(workload.spec?.template);
  const metadata = obj(template.metadata);
  const labels = without(obj(metadata.labels), HASH);
  return { ...template, metadata: { ...metadata, labels } };
}

/** The oldest ReplicaSet with the Deployment's template. */
export function findNewSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const wanted = plainTemplate(deployment);
  return sets.find((set) => sameJson(plainTemplate(set), wanted));
}

export function revisionOf(set: ReplicaSet): number {
  return num(Number(set.metadata.annotations?.[REVISION] ?? "0"));
}

const latest = (sets: readonly ReplicaSet[]) => sets.reduce((most, set) => Math.max(most, revisionOf(set)), 0);

function copiedAnnotations(deployment: Deployment): Readonly<Record<string, string>> {
  const own = Object.entries(strings(deployment.metadata.annotations));
  return Object.fromEntries(own.filter(([key]) => !OWN_ANNOTATIONS.includes(key)));
}

/** The ReplicaSet of a template that has none yet. */
export function newReplicaSet(deployment: Deployment, old: readonly ReplicaSet[], replicas: number): ReplicaSet {
  const { name = "", namespace } = deployment.metadata;
  const template = obj(deployment.spec?.template);
  const hash = templateHash(template, num(obj(deployment.status).collisionCount));
  const labels = { ...strings(obj(template.metadata).labels), [HASH]: hash };
  const selector = obj(deployment.spec?.selector);
  const minReadySeconds = obj(deployment.spec).minReadySeconds;
  return asObject(REPLICA_SETS, {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: { ...copiedAnnotations(deployment), ...desired(deployment), [REVISION]: String(latest(old) + 1) },
      ownerReferences: [obj(ownerReference(DEPLOYMENTS, deployment))],
    },
    spec: {
      replicas,
      ...(num(minReadySeconds) > 0 && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...obj(selector.matchLabels), [HASH]: hash } },
      template: { ...template, metadata: { ...obj(template.metadata), labels } },
    },
  });
}

/** What must change on the ReplicaSet in force: the newest revision number, and the Deployment's wish. Null: nothing. */
export function revisionPatch(deployment: Deployment, set: ReplicaSet, old: readonly ReplicaSet[]): Json | null {
  const have = strings(set.metadata.annotations);
  const revision = Math.max(revisionOf(set), latest(old) + 1);
  const changes: Record<string, string> = { ...copiedAnnotations(deployment), ...desired(deployment) };
  if (revision !== revisionOf(set)) {
    changes[REVISION] = String(revision);
    const history = (have[HISTORY] ?? "").split(",").filter((text) => text !== "");
    if (revisionOf(set) > 0) changes[HISTORY] = [...history, String(revisionOf(set))].join(",");
  }
  const news = Object.entries(changes).filter(([key, value]) => have[key] !== value);
  const minReady = num(obj(deployment.spec).minReadySeconds);
  const ready = num(obj(set.spec).minReadySeconds) === minReady ? {} : { spec: { minReadySeconds: minReady } };
  if (news.length === 0 && Object.keys(ready).length === 0) return null;
  return { metadata: { annotations: Object.fromEntries(news) }, ...ready };
}

const strategyOf = (deployment: Deployment) => obj(obj(deployment.spec).strategy);
export const isRecreate = (deployment: Deployment) => str(strategyOf(deployment).type) === "Recreate";

/** The limits of a Deployment's rolling update. */
export function limitsOf(deployment: Deployment) {
  const { maxSurge, maxUnavailable } = obj(strategyOf(deployment).rollingUpdate);
  return rollingOf(deployment.spec?.replicas ?? 1, maxSurge, maxUnavailable);
}

/** Whether the Deployment's replicas have changed since its sets were scaled last. */
export function isResized(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  const wanted = String(deployment.spec?.replicas ?? 1);
  return sets.some((set) => {
    const noted = set.metadata.annotations?.[DESIRED];
    return (set.spec?.replicas ?? 0) > 0 && noted !== undefined && noted !== wanted;
  });
}

/** The set has all the pods of a Deployment of this size, and they are available. */
export function isSaturated(set: ReplicaSet, replicas: number): boolean {
  const noted = set.metadata.annotations?.[DESIRED];
  return (
    set.spec?.replicas === replicas && noted === String(replicas) && (set.status?.availableReplicas ?? 0) === replicas
  );
}

export function maxReplicasOf(set: ReplicaSet): number | undefined {
  const noted = Number(set.metadata.annotations?.[MAX] ?? "NaN");
  return Number.isInteger(noted) ? noted : undefined;
}

/** The Deployment's status still says that it is paused. */
export function isMarkedPaused(deployment: Deployment): boolean {
  return deployment.status?.conditions?.some((one) => one.reason === "DeploymentPaused") === true;
}

/** What the ReplicaSet's annotations say about the Deployment's wish. */
export function desired(deployment: Deployment): Readonly<Record<string, string>> {
  const replicas = deployment.spec?.replicas ?? 1;
  const surge = isRecreate(deployment) ? 0 : limitsOf(deployment).maxSurge;
  return {
    [DESIRED]: String(replicas),
    [MAX]: String(replicas + surge),
  };
}
