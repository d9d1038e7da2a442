import type { Json, JsonValue, KindDefinition } from "./definition.ts";
import { isObject, obj, str } from "./json.ts";
import { addSchema, COMMON, componentName, openapiDocument } from "./openapi.ts";
import { operations } from "./openapi-paths.ts";

const PATCHES = ["application/json-patch+json", "application/merge-patch+json"];

/** One served version of a custom resource with the schema of its definition. */
interface CustomKind {
  readonly definition: Omit<KindDefinition, "defaults" | "validate" | "admit">;
  /** `spec.versions[].schema.openAPIV3Schema`. */
  readonly schema: Json;
}

/** The OpenAPI v3 document of the custom resources of one group version. */
export function customOpenapi(kinds: readonly CustomKind[]): Json {
  const schemas: Record<string, JsonValue> = {};
  addSchema("meta/ObjectMeta", schemas);
  for (const { definition, schema } of kinds) {
    const { group, version, kind } = definition;
    const name = [...group.split(".").reverse(), version, kind].join(".");
    schemas[name] = { ...described(schema), "x-kubernetes-group-version-kind": [{ group, kind, version }] };
  }
  const paths = Object.assign({}, ...kinds.map(({ definition }) => operations(definition, PATCHES)));
  return openapiDocument(paths, schemas);
}

/** The schema with the server's own words for what every object has. */
function described(schema: Json): Json {
  const { apiVersion, kind, metadata } = COMMON;
  const properties = {
    ...obj(schema.properties),
    apiVersion: { description: apiVersion, type: "string" },
    kind: { description: kind, type: "string" },
    metadata: { description: metadata, allOf: [{ $ref: `#/components/schemas/${componentName("meta/ObjectMeta")}` }] },
  };
  const type = str(schema.type) || "object";
  return { ...(isObject(schema) ? schema : {}), type, properties };
}
