import type { KubeObject } from "#api/kubernetes/objects";
import type { Pod } from "#api/kubernetes/pods";
import { DAEMON_SETS, DEPLOYMENTS, keyOf, POD_DISRUPTION_BUDGETS, PODS, REPLICA_SETS } from "#api/resources";
import { Fault } from "#core/errors";
import { selectorMatches } from "#core/selector";
import { at, objects as jsonObjects, obj, sameJson, str, strings } from "#sandbox/kinds/json";
import { readSelector } from "#sandbox/kinds/workload-validate";
import { type ControllerContext, enqueueAll, jsonOf, startLoop, timestamp } from "./context.ts";
import {
  allowance,
  budgetConditions,
  budgetCounts,
  disruptionsAllowed,
  needsScale,
  stillDisrupted,
} from "./disruption-math.ts";
import { controllerOf } from "./owners.ts";
import { Index } from "./pending.ts";
import { isReady, isTerminating } from "./pods.ts";

const COMPONENT = "controllermanager";

/** Keeps the status of every PodDisruptionBudget, which the eviction of pods goes by. */
export function startDisruption(context: ControllerContext): Promise<void> {
  const { objects, clock, events } = context;
  const budgets = objects.cache(POD_DISRUPTION_BUDGETS);
  const pods = objects.cache(PODS);
  const sets = objects.cache(REPLICA_SETS);
  const deployments = objects.cache(DEPLOYMENTS);
  const podsIn = new Index(pods, (pod) => [pod.metadata.namespace ?? ""]);
  const budgetsIn = new Index(budgets, (budget) => [budget.metadata.namespace ?? ""]);

  const reconcile = async (key: string) => {
    const budget = budgets.get(key);
    if (budget === undefined || budget.metadata.deletionTimestamp !== undefined) return {};
    const chosen = podsIn.of(budget.metadata.namespace ?? "").filter((pod) => selects(budget, pod));
    if (chosen.length === 0) note(budget, "Normal", "NoPods", "No matching pods found");
    try {
      return await settle(budget, chosen);
    } catch (thrown) {
      if (!(thrown instanceof Unscalable)) throw thrown;
      const message = `Failed to calculate the number of expected pods: ${thrown.message}`;
      note(budget, "Warning", "CalculateExpectedPodCountFailed", message);
      const refused = { status: "False", reason: "SyncFailed", message: thrown.message } as const;
      const conditions = budgetConditions(jsonOf(budget), refused, timestamp(clock.now()));
      const generation = budget.metadata.generation ?? 1;
      await write(budget, { ...statusOf(budget), disruptionsAllowed: 0, observedGeneration: generation, conditions });
      return {};
    }
  };

  const settle = async (budget: KubeObject, chosen: readonly Pod[]) => {
    const spec = obj(obj(budget).spec);
    const unmanaged = chosen.filter((pod) => controllerOf(pod) === undefined);
    const scaled = needsScale(spec);
    const counts = budgetCounts(spec, chosen.length, scaled ? scaleOf(chosen) : 0);
    if (scaled && unmanaged.length > 0) note(budget, "Warning", "UnmanagedPods", unmanagedText(spec));
    const byName = new Map(
      chosen.map((pod) => [pod.metadata.name ?? "", { terminating: isTerminating(pod) }] as const),
    );
    const { kept, overdue, againMs } = stillDisrupted(jsonOf(budget), byName, clock.now());
    for (const pod of chosen.filter((one) => overdue.includes(one.metadata.name ?? ""))) {
      const message = `Pod was expected by PDB ${keyOf(budget)} to be deleted but it wasn't`;
      events.record({
        resource: PODS,
        object: pod,
        type: "Warning",
        reason: "NotDeleted",
        message,
        component: COMPONENT,
      });
    }
    const healthy = chosen.filter(
      (pod) => isReady(pod) && !isTerminating(pod) && kept[pod.metadata.name ?? ""] === undefined,
    ).length;
    const allowed = disruptionsAllowed(counts, healthy);
    await write(budget, {
      conditions: budgetConditions(jsonOf(budget), allowance(allowed), timestamp(clock.now())),
      currentHealthy: healthy,
      desiredHealthy: counts.desired,
      disruptionsAllowed: allowed,
      expectedPods: counts.expected,
      observedGeneration: budget.metadata.generation ?? 1,
      ...(Object.keys(kept).length > 0 && { disruptedPods: kept }),
    });
    return againMs === undefined ? {} : { requeueAfterMs: againMs };
  };

  /** What the controllers of these pods are asked to run, each counted once. Throws Unscalable. */
  const scaleOf = (chosen: readonly Pod[]): number => {
    const scales = new Map<string, number>();
    for (const pod of chosen) {
      const owner = controllerOf(pod);
      if (owner === undefined) continue;
      const { namespace } = pod.metadata;
      if (owner.kind === DAEMON_SETS.kind) {
        throw new Unscalable("daemonsets.apps does not implement the scale subresource");
      }
      const set = owner.kind === REPLICA_SETS.kind ? sets.get(`${namespace}/${owner.name}`) : undefined;
      if (set === undefined) throw new Unscalable(`found no controllers for pod "${pod.metadata.name}"`);
      const above = controllerOf(set);
      const deployment = above?.kind === DEPLOYMENTS.kind ? deployments.get(`${namespace}/${above.name}`) : undefined;
      const top = deployment ?? set;
      scales.set(top.metadata.uid ?? "", top.spec?.replicas ?? 1);
    }
    return [...scales.values()].reduce((sum, one) => sum + one, 0);
  };

  // The version decided on goes along: an eviction granted meanwhile must not be forgotten.
  const write = async (budget: KubeObject, status: object): Promise<void> => {
    if (sameJson(status, statusOf(budget))) return;
    await objects.replace(POD_DISRUPTION_BUDGETS, { ...budget, status } as KubeObject, { subresource: "status" });
  };

  const note = (budget: KubeObject, type: "Normal" | "Warning", reason: string, message: string) =>
    events.record({ resource: POD_DISRUPTION_BUDGETS, object: budget, type, reason, message, component: COMPONENT });

  const loop = startLoop(context, "disruption", reconcile, 2);
  enqueueAll(budgets, loop.queue);
  const concerned = (pod: Pod) =>
    budgetsIn
      .of(pod.metadata.namespace ?? "")
      .filter((budget) => selects(budget, pod))
      .map(keyOf);
  pods.onChange((_key, now, before) => {
    if (now !== undefined && before !== undefined && sameForBudgets(now, before)) return;
    for (const pod of [now, before]) if (pod !== undefined) for (const key of concerned(pod)) loop.queue.add(key);
  });
  const scaled = (now: KubeObject | undefined, before: KubeObject | undefined) => {
    const replicas = (one: KubeObject | undefined) => at(obj(one), "spec", "replicas");
    if (replicas(now) === replicas(before)) return;
    const namespace = (now ?? before)?.metadata.namespace ?? "";
    for (const budget of budgetsIn.of(namespace)) loop.queue.add(keyOf(budget));
  };
  sets.onChange((_key, now, before) => scaled(now, before));
  deployments.onChange((_key, now, before) => scaled(now, before));
  return loop.done;
}

