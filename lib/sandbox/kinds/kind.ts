import { AGE, NAME } from "./columns/common.ts";
import type { AdmissionContext, Cause, Column, Json, KindDefinition } from "./definition.ts";
import { metaOf, str } from "./json.ts";
import { checkSubdomain } from "./names.ts";
import { checkShape, mergeKeysOf, pruned } from "./schema/shape.ts";

/** API group of each table of definitions. */
const GROUPS: Readonly<Record<string, string>> = {
  core: "",
  apps: "apps",
  discovery: "discovery.k8s.io",
  events: "events.k8s.io",
  coordination: "coordination.k8s.io",
  rbac: "rbac.authorization.k8s.io",
  apiextensions: "apiextensions.k8s.io",
  autoscaling: "autoscaling",
  policy: "policy",
  admissionregistration: "admissionregistration.k8s.io",
};

interface Options {
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** Default true. */
  readonly namespaced?: boolean;
  readonly subresources?: readonly string[];
  readonly hasGeneration?: boolean;
  readonly columns?: readonly Column[];
  defaults?(object: Json): Json;
  admit?(object: Json, old: Json | undefined, context: AdmissionContext): Json;
  validate?(object: Json, old: Json | undefined): readonly Cause[];
}

/**
 * A built-in kind over its table of fields: unknown fields are dropped and wrong types refused before the kind's own
 * defaults and rules see the object.
 */
export function kind(table: string, version: string, name: string, plural: string, options: Options): KindDefinition {
  const id = `${table}/${name}`;
  const { defaults = (object) => object, validate = validateName, admit } = options;
  return {
    group: GROUPS[table] ?? table,
    version,
    kind: name,
    schemaId: id,
    plural,
    singular: options.singular ?? name.toLowerCase(),
    shortNames: options.shortNames ?? [],
    categories: options.categories ?? [],
    namespaced: options.namespaced ?? true,
    subresources: options.subresources ?? [],
    hasGeneration: options.hasGeneration ?? false,
    columns: options.columns ?? [NAME, AGE],
    mergeKeys: mergeKeysOf(id),
    defaults: (object) => defaults(pruned(id, object)),
    ...(admit !== undefined && { admit }),
    validate(object, old) {
      const shape = checkShape(id, object);
      return shape.length > 0 ? shape : validate(object, old);
    },
  };
}

function validateName(object: Json): readonly Cause[] {
  return checkSubdomain("metadata.name", str(metaOf(object).name));
}
