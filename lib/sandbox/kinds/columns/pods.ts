import { humanDuration } from "../age.ts";
import type { Column, Json } from "../definition.ts";
import { at, metaOf, num, obj, objects, str } from "../json.ts";
import { AGE, column, NAME, orNone, wide } from "./common.ts";

interface Summary {
  readonly ready: number;
  readonly total: number;
  /** The word of the STATUS column. */
  readonly reason: string;
  readonly restarts: number;
  /** Milliseconds since the epoch of the last restart, 0 when unknown. */
  readonly lastRestart: number;
}

/** What `kubectl get pods` says about a pod; the same walk over its containers as the server's printer. */
function summarise(pod: Json): Summary {
  const inits = initSummary(pod);
  const initialised = inits.reason === null || conditionStatus(pod, "Initialized") === "True";
  const summary = initialised ? mainSummary(pod, inits) : { ...inits, reason: inits.reason ?? "" };
  return { ...summary, reason: finalReason(pod, summary.reason) };
}

function finalReason(pod: Json, reason: string): string {
  if (metaOf(pod).deletionTimestamp === undefined) return reason;
  if (at(pod, "status", "reason") === "NodeLost") return "Unknown";
  const phase = str(at(pod, "status", "phase"));
  return phase === "Succeeded" || phase === "Failed" ? reason : "Terminating";
}

function phaseReason(pod: Json): string {
  const gated = objects(at(pod, "status", "conditions")).some(
    (condition) => condition.type === "PodScheduled" && condition.reason === "SchedulingGated",
  );
  if (gated) return "SchedulingGated";
  return str(at(pod, "status", "reason")) || str(at(pod, "status", "phase"));
}

interface InitSummary {
  readonly reason: string | null;
  readonly ready: number;
  readonly total: number;
  readonly restarts: number;
  readonly lastRestart: number;
  readonly sidecarRestarts: number;
  readonly sidecarRestart: number;
}

function initSummary(pod: Json): InitSummary {
  const specs = objects(at(pod, "spec", "initContainers"));
  const sidecars = new Set(specs.filter((one) => one.restartPolicy === "Always").map((one) => str(one.name)));
  const total = objects(at(pod, "spec", "containers")).length + sidecars.size;
  let [ready, restarts, lastRestart, sidecarRestarts, sidecarRestart] = [0, 0, 0, 0, 0];
  const done = (reason: string | null): InitSummary => ({
    reason,
    ready,
    total,
    restarts,
    lastRestart,
    sidecarRestarts,
    sidecarRestart,
  });
  for (const [index, status] of objects(at(pod, "status", "initContainerStatuses")).entries()) {
    restarts += num(status.restartCount);
    lastRestart = Math.max(lastRestart, finishedAt(status));
    const sidecar = sidecars.has(str(status.name));
    if (sidecar) {
      sidecarRestarts += num(status.restartCount);
      sidecarRestart = Math.max(sidecarRestart, finishedAt(status));
    }
    const terminated = at(status, "state", "terminated");
    if (terminated !== undefined && num(obj(terminated).exitCode) === 0) continue;
    if (sidecar && status.started === true) {
      if (status.ready === true) ready += 1;
      continue;
    }
    if (terminated !== undefined) return done(`Init:${terminatedReason(obj(terminated))}`);
    const waiting = str(at(status, "state", "waiting", "reason"));
    return done(waiting !== "" && waiting !== "PodInitializing" ? `Init:${waiting}` : `Init:${index}/${specs.length}`);
  }
  return done(null);
}

function mainSummary(pod: Json, inits: InitSummary): Summary {
  let { ready, sidecarRestarts: restarts, sidecarRestart: lastRestart } = inits;
  let reason = inits.reason ?? phaseReason(pod);
  let running = false;
  for (const status of objects(at(pod, "status", "containerStatuses")).toReversed()) {
    restarts += num(status.restartCount);
    lastRestart = Math.max(lastRestart, finishedAt(status));
    const waiting = str(at(status, "state", "waiting", "reason"));
    const terminated = at(status, "state", "terminated");
    if (waiting !== "") reason = waiting;
    else if (terminated !== undefined) reason = terminatedReason(obj(terminated));
    else if (status.ready === true && at(status, "state", "running") !== undefined) {
      running = true;
      ready += 1;
    }
  }
  if (reason === "Completed" && running) reason = conditionStatus(pod, "Ready") === "True" ? "Running" : "NotReady";
  return { ready, total: inits.total, reason, restarts, lastRestart };
}

function terminatedReason(terminated: Json): string {
  const reason = str(terminated.reason);
  if (reason !== "") return reason;
  return num(terminated.signal) === 0 ? `ExitCode:${num(terminated.exitCode)}` : `Signal:${num(terminated.signal)}`;
}

function finishedAt(status: Json): number {
  const time = Date.parse(str(at(status, "lastState", "terminated", "finishedAt")));
  return Number.isNaN(time) ? 0 : time;
}

export function conditionStatus(object: Json, type: string): string {
  const found = objects(at(object, "status", "conditions")).find((condition) => condition.type === type);
  return str(found?.status);
}

function restartsText({ restarts, lastRestart }: Summary, now: number): string {
  return restarts === 0 || lastRestart === 0 ? `${restarts}` : `${restarts} (${humanDuration(now - lastRestart)} ago)`;
}

function readinessGates(pod: Json): string {
  const gates = objects(at(pod, "spec", "readinessGates"));
  if (gates.length === 0) return "<none>";
  const met = gates.filter((gate) => conditionStatus(pod, str(gate.conditionType)) === "True");
  return `${met.length}/${gates.length}`;
}

export const POD_COLUMNS: readonly Column[] = [
  NAME,
  column("Ready", "string", "The aggregate readiness state of this pod for accepting traffic.", (pod) => {
    const { ready, total } = summarise(pod);
    return `${ready}/${total}`;
  }),
  column("Status", "string", "The aggregate status of the containers in this pod.", (pod) => summarise(pod).reason),
  column(
    "Restarts",
    "string",
    "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.",
    (pod, now) => restartsText(summarise(pod), now),
  ),
  AGE,
  wide("IP", "podIP address allocated to the pod.", (pod) =>
    orNone(str(objects(at(pod, "status", "podIPs"))[0]?.ip) || str(at(pod, "status", "podIP"))),
  ),
  wide("Node", "NodeName indicates in which node this pod is scheduled.", (pod) =>
    orNone(str(at(pod, "spec", "nodeName"))),
  ),
  wide("Nominated Node", "nominatedNodeName is set only when this pod preempts other pods on the node.", (pod) =>
    orNone(str(at(pod, "status", "nominatedNodeName"))),
  ),
  wide("Readiness Gates", "If specified, all readiness gates will be evaluated for pod readiness.", readinessGates),
];
