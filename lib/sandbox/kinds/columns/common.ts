import { ageOf } from "../age.ts";
import type { Column, Json } from "../definition.ts";
import { arr, at, metaOf, nameOf, objects, str, strings } from "../json.ts";

type Cell = string | number | boolean | null;

export function column(name: string, type: string, description: string, value: Column["value"]): Column {
  return { name, type, description, priority: 0, value };
}

/** A column that shows with `-o wide` only. */
export function wide(name: string, description: string, value: (object: Json, now: number) => Cell): Column {
  return { name, type: "string", description, priority: 1, value };
}

export const NAME: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description:
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
  priority: 0,
  value: nameOf,
};

const CREATED =
  "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

export const AGE = column("Age", "string", CREATED, ageOf);

/** The time itself, as CustomResourceDefinitions and roles show it. */
export const CREATED_AT = column("Created At", "date", CREATED, (object) => str(metaOf(object).creationTimestamp));

export function orNone(text: string): string {
  return text === "" ? "<none>" : text;
}

/** "a=b,c=d" with sorted keys; "<none>" when empty. */
export function labelText(labels: unknown): string {
  const pairs = Object.entries(strings(labels)).map(([key, value]) => `${key}=${value}`);
  return orNone(pairs.sort().join(","));
}

/** A LabelSelector as kubectl prints it: "app=x,tier in (a,b),!old". */
function selectorText(selector: unknown): string {
  const object = typeof selector === "object" && selector !== null ? (selector as Json) : {};
  const equal = Object.entries(strings(object.matchLabels)).map(([key, value]) => `${key}=${value}`);
  const terms = objects(object.matchExpressions).map((term) => {
    const key = str(term.key);
    const values = arr(term.values).map(str).sort().join(",");
    switch (term.operator) {
      case "In":
        return `${key} in (${values})`;
      case "NotIn":
        return `${key} notin (${values})`;
      case "DoesNotExist":
        return `!${key}`;
      default:
        return key;
    }
  });
  return orNone([...equal.sort(), ...terms].join(","));
}

/** CONTAINERS, IMAGES and, for what has one, SELECTOR: the wide columns of workloads. */
export const CONTAINERS = wide("Containers", "Names of each container in the template.", (object) =>
  containersOf(object)
    .map((container) => str(container.name))
    .join(","),
);
export const IMAGES = wide("Images", "Images referenced by each container in the template.", (object) =>
  containersOf(object)
    .map((container) => str(container.image))
    .join(","),
);
export const SELECTOR = wide("Selector", "Label selector of the pods.", (object) =>
  selectorText(at(object, "spec", "selector")),
);

function containersOf(workload: Json): readonly Json[] {
  return objects(at(workload, "spec", "template", "spec", "containers"));
}

/** At most three, then "a,b,c + 2 more...". */
export function listWithMore(items: readonly string[]): string {
  const shown = items.slice(0, 3).join(",");
  return items.length > 3 ? `${shown} + ${items.length - 3} more...` : shown;
}
