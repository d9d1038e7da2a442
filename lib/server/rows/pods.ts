import type { Pod } from "#api/kubernetes/pods";
import { last } from "../last.ts";

/** Labels by which upstream's and Berth's manifests mark their pods. */
export function componentOf(pod: Pod): "controller" | "speaker" | null {
  const labels = pod.metadata.labels ?? {};
  const name = labels.component ?? labels["app.kubernetes.io/component"];
  if (name === "controller" || name === "speaker") return name;
  const owner = pod.metadata.ownerReferences?.find((one) => one.controller)?.name ?? "";
  if (owner === "speaker" || owner.endsWith("-speaker")) return "speaker";
  return /^(?:.+-)?controller-[a-z0-9]+$/.test(owner) ? "controller" : null;
}

interface PodState {
  readonly name: string;
  readonly ready: boolean;
  readonly restarts: number;
}

export function podReady(pod: Pod): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  return pod.status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false;
}

export function restartsOf(pod: Pod): number {
  return (pod.status?.containerStatuses ?? []).reduce((sum, one) => sum + (one.restartCount ?? 0), 0);
}

/** The speaker pod of a node; of several (one terminating) the one that is not. */
export function speakerPodOf(pods: readonly Pod[], node: string): PodState | null {
  return speakersByNode(pods).get(node) ?? null;
}

const speakersByNode = last((pods: readonly Pod[]): ReadonlyMap<string, PodState> => {
  const found = new Map<string, Pod>();
  for (const pod of pods) {
    const node = pod.spec?.nodeName;
    if (node === undefined || componentOf(pod) !== "speaker") continue;
    const held = found.get(node);
    if (held === undefined || held.metadata.deletionTimestamp !== undefined) found.set(node, pod);
  }
  const states = [...found].map(([node, pod]) => {
    const name = pod.metadata.name ?? "";
    return [node, { name, ready: podReady(pod), restarts: restartsOf(pod) }] as const;
  });
  return new Map(states);
});

/** What a waiting or ended container says, as `kubectl get pods` would in its STATUS column, with the message. */
export function podMessage(pod: Pod): string | null {
  for (const one of [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]) {
    const state = one.state?.waiting ?? one.state?.terminated;
    const reason = text(state?.reason);
    if (reason === undefined || reason === "Completed" || reason === "PodInitializing") continue;
    const message = text(state?.message);
    return message === undefined ? reason : `${reason}: ${message}`;
  }
  return pod.status?.message ?? null;
}

export function podStartedAt(pod: Pod): string | null {
  for (const one of pod.status?.containerStatuses ?? []) {
    const started = text(one.state?.running?.startedAt);
    if (started !== undefined) return started;
  }
  return pod.status?.startTime ?? null;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
