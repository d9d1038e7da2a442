import type { DaemonSet, Deployment } from "#api/kubernetes/workloads";

export interface Rollout {
  readonly done: boolean;
  /** "2 of 3 ready" */
  readonly text: string;
}

/** As `kubectl rollout status`: observed, every pod of the newest template, all available. */
export function deploymentRollout(one: Deployment | null | undefined): Rollout {
  if (one === null || one === undefined) return { done: false, text: "not there yet" };
  const wanted = one.spec?.replicas ?? 1;
  const { updatedReplicas = 0, readyReplicas = 0, replicas = 0, observedGeneration = 0 } = one.status ?? {};
  const seen = observedGeneration >= (one.metadata.generation ?? 0);
  const done = seen && updatedReplicas >= wanted && readyReplicas >= wanted && replicas <= wanted;
  return { done, text: `${Math.min(readyReplicas, wanted)} of ${wanted} ready` };
}

export function daemonSetRollout(one: DaemonSet | null | undefined): Rollout {
  if (one === null || one === undefined) return { done: false, text: "not there yet" };
  const { desiredNumberScheduled = 0, updatedNumberScheduled, numberReady = 0, observedGeneration } = one.status ?? {};
  const seen = observedGeneration !== undefined && observedGeneration >= (one.metadata.generation ?? 0);
  const updated = updatedNumberScheduled ?? 0;
  const done =
    seen && desiredNumberScheduled > 0 && updated >= desiredNumberScheduled && numberReady >= desiredNumberScheduled;
  return { done, text: `${numberReady} of ${desiredNumberScheduled} ready` };
}
