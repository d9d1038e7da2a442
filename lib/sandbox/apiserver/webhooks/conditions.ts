import { invalid } from "#sandbox/kinds/causes";
import type { Cause, Json, JsonValue } from "#sandbox/kinds/definition";
import { compileCel, type Declarations } from "../cel/check.ts";
import { evaluate } from "../cel/evaluate.ts";
import { fromJson } from "../cel/from-json.ts";
import { CelError, type Value } from "../cel/values.ts";
import { at, isObject, listAt, textAt } from "../json.ts";
import type { Hook } from "./hooks.ts";

const STEPS_MAX = 200_000;

/** What a matchCondition may look at. `authorizer` is not served: an expression that names it is refused. */
const DECLARED: Declarations = new Map(["object", "oldObject", "request"].map((name) => [name, undefined]));

/** The matchConditions of a configuration that cannot be read, in the compiler's words. */
export function conditionCauses(configuration: Json): readonly Cause[] {
  return listAt(configuration, "webhooks").flatMap((webhook, index) =>
    listAt(webhook, "matchConditions").flatMap((condition, position) => {
      const expression = textAt(condition, "expression");
      const compiled = compileCel(expression, DECLARED, "bool");
      const field = `webhooks[${index}].matchConditions[${position}].expression`;
      return compiled.kind === "refused" ? [invalid(field, expression, compiled.message)] : [];
    }),
  );
}

/** `held`: ask the webhook. `failed`: no condition says no, and one could not be evaluated. */
type ConditionResult =
  | { readonly kind: "held" }
  | { readonly kind: "not-held" }
  | { readonly kind: "failed"; readonly why: string };

/** Evaluates the webhook's matchConditions on the `request` of an AdmissionReview. Bounded in work; never throws. */
export function conditionsOf(hook: Hook, review: JsonValue): ConditionResult {
  if (hook.conditions.length === 0) return { kind: "held" };
  const request = at(review, "request");
  if (!isObject(request)) return { kind: "held" };
  const { object, oldObject, ...rest } = request;
  const variables = new Map<string, Value>([
    ["object", fromJson(object)],
    ["oldObject", fromJson(oldObject)],
    ["request", fromJson(rest)],
  ]);
  const budget = { left: STEPS_MAX };
  const failures: string[] = [];
  for (const { name, expression } of hook.conditions) {
    const compiled = compileCel(expression, DECLARED, "bool");
    try {
      if (compiled.kind === "refused") throw new CelError(compiled.message);
      const value = evaluate(compiled.expression, variables, budget);
      if (value === false) return { kind: "not-held" };
      if (value !== true) throw new CelError("no such overload");
    } catch (thrown) {
      if (!(thrown instanceof CelError)) throw thrown;
      failures.push(`expression '${name}' resulted in error: ${thrown.message}`);
    }
  }
  return failures.length === 0 ? { kind: "held" } : { kind: "failed", why: failures.join(", ") };
}
