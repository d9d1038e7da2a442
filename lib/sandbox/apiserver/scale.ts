import type { Json } from "#sandbox/kinds/definition";
import { at, isObject, listAt, metadataOf, numberAt, objectAt, textAt, textList, textMap, withAt } from "./json.ts";
import type { Resource } from "./resource.ts";
import { badRequest, conflict, invalid, noSuchPath } from "./status.ts";

/** The `autoscaling/v1` Scale of an object; 404 when its kind has none. */
export function scaleOf(resource: Resource, object: Json): Json {
  const paths = scalePaths(resource);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadataOf(object);
  const selector = at(object, ...paths.selector);
  const text = typeof selector === "string" ? selector : isObject(selector) ? selectorText(selector) : "";
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      resourceVersion,
      creationTimestamp,
    },
    spec: { replicas: numberAt(object, ...paths.spec) ?? 0 },
    status: { replicas: numberAt(object, ...paths.status) ?? 0, ...(text === "" ? {} : { selector: text }) },
  };
}

/** The object with the replicas that a Scale asks for. Throws 400, 409 or 422. */
export function applyScale(resource: Resource, object: Json, scale: unknown): Json {
  const paths = scalePaths(resource);
  if (!isObject(scale) || (textAt(scale, "kind") || "Scale") !== "Scale") throw badRequest("the body is not a Scale");
  const name = textAt(object, "metadata", "name");
  const version = textAt(scale, "metadata", "resourceVersion");
  if (version !== "" && version !== textAt(object, "metadata", "resourceVersion")) {
    throw conflict(resource.definition, name);
  }
  const replicas = at(scale, "spec", "replicas") ?? 0;
  if (typeof replicas !== "number" || !Number.isInteger(replicas) || replicas < 0 || replicas >= 2 ** 31) {
    const why =
      typeof replicas === "number" && replicas < 0 ? "must be greater than or equal to 0" : "must be an integer";
    throw invalid({ group: "autoscaling", plural: "scales", kind: "Scale" }, name, [
      {
        reason: "FieldValueInvalid",
        field: "spec.replicas",
        message: `Invalid value: ${JSON.stringify(replicas)}: ${why}`,
      },
    ]);
  }
  return withAt(object, paths.spec, replicas);
}

/** Where an object of this kind keeps what its Scale shows; 404 when it has none. */
export function scalePaths(resource: Resource): {
  spec: readonly string[];
  status: readonly string[];
  selector: readonly string[];
} {
  if (!resource.definition.subresources.includes("scale")) throw noSuchPath();
  const scale = resource.custom?.scale;
  if (scale === undefined) {
    return { spec: ["spec", "replicas"], status: ["status", "replicas"], selector: ["spec", "selector"] };
  }
  const steps = (path: string) => path.split(".").filter((step) => step !== "");
  return { spec: steps(scale.spec), status: steps(scale.status), selector: steps(scale.selector) };
}

/** A LabelSelector in its string form. */
function selectorText(selector: Json): string {
  const terms = Object.entries(textMap(objectAt(selector, "matchLabels"))).map(([key, value]) => `${key}=${value}`);
  for (const expression of listAt(selector, "matchExpressions")) {
    const key = textAt(expression, "key");
    const values = textList(at(expression, "values")).join(",");
    const operator = textAt(expression, "operator");
    if (operator === "In") terms.push(`${key} in (${values})`);
    else if (operator === "NotIn") terms.push(`${key} notin (${values})`);
    else if (operator === "Exists") terms.push(key);
    else if (operator === "DoesNotExist") terms.push(`!${key}`);
  }
  return terms.toSorted().join(",");
}
