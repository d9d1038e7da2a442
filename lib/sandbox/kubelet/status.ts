import type { Condition } from "#api/kubernetes/objects";
import type { ContainerStatus, Pod } from "#api/kubernetes/pods";
import type { ContainerView, PodView } from "./pod-view.ts";

export type ContainerState =
  | { readonly kind: "waiting"; readonly reason: string; readonly message?: string }
  | { readonly kind: "running"; readonly startedAt: string }
  | Terminated;
export interface Terminated {
  readonly kind: "terminated";
  readonly exitCode: number;
  readonly signal?: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAt: string | null;
  readonly finishedAt: string;
  readonly containerId: string | null;
}

/** What the kubelet knows of one container. */
export interface ContainerFacts {
  readonly view: ContainerView;
  readonly state: ContainerState;
  readonly last: Terminated | null;
  readonly restartCount: number;
  readonly started: boolean;
  readonly ready: boolean;
  readonly containerId: string | null;
}

interface PodFactsForStatus {
  readonly pod: PodView;
  readonly init: readonly ContainerFacts[];
  readonly containers: readonly ContainerFacts[];
  readonly podAddress: string | null;
  /** The pod's address of the other family, where it has one. */
  readonly secondAddress?: string | null;
  readonly hostAddress: string;
  readonly startTime: string;
  /** Conditions as they are in the cluster: others' are kept, transition times carried over. */
  readonly conditions: readonly Condition[];
  /** RFC 3339, for conditions that change now. */
  readonly now: string;
  /** All containers have been stopped for good: what ran is over, whatever the restart policy says. */
  readonly over: boolean;
}

type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed";
export type PodStatus = NonNullable<Pod["status"]>;

/** core/v1 PodStatus as a 1.36 kubelet writes it; `qosClass` is the API server's. Pure. */
export function podStatus(facts: PodFactsForStatus): PodStatus {
  const phase = podPhase(facts);
  const { pod, podAddress } = facts;
  const observed = pod.generation === null ? {} : { observedGeneration: pod.generation };
  const second = facts.secondAddress ? [{ ip: facts.secondAddress }] : [];
  const address = podAddress === null ? {} : { podIP: podAddress, podIPs: [{ ip: podAddress }, ...second] };
  return {
    ...observed,
    phase,
    conditions: conditionsOf(facts, phase),
    hostIP: facts.hostAddress,
    hostIPs: [{ ip: facts.hostAddress }],
    ...address,
    startTime: facts.startTime,
    ...(facts.init.length === 0 ? {} : { initContainerStatuses: facts.init.map(containerStatus) }),
    containerStatuses: facts.containers.map(containerStatus),
  };
}

/** A kubelet's `getPhase`. */
export function podPhase({ pod, init, containers, over }: PodFactsForStatus): PodPhase {
  const endedBadly = (facts: ContainerFacts) => facts.state.kind === "terminated" && facts.state.exitCode !== 0;
  if (pod.restartPolicy === "Never" && init.some((facts) => !facts.view.sidecar && endedBadly(facts))) return "Failed";
  const ended = containers.filter(({ state }) => state.kind === "terminated");
  if (over && ended.length > 0) return ended.some(endedBadly) ? "Failed" : "Succeeded";
  if (!init.every(initDone)) return "Pending";
  if (containers.some(({ state, last }) => state.kind === "waiting" && last === null)) return "Pending";
  if (ended.length < containers.length || pod.restartPolicy === "Always") return "Running";
  if (!ended.some(endedBadly)) return "Succeeded";
  return pod.restartPolicy === "Never" ? "Failed" : "Running";
}

/** A sidecar is done when it has started; another init container when it has succeeded. */
export function initDone({ view, state, started }: ContainerFacts): boolean {
  if (view.sidecar) return started;
  return state.kind === "terminated" && state.exitCode === 0;
}

