import { errorsAmong, type Finding, findingText } from "#core/findings";
import { withConditions } from "./conditions.ts";
import type { Condition } from "./kubernetes.ts";
import type { ConfigurationState } from "./metallb.ts";
import { asList, asObject } from "./unsound.ts";

/**
 * The status of a ConfigurationState whose component found `findings` (metallb.md 1.7), or null when what is written
 * already says so. `type` is the component's one condition; `now` is RFC 3339.
 */
export function configurationStatus(
  type: "poolReconcilerValid" | "configReconcilerValid",
  findings: readonly Finding[],
  options: { readonly current: ConfigurationState["status"]; readonly now: string },
): NonNullable<ConfigurationState["status"]> | null {
  const { current, now } = options;
  const errors = errorsAmong(findings).map(findingText);
  const isValid = errors.length === 0;
  const errorSummary = errors.join("\n");
  const present = asList(current?.conditions).filter(isCondition);
  const wanted = {
    type,
    status: isValid ? ("True" as const) : ("False" as const),
    reason: isValid ? "Reconciled" : "ConfigurationError",
    message: errorSummary,
  };
  const conditions = withConditions(present, [wanted], { now });
  const result = isValid ? ("Valid" as const) : ("Invalid" as const);
  const isSaid = current?.result === result && (current.errorSummary ?? "") === errorSummary;
  return conditions === null && isSaid ? null : { result, errorSummary, conditions: [...(conditions ?? present)] };
}

function isCondition(value: unknown): value is Condition {
  const { type, status } = asObject(value);
  return typeof type === "string" && typeof status === "string";
}
