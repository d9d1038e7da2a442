import type { ConfigurationState } from "#api/metallb";
import type { Finding } from "#core/pools";

const CONDITION = "configReconcilerValid";

/**
 * The status of the ConfigurationState `speaker-<node>` (metallb.md 1.7), or
 * null when what is written already says the same. `lastTransitionTime` moves
 * only when the verdict does.
 */
export function configurationStatus(
  findings: readonly Finding[],
  current: ConfigurationState["status"],
  now: string,
): NonNullable<ConfigurationState["status"]> | null {
  const errors = findings.filter(({ severity }) => severity === "error");
  const valid = errors.length === 0;
  const summary = errors.map(({ object, field, message }) => `${object}: ${field}: ${message}`).join("\n");
  const before = current?.conditions?.find(({ type }) => type === CONDITION);
  const status = valid ? "True" : "False";
  const condition = {
    type: CONDITION,
    status,
    reason: valid ? "Reconciled" : "ConfigurationError",
    message: summary,
    lastTransitionTime:
      before?.status === status && before.lastTransitionTime !== undefined ? before.lastTransitionTime : now,
  };
  const result = valid ? ("Valid" as const) : ("Invalid" as const);
  const same =
    current?.result === result &&
    (current.errorSummary ?? "") === summary &&
    before?.status === status &&
    before.reason === condition.reason &&
    (before.message ?? "") === summary;
  return same ? null : { result, errorSummary: summary, conditions: [condition] };
}