/** A pod whose controller says nothing about how many there should be. */
class Unscalable extends Fault {
  constructor(message: string) {
    super("invalid", message);
  }
}

const statusOf = (budget: KubeObject) => obj(obj(budget).status);

/** Whether the budget is for this pod: same namespace, selector (empty: every pod; none: no pod). */
function selects(budget: KubeObject, pod: KubeObject): boolean {
  const selector = at(obj(budget), "spec", "selector");
  if (selector === undefined || selector === null) return false;
  if (budget.metadata.namespace !== pod.metadata.namespace) return false;
  return selectorMatches(readSelector(selector), pod.metadata.labels);
}

function unmanagedText(spec: object): string {
  const selector = obj(obj(spec).selector);
  const labels = Object.entries(strings(selector.matchLabels)).map(([key, value]) => `${key}: ${value},`);
  const expressions = jsonObjects(selector.matchExpressions).map(
    (one) => `{${str(one.key)} ${str(one.operator)} [${jsonTexts(one.values)}]}`,
  );
  const text = `&LabelSelector{MatchLabels:map[string]string{${labels.join("")}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join("")}},}`;
  return (
    `Pods selected by this PodDisruptionBudget (selector: ${text}) were found to be unmanaged. As a result, the status ` +
    "of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods " +
    'please set ".spec.minAvailable" field of the PDB to an integer value.'
  );
}

const jsonTexts = (values: unknown) => (Array.isArray(values) ? values.join(" ") : "");

function sameForBudgets(now: Pod, before: Pod): boolean {
  return (
    isReady(now) === isReady(before) &&
    isTerminating(now) === isTerminating(before) &&
    sameJson(now.metadata.labels, before.metadata.labels) &&
    sameJson(now.metadata.ownerReferences, before.metadata.ownerReferences)
  );
}
