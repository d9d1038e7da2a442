import type { Condition } from "#api/kubernetes";

export interface Wanted {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** A merge patch replaces lists whole, and API servers bound the text of a condition. */
const MESSAGE_MAX = 1024;

/**
 * `present` with the wanted conditions set and those of `absent` types taken
 * out; null when that changes nothing. `lastTransitionTime` moves with the status only.
 */
export function withConditions(
  present: readonly Condition[],
  wanted: readonly Wanted[],
  options: { readonly now: string; readonly absent?: readonly string[] },
): readonly Condition[] | null {
  const { now, absent = [] } = options;
  let changed = false;
  const conditions = present.filter(({ type }) => !absent.includes(type));
  if (conditions.length !== present.length) changed = true;
  for (const want of wanted) {
    const message = want.message.length > MESSAGE_MAX ? `${want.message.slice(0, MESSAGE_MAX - 1)}…` : want.message;
    const index = conditions.findIndex(({ type }) => type === want.type);
    const before = conditions[index];
    if (before?.status === want.status && before.reason === want.reason && before.message === message) continue;
    changed = true;
    const lastTransitionTime = before?.status === want.status ? (before.lastTransitionTime ?? now) : now;
    const condition = { type: want.type, status: want.status, lastTransitionTime, reason: want.reason, message };
    if (index < 0) conditions.push(condition);
    else conditions[index] = condition;
  }
  return changed ? conditions : null;
}

export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}
