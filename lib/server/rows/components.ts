import type { ComponentRow } from "#api/dashboard/components";
import type { Lease } from "#api/kubernetes/cluster";
import type { Pod } from "#api/kubernetes/pods";
import type { DaemonSet, Deployment } from "#api/kubernetes/workloads";
import type { ConfigurationState, SpeakerState } from "#api/metallb";
import { ANNOTATION, LABEL } from "#api/names";
import { componentOf, podMessage, podReady, podStartedAt, restartsOf } from "./pods.ts";

export interface ComponentFacts {
  readonly deployments: readonly Deployment[];
  readonly daemonSets: readonly DaemonSet[];
  readonly pods: readonly Pod[];
  readonly configStates: readonly ConfigurationState[];
  readonly speakerStates: readonly SpeakerState[];
  /** Of the system namespace. */
  readonly leases: readonly Lease[];
  readonly sandbox: boolean;
  /** Set when the API server does not let this user write. */
  readonly forbidden: boolean;
}

type Component = ComponentRow["component"];

export function componentRows(facts: ComponentFacts): readonly ComponentRow[] {
  return [componentRow("controller", facts), componentRow("speaker", facts)];
}

export function componentRow(component: Component, facts: ComponentFacts): ComponentRow {
  const workload = component === "controller" ? controllerOf(facts.deployments) : speakerOf(facts.daemonSets);
  const pods = facts.pods
    .filter((pod) => componentOf(pod) === component)
    .sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
  const counts = workload === undefined ? { desired: 0, ready: 0 } : countsOf(workload);
  return {
    component,
    installed: workload !== undefined,
    image: workload?.spec?.template?.spec?.containers[0]?.image ?? null,
    ...counts,
    pods: component === "controller" ? controllerPods(pods, facts) : pods.map((pod) => speakerPod(pod, facts)),
    actionsBlockedBy: blockedBy(facts),
  };
}

/** Null when install, restart and uninstall may be pressed. */
export function blockedBy(facts: { readonly sandbox: boolean; readonly forbidden: boolean }): string | null {
  if (!facts.sandbox) return "Installing on real clusters comes later. Use your own manifests, Helm chart or GitOps.";
  return facts.forbidden ? "Your account may not change workloads in this namespace." : null;
}

export function controllerOf(deployments: readonly Deployment[]): Deployment | undefined {
  return named(deployments, "controller");
}

export function speakerOf(daemonSets: readonly DaemonSet[]): DaemonSet | undefined {
  return named(daemonSets, "speaker");
}

/** Upstream's manifests say "controller", its Helm chart "<release>-controller". */
function named<T extends Deployment | DaemonSet>(workloads: readonly T[], name: string): T | undefined {
  const exact = workloads.find((one) => one.metadata.name === name);
  return exact ?? workloads.find((one) => one.metadata.name?.endsWith(`-${name}`));
}

function countsOf(workload: Deployment | DaemonSet): { desired: number; ready: number } {
  const status: Readonly<Record<string, unknown>> = workload.status ?? {};
  const count = (key: string) => (typeof status[key] === "number" ? status[key] : 0);
  if (workload.kind === "DaemonSet" || "desiredNumberScheduled" in status) {
    return { desired: count("desiredNumberScheduled"), ready: count("numberReady") };
  }
  const replicas = (workload as Deployment).spec?.replicas;
  return { desired: replicas ?? 1, ready: count("readyReplicas") };
}

type PodRow = ComponentRow["pods"][number];

function speakerPod(pod: Pod, facts: ComponentFacts): PodRow {
  const state = facts.speakerStates.find((one) => one.metadata.name === pod.spec?.nodeName)?.status;
  const own = state?.pod === undefined || state.pod === pod.metadata.name;
  return podRow("speaker", pod, facts, { memoryBytes: own ? (state?.memoryBytes ?? null) : null, leadership: null });
}

/** The one that leads is the one that the Lease names: "<pod>_<anything>", as every Kubernetes component writes it. */
function controllerPods(pods: readonly Pod[], facts: ComponentFacts): PodRow[] {
  const holds = ({ spec }: Lease, { metadata }: Pod) => spec?.holderIdentity?.split("_")[0] === metadata.name;
  const lease = facts.leases.find((one) => pods.some((pod) => holds(one, pod)));
  return pods.map((pod) => {
    const leads = lease !== undefined && holds(lease, pod);
    const memory = Number(leads ? lease.metadata.annotations?.[ANNOTATION.memoryBytes] : Number.NaN);
    const renewedAt = lease?.spec?.renewTime ?? null;
    return podRow("controller", pod, facts, {
      memoryBytes: Number.isFinite(memory) ? memory : null,
      leadership: lease === undefined ? null : { lease: lease.metadata.name ?? "", leads, renewedAt },
    });
  });
}

function podRow(
  component: Component,
  pod: Pod,
  facts: ComponentFacts,
  told: Pick<PodRow, "memoryBytes" | "leadership">,
): PodRow {
  const node = pod.spec?.nodeName ?? null;
  return {
    pod: pod.metadata.name ?? "",
    node,
    phase: pod.metadata.deletionTimestamp === undefined ? (pod.status?.phase ?? "Unknown") : "Terminating",
    ready: podReady(pod),
    restarts: restartsOf(pod),
    startedAt: podStartedAt(pod),
    message: podMessage(pod),
    configuration: configurationOf(component, node, facts.configStates),
    ...told,
  };
}

function configurationOf(
  component: Component,
  node: string | null,
  states: readonly ConfigurationState[],
): { result: "Valid" | "Invalid" | "Unknown"; message: string } {
  const found = states.find(({ metadata }) => {
    const labels = metadata.labels ?? {};
    if (labels[LABEL.componentType] === component) return component === "controller" || labels[LABEL.nodeName] === node;
    return metadata.name === (component === "controller" ? "controller" : `speaker-${node}`);
  });
  return { result: found?.status?.result ?? "Unknown", message: found?.status?.errorSummary ?? "" };
}