function conditionsOf(facts: PodFactsForStatus, phase: PodPhase): Condition[] {
  const { init, containers, podAddress, pod } = facts;
  const names = (list: readonly ContainerFacts[]) => `[${list.map(({ view }) => view.name).join(" ")}]`;
  const finished = phase === "Succeeded" ? "PodCompleted" : phase === "Failed" ? "PodFailed" : null;
  const unfinished = init.filter((each) => !initDone(each));
  const unready = [...init.filter(({ view }) => view.sidecar), ...containers].filter(({ ready }) => !ready);
  const initialized: Partial<Condition> =
    unfinished.length === 0 || phase === "Succeeded"
      ? { status: "True", ...(phase === "Succeeded" ? { reason: "PodCompleted" } : {}) }
      : {
          status: "False",
          reason: "ContainersNotInitialized",
          message: `containers with incomplete status: ${names(unfinished)}`,
        };
  const readiness: Partial<Condition> =
    finished !== null
      ? { status: "False", reason: finished }
      : unready.length === 0
        ? { status: "True" }
        : {
            status: "False",
            reason: "ContainersNotReady",
            message: `containers with unready status: ${names(unready)}`,
          };
  const wanted: readonly (Partial<Condition> & { readonly type: string })[] = [
    { type: "PodReadyToStartContainers", status: podAddress === null || finished !== null ? "False" : "True" },
    { type: "Initialized", ...initialized },
    { type: "Ready", ...readiness },
    { type: "ContainersReady", ...readiness },
    { type: "PodScheduled", status: "True" },
  ];
  const own = wanted.map((condition) => settled(condition, facts, pod.generation));
  const foreign = facts.conditions.filter(({ type }) => !wanted.some((condition) => condition.type === type));
  return [...own, ...foreign];
}

/** Adds what every condition has; `lastTransitionTime` moves only when the status does. */
function settled(
  wanted: Partial<Condition> & { readonly type: string },
  { conditions, now }: PodFactsForStatus,
  generation: number | null,
): Condition {
  const before = conditions.find(({ type }) => type === wanted.type);
  const status = wanted.status ?? "Unknown";
  return {
    ...wanted,
    status,
    lastProbeTime: null,
    lastTransitionTime: before?.status === status ? (before.lastTransitionTime ?? now) : now,
    ...(generation === null ? {} : { observedGeneration: generation }),
  };
}

function containerStatus(facts: ContainerFacts): ContainerStatus {
  const { view, state, last, containerId } = facts;
  return {
    name: view.name,
    state: stateObject(state),
    lastState: last === null ? {} : stateObject(last),
    ready: facts.ready,
    restartCount: facts.restartCount,
    image: view.image,
    imageID: containerId === null ? "" : `berth://${view.image}`,
    ...(containerId === null ? {} : { containerID: containerId }),
    started: facts.started,
  };
}

function stateObject(state: ContainerState): Record<string, Record<string, unknown>> {
  const { kind, ...fields } = state;
  if (kind !== "terminated") return { [kind]: fields };
  const { containerId, ...terminated } = fields as Omit<Terminated, "kind">;
  return { terminated: containerId === null ? terminated : { ...terminated, containerID: containerId } };
}

/** Reads back what an earlier kubelet wrote of a container; null when there is nothing. */
function readContainerState(value: unknown): ContainerState | null {
  if (typeof value !== "object" || value === null) return null;
  const { running, terminated, waiting } = value as Readonly<
    Record<string, Readonly<Record<string, unknown>> | undefined>
  >;
  const text = (field: unknown) => (typeof field === "string" ? field : null);
  if (running !== undefined) return { kind: "running", startedAt: text(running.startedAt) ?? "" };
  if (terminated !== undefined) {
    return {
      kind: "terminated",
      exitCode: typeof terminated.exitCode === "number" ? terminated.exitCode : 255,
      reason: text(terminated.reason) ?? "Unknown",
      startedAt: text(terminated.startedAt),
      finishedAt: text(terminated.finishedAt) ?? "",
      containerId: text(terminated.containerID),
    };
  }
  return waiting === undefined ? null : { kind: "waiting", reason: text(waiting.reason) ?? "" };
}

/**
 * What an earlier kubelet wrote of a container: what ran then has ended with the machine (exit 255, as after a reboot).
 * `ended` is set when it had ended and, by `over`, is not to be started again.
 */
export function recovered(
  status: ContainerStatus,
  over: boolean,
  now: string,
): { readonly restartCount: number; readonly last: Terminated | null; readonly ended: Terminated | null } {
  const restartCount = status.restartCount ?? 0;
  const [state, before] = [readContainerState(status.state), readContainerState(status.lastState)];
  const last = before?.kind === "terminated" ? before : null;
  if (state?.kind === "terminated")
    return over ? { restartCount, last, ended: state } : { restartCount, last: state, ended: null };
  if (state?.kind !== "running") return { restartCount, last, ended: null };
  const cut: Terminated = {
    kind: "terminated",
    exitCode: 255,
    reason: "Unknown",
    startedAt: state.startedAt,
    finishedAt: now,
    containerId: status.containerID ?? null,
  };
  return { restartCount, last: cut, ended: null };
}
