import type { Pod } from "#api/kubernetes/pods";

export function podCondition(pod: Pod, type: string) {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export function isReady(pod: Pod): boolean {
  return podCondition(pod, "Ready")?.status === "True";
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

/** Counts towards a controller's replicas. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && !isTerminating(pod);
}

/**
 * Milliseconds until a ready pod counts as available (0: it does), null when it is not ready.
 * `minReadySeconds` is the workload's.
 */
export function untilAvailable(pod: Pod, minReadySeconds: number, now: number): number | null {
  const ready = podCondition(pod, "Ready");
  if (ready?.status !== "True") return null;
  if (minReadySeconds === 0) return 0;
  const since = Date.parse(ready.lastTransitionTime ?? "");
  return Number.isNaN(since) ? 0 : Math.max(0, since + minReadySeconds * 1000 - now);
}

export function isAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  return untilAvailable(pod, minReadySeconds, now) === 0;
}

function restartsOf(pod: Pod): number {
  return (pod.status?.containerStatuses ?? []).reduce((most, status) => Math.max(most, status.restartCount ?? 0), 0);
}

/** Order in which pods are given up: unscheduled, pending, not ready, crowded nodes, newly ready, restarted, new. */
export function byDispensability(siblings: readonly Pod[]): (a: Pod, b: Pod) => number {
  const crowd = new Map<string, number>();
  for (const { spec } of siblings) crowd.set(spec?.nodeName ?? "", (crowd.get(spec?.nodeName ?? "") ?? 0) + 1);
  const rank = (pod: Pod): readonly number[] => [
    pod.spec?.nodeName === undefined ? 0 : 1,
    pod.status?.phase === "Running" ? 2 : pod.status?.phase === "Pending" ? 0 : 1,
    isReady(pod) ? 1 : 0,
    Number(pod.metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"] ?? "0") || 0,
    -(crowd.get(pod.spec?.nodeName ?? "") ?? 0),
    -time(podCondition(pod, "Ready")?.lastTransitionTime),
    -restartsOf(pod),
    -time(pod.metadata.creationTimestamp),
  ];
  return (a, b) => {
    const [left, right] = [rank(a), rank(b)];
    for (const [index, value] of left.entries()) {
      const difference = value - (right[index] ?? 0);
      if (difference !== 0) return difference;
    }
    return (a.metadata.name ?? "") < (b.metadata.name ?? "") ? 1 : -1;
  };
}

function time(text: string | undefined): number {
  const value = Date.parse(text ?? "");
  return Number.isNaN(value) ? 0 : value;
}
