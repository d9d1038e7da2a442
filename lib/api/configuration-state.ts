import { errorsAmong, type Finding, findingText } from "#core/findings";
import { withConditions } from "./conditions.ts";
import type { Condition } from "./kubernetes/objects.ts";
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
  const errorSummary = summary(errors);
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

/** What the message of a condition may hold (metav1.Condition), with room for the last line. */
const SUMMARY_MAX = 32_768 - 100;

/** One line each; those for which there is no room are counted. */
function summary(errors: readonly string[]): string {
  let length = 0;
  const fitting = errors.findIndex((line) => {
    length += line.length + 1;
    return length > SUMMARY_MAX;
  });
  if (fitting < 0) return errors.join("\n");
  return [...errors.slice(0, fitting), `${errors.length - fitting} more errors are not listed`].join("\n");
}

function isCondition(value: unknown): value is Condition {
  const { type, status } = asObject(value);
  return typeof type === "string" && typeof status === "string";
}
