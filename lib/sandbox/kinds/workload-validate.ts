import { selectorMatches } from "#core/selector";
import { forbidden, invalid, notSupported, required } from "./causes.ts";
import { NOT_NEGATIVE } from "./container-validate.ts";
import type { Cause, Json, JsonValue } from "./definition.ts";
import { arr, at, metaOf, num, obj, objects, sameJson, str, strings } from "./json.ts";
import { checkLabels, checkQualifiedName, checkSubdomain } from "./names.ts";
import { validatePodSpec } from "./pod-validate.ts";

const IMMUTABLE = "field is immutable";

/** Deployment, ReplicaSet, DaemonSet, StatefulSet: selector, template and numbers. */
export function validateWorkload(object: Json, old: Json | undefined): readonly Cause[] {
  const spec = obj(object.spec);
  const counts = ["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"];
  return [
    ...checkSubdomain("metadata.name", str(metaOf(object).name)),
    ...counts.flatMap((field) => (num(spec[field]) < 0 ? [invalid(`spec.${field}`, spec[field], NOT_NEGATIVE)] : [])),
    ...checkSelector(spec),
    ...checkStrategy(spec),
    ...checkTemplate(spec),
    ...(old !== undefined && !sameJson(spec.selector, at(old, "spec", "selector"))
      ? [invalid("spec.selector", spec.selector ?? null, IMMUTABLE)]
      : []),
  ];
}

/** A LabelSelector as core's matcher wants it; unknown parts are left out. */
export function readSelector(selector: unknown): Parameters<typeof selectorMatches>[0] {
  const object = obj(selector);
  const matchExpressions = objects(object.matchExpressions).map((one) => ({
    key: str(one.key),
    operator: str(one.operator),
    values: arr(one.values).map(str),
  }));
  return { matchLabels: strings(object.matchLabels), matchExpressions };
}

function isEmptySelector(selector: unknown): boolean {
  const object = obj(selector);
  return Object.keys(obj(object.matchLabels)).length === 0 && arr(object.matchExpressions).length === 0;
}

function checkSelector(spec: Json): readonly Cause[] {
  if (spec.selector === undefined) return [required("spec.selector")];
  if (isEmptySelector(spec.selector)) {
    return [invalid("spec.selector", spec.selector, "empty selector is invalid for deployment")];
  }
  return checkLabelSelector("spec.selector", obj(spec.selector));
}

/** Shape of a LabelSelector. */
export function checkLabelSelector(field: string, selector: Json): readonly Cause[] {
  const terms = objects(selector.matchExpressions).flatMap((term, index) => {
    const path = `${field}.matchExpressions[${index}]`;
    const values = arr(term.values);
    const causes = [...checkQualifiedName(`${path}.key`, str(term.key))];
    if (term.operator === "In" || term.operator === "NotIn") {
      if (values.length === 0)
        causes.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (term.operator === "Exists" || term.operator === "DoesNotExist") {
      if (values.length > 0)
        causes.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else {
      causes.push(invalid(`${path}.operator`, str(term.operator), "not a valid selector operator"));
    }
    return causes;
  });
  return [...checkLabels(`${field}.matchLabels`, selector.matchLabels), ...terms];
}

function checkTemplate(spec: Json): readonly Cause[] {
  const labels = strings(at(spec, "template", "metadata", "labels"));
  const matches =
    spec.selector !== undefined &&
    !isEmptySelector(spec.selector) &&
    selectorMatches(readSelector(spec.selector), labels);
  const policy = at(spec, "template", "spec", "restartPolicy");
  return [
    ...(matches
      ? []
      : [invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")]),
    ...checkLabels("spec.template.labels", labels),
    ...validatePodSpec(obj(at(spec, "template", "spec")), "spec.template.spec"),
    ...(policy === "Never" || policy === "OnFailure"
      ? [notSupported("spec.template.spec.restartPolicy", policy, ["Always"])]
      : []),
  ];
}

function checkStrategy(spec: Json): readonly Cause[] {
  const [field, known] =
    spec.updateStrategy === undefined
      ? ["strategy", ["Recreate", "RollingUpdate"]]
      : ["updateStrategy", ["OnDelete", "RollingUpdate"]];
  const strategy = spec[`${field}`];
  if (strategy === undefined) return [];
  const { type, rollingUpdate } = obj(strategy);
  const path = `spec.${field}`;
  if (!known.includes(str(type))) return [notSupported(`${path}.type`, type ?? "", known)];
  if (type === "Recreate" && rollingUpdate !== undefined) {
    return [forbidden(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")];
  }
  if (type !== "RollingUpdate") return [];
  const { maxSurge, maxUnavailable } = obj(rollingUpdate);
  const both = isZero(maxSurge) && isZero(maxUnavailable);
  return [
    ...checkAmount(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable),
    ...checkAmount(`${path}.rollingUpdate.maxSurge`, maxSurge),
    ...(both && rollingUpdate !== undefined && field === "strategy"
      ? [invalid(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0")]
      : []),
    ...(field === "updateStrategy" && maxSurge !== undefined ? checkDaemonUpdate(path, maxSurge, maxUnavailable) : []),
  ];
}

/** Of a DaemonSet exactly one of them is more than zero. */
function checkDaemonUpdate(path: string, maxSurge: JsonValue, maxUnavailable: JsonValue): readonly Cause[] {
  const surge = !isZero(maxSurge);
  const unavailable = !isZero(maxUnavailable ?? 0);
  if (surge && unavailable) {
    return [invalid(`${path}.rollingUpdate.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero")];
  }
  if (surge || unavailable) return [];
  return [required(`${path}.rollingUpdate.maxUnavailable`, "cannot be 0 when maxSurge is 0")];
}

const isZero = (value: JsonValue) => value === 0 || value === "0%";

/** A number or percentage of pods. */
export function checkAmount(field: string, value: JsonValue): readonly Cause[] {
  if (value === undefined) return [];
  if (typeof value === "number") return value < 0 ? [invalid(field, value, NOT_NEGATIVE)] : [];
  const text = str(value);
  if (/^[0-9]+%$/.test(text)) return [];
  const rule =
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
  return [invalid(field, text, rule)];
}
