import type { Json } from "#sandbox/kinds/definition";
import { num, obj, objects, strings } from "#sandbox/kinds/json";
import { resolveAmount } from "./deployment-math.ts";

/** How long an eviction may take until its pod counts as healthy again. */
const EVICTION_TIMEOUT_MS = 120_000;

interface BudgetCounts {
  /** Pods there should be. */
  readonly expected: number;
  /** Of them, at least so many must stay healthy. */
  readonly desired: number;
}

/** Whether the budget counts by what the pods' controllers ask for rather than by the pods that are there. */
export function needsScale(spec: Json): boolean {
  return spec.maxUnavailable !== undefined || typeof spec.minAvailable === "string";
}

/** policy/v1 PodDisruptionBudget: what `minAvailable` or `maxUnavailable` mean for so many pods (percentages round up). */
export function budgetCounts(spec: Json, pods: number, scale: number): BudgetCounts {
  const { minAvailable, maxUnavailable } = spec;
  if (maxUnavailable !== undefined) {
    return { expected: scale, desired: Math.max(0, scale - resolveAmount(maxUnavailable, scale, "up")) };
  }
  if (typeof minAvailable === "string") return { expected: scale, desired: resolveAmount(minAvailable, scale, "up") };
  return { expected: pods, desired: num(minAvailable) };
}

/** How many pods may be evicted now. */
export function disruptionsAllowed({ expected, desired }: BudgetCounts, healthy: number): number {
  return expected <= 0 ? 0 : Math.max(0, healthy - desired);
}

interface Allowance {
  readonly status: "True" | "False";
  readonly reason: "SufficientPods" | "InsufficientPods" | "SyncFailed";
  readonly message: string;
}

/** The verdict that goes with a number of allowed disruptions. */
export function allowance(allowed: number): Allowance {
  return allowed > 0
    ? { status: "True", reason: "SufficientPods", message: "" }
    : { status: "False", reason: "InsufficientPods", message: "" };
}

/** The conditions of a budget with its DisruptionAllowed set; the transition time moves only with the status. */
export function budgetConditions(budget: Json, next: Allowance, now: string): readonly Json[] {
  const known = objects(obj(budget.status).conditions);
  const before = known.find((one) => one.type === "DisruptionAllowed");
  const condition: Json = {
    type: "DisruptionAllowed",
    ...next,
    observedGeneration: num(obj(budget.metadata).generation) || 1,
    lastTransitionTime: before?.status === next.status ? (before.lastTransitionTime ?? now) : now,
  };
  return [...known.filter((one) => one !== before), condition];
}

/** `disruptedPods` without those whose eviction is over or took too long. */
export function stillDisrupted(
  budget: Json,
  pods: ReadonlyMap<string, { readonly terminating: boolean }>,
  now: number,
): { readonly kept: Readonly<Record<string, string>>; readonly overdue: readonly string[]; readonly againMs?: number } {
  const kept: Record<string, string> = {};
  const overdue: string[] = [];
  let againMs = Number.POSITIVE_INFINITY;
  for (const [name, since] of Object.entries(strings(obj(budget.status).disruptedPods))) {
    const pod = pods.get(name);
    if (pod === undefined || pod.terminating) continue;
    const left = Date.parse(since) + EVICTION_TIMEOUT_MS - now;
    if (left > 0) {
      kept[name] = since;
      againMs = Math.min(againMs, left);
    } else overdue.push(name);
  }
  return { kept, overdue, ...(Number.isFinite(againMs) && { againMs }) };
}
