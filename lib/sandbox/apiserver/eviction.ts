import { selectorMatches } from "#core/selector";
import type { Json } from "#sandbox/kinds/definition";
import { readSelector } from "#sandbox/kinds/workload-validate";
import type { Entry } from "#sandbox/store/types";
import { type Address, type Engine, readEntry, storeKey } from "./context.ts";
import { at, isObject, labelsOf, listAt, numberAt, objectAt, textAt, timestamp, withAt } from "./json.ts";
import { type Removal, removeObject } from "./remove.ts";
import { bucketOf } from "./resource.ts";
import { badRequest, failure, type StatusFault } from "./status.ts";

const BUDGETS = bucketOf("policy", "poddisruptionbudgets");
const VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget.";

/**
 * POST pods/<name>/eviction: deletes the pod if its PodDisruptionBudget allows one more, and counts it there.
 * 429 with the budget's figures when it does not, 500 when two budgets claim the pod, 409 when a precondition fails.
 */
export function evictPod(engine: Engine, address: Address, given: unknown, dryRun: boolean): Removal {
  const body = isObject(given) ? given : {};
  const named = textAt(body, "metadata", "name");
  if (named !== "" && named !== address.name) {
    throw badRequest("name in URL does not match name in Eviction object");
  }
  const options = at(body, "deleteOptions");
  const trial = dryRun || listAt(options, "dryRun").includes("All");
  const pod = readEntry(engine, address);
  const remove = () =>
    removeObject(engine, address, {
      dryRun: trial,
      gracePeriodSeconds: numberAt(options, "gracePeriodSeconds"),
      propagation: textAt(options, "propagationPolicy") || undefined,
      uid: textAt(options, "preconditions", "uid") || undefined,
      resourceVersion: textAt(options, "preconditions", "resourceVersion") || undefined,
    });
  if (needsNoBudget(pod.object)) return remove();
  const budgets = budgetsOf(engine, pod.object);
  const [budget] = budgets;
  if (budgets.length > 1) {
    throw failure({
      code: 500,
      reason: "InternalError",
      message: "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    });
  }
  if (budget !== undefined && !isFreeToGo(pod.object, budget.object)) spend(engine, budget, address.name, trial);
  if (!trial && textAt(options, "preconditions", "resourceVersion") === "") markEvicted(engine, address);
  return remove();
}

// A pod that does no work yet or any more, or that leaves already, costs nobody anything.
function needsNoBudget(pod: Json): boolean {
  return (
    ["Succeeded", "Failed", "Pending"].includes(textAt(pod, "status", "phase")) ||
    at(pod, "metadata", "deletionTimestamp") !== undefined
  );
}

function budgetsOf(engine: Engine, pod: Json): readonly Entry[] {
  const namespace = textAt(pod, "metadata", "namespace");
  const labels = labelsOf(pod);
  return engine.store.list(BUDGETS).filter(({ object }) => {
    const selector = at(object, "spec", "selector");
    if (!isObject(selector) || textAt(object, "metadata", "namespace") !== namespace) return false;
    return selectorMatches(readSelector(selector), labels);
  });
}

/** `unhealthyPodEvictionPolicy`: whether a pod that is not ready may go without being counted. */
function isFreeToGo(pod: Json, budget: Json): boolean {
  const ready = listAt(pod, "status", "conditions").some(
    (one) => textAt(one, "type") === "Ready" && textAt(one, "status") === "True",
  );
  if (ready) return false;
  if (textAt(budget, "spec", "unhealthyPodEvictionPolicy") === "AlwaysAllow") return true;
  const desired = numberAt(budget, "status", "desiredHealthy") ?? 0;
  return desired > 0 && (numberAt(budget, "status", "currentHealthy") ?? 0) >= desired;
}

/** Takes one disruption from the budget, in the same turn of the event loop as the deletion. */
function spend(engine: Engine, budget: Entry, pod: string, trial: boolean): void {
  const { object } = budget;
  const name = textAt(object, "metadata", "name");
  const status = objectAt(object, "status");
  const generation = numberAt(object, "metadata", "generation") ?? 1;
  if ((numberAt(status, "observedGeneration") ?? 0) < generation) {
    throw tooMany(`The disruption budget ${name} is still being processed by the server.`, 10);
  }
  const allowed = numberAt(status, "disruptionsAllowed") ?? 0;
  const condition = listAt(status, "conditions").find((one) => textAt(one, "type") === "DisruptionAllowed");
  if (allowed <= 0) {
    const [desired, healthy] = [numberAt(status, "desiredHealthy") ?? 0, numberAt(status, "currentHealthy") ?? 0];
    throw tooMany(
      textAt(condition, "reason") === "SyncFailed"
        ? `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${textAt(condition, "message")}`
        : `The disruption budget ${name} needs ${desired} healthy pods and has ${healthy} currently`,
      0,
    );
  }
  if (trial) return;
  const now = timestamp(engine.clock.now());
  const spent = {
    ...status,
    disruptionsAllowed: allowed - 1,
    disruptedPods: { ...objectAt(status, "disruptedPods"), [pod]: now },
  };
  engine.store.put(BUDGETS, budget.key, { ...object, status: spent }, budget.revision);
}

function tooMany(cause: string, retryAfterSeconds: number): StatusFault {
  return failure({
    code: 429,
    reason: "TooManyRequests",
    message: VIOLATES,
    details: {
      causes: [{ reason: "DisruptionBudget", message: cause }],
      ...(retryAfterSeconds > 0 && { retryAfterSeconds }),
    },
  });
}

/** The pod says why it goes, as `kubectl describe` shows. */
function markEvicted(engine: Engine, address: Address): void {
  const { object, revision } = readEntry(engine, address);
  const others = listAt(object, "status", "conditions").filter((one) => textAt(one, "type") !== "DisruptionTarget");
  const generation = numberAt(object, "metadata", "generation");
  const condition: Json = {
    type: "DisruptionTarget",
    status: "True",
    ...(generation !== undefined && { observedGeneration: generation }),
    lastProbeTime: null,
    lastTransitionTime: timestamp(engine.clock.now()),
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
  };
  const next = withAt(object, ["status", "conditions"], [...others, condition]);
  engine.store.put(address.resource.bucket, storeKey(address), next, revision);
}
