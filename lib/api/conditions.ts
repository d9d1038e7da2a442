import type { Condition } from "./kubernetes/objects.ts";

/** A condition as it should be (metav1.Condition), without its times. */
export interface WantedCondition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  /** CamelCase. */
  readonly reason: string;
  readonly message: string;
}

/** Characters: an operator reads it in a terminal, and API servers bound it. */
const MESSAGE_MAX = 1024;

/**
 * `present` with the wanted conditions set and those of `absent` types taken
 * out; null when that changes nothing. `lastTransitionTime` moves with the status only.
 */
export function withConditions(
  present: readonly Condition[],
  wanted: readonly WantedCondition[],
  options: { readonly now: string; readonly absent?: readonly string[] },
): readonly Condition[] | null {
  const { now, absent = [] } = options;
  const conditions = present.filter(({ type }) => !absent.includes(type));
  let changed = conditions.length !== present.length;
  for (const { type, status, reason, message: whole } of wanted) {
    const message = whole.length > MESSAGE_MAX ? `${whole.slice(0, MESSAGE_MAX - 1)}…` : whole;
    const index = conditions.findIndex((condition) => condition.type === type);
    const before = conditions[index];
    if (before?.status === status && before.reason === reason && (before.message ?? "") === message) continue;
    changed = true;
    const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? now) : now;
    const condition = { type, status, lastTransitionTime, reason, message };
    if (index < 0) conditions.push(condition);
    else conditions[index] = condition;
  }
  return changed ? conditions : null;
}

/** The condition of a type, if there is one. */
export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}
