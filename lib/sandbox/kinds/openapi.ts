import type { Json, JsonValue, KindDefinition } from "./definition.ts";
import { type Definition, definitionOf, type Field, type FieldType, type Scalar } from "./schema/definitions.ts";
import descriptions from "./schema/descriptions.json" with { type: "json" };
import { ENUMS } from "./schema/enums.ts";

const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
const PACKAGES: Readonly<Record<string, string>> = {
  meta: META,
  core: "io.k8s.api.core.v1",
  apps: "io.k8s.api.apps.v1",
  discovery: "io.k8s.api.discovery.v1",
  events: "io.k8s.api.events.v1",
  coordination: "io.k8s.api.coordination.v1",
  rbac: "io.k8s.api.rbac.v1",
  apiextensions: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
  autoscaling: "io.k8s.api.autoscaling.v1",
  policy: "io.k8s.api.policy.v1",
  admissionregistration: "io.k8s.api.admissionregistration.v1",
  authentication: "io.k8s.api.authentication.v1",
  authorization: "io.k8s.api.authorization.v1",
};
const TABLE_OF_GROUP: Readonly<Record<string, string>> = {
  "": "core",
  apps: "apps",
  "discovery.k8s.io": "discovery",
  "coordination.k8s.io": "coordination",
  "rbac.authorization.k8s.io": "rbac",
  "apiextensions.k8s.io": "apiextensions",
  policy: "policy",
  "admissionregistration.k8s.io": "admissionregistration",
  "authentication.k8s.io": "authentication",
  "authorization.k8s.io": "authorization",
};

const MORE = "More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";
/** What every object has, in the server's words. */
export const COMMON = {
  apiVersion: `APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. ${MORE}#resources`,
  kind: `Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. ${MORE}#types-kinds`,
  metadata: `Standard object's metadata. ${MORE}#metadata`,
};

type NamedKind = Pick<KindDefinition, "group" | "version" | "kind">;

const TEXTS: Readonly<Record<string, string>> = descriptions;

/**
 * The OpenAPI v3 document of a group version; undefined when none of these kinds belongs to it. `describe` says which
 * operations a kind has.
 */
export function openapiOf<T extends NamedKind>(
  kinds: readonly T[],
  group: string,
  version: string,
  describe: (kind: T) => Json,
): Json | undefined {
  const own = kinds.filter((kind) => kind.group === group && kind.version === version);
  const table = TABLE_OF_GROUP[group];
  if (own.length === 0 || table === undefined) return undefined;
  const schemas: Record<string, JsonValue> = {};
  for (const kind of own) addSchema(`${table}/${kind.kind}`, schemas, kind);
  return openapiDocument(Object.assign({}, ...own.map((kind) => describe(kind))), schemas);
}

/** A document of these paths and schemas. */
export function openapiDocument(paths: Json, schemas: Json): Json {
  const info = { title: "Kubernetes", version: "v1.36.2" };
  return { openapi: "3.0.0", info, paths, components: { schemas } };
}

/** Name of the component of a definition: "core/PodSpec" is "io.k8s.api.core.v1.PodSpec". */
export function componentName(id: string): string {
  const [table = "", name = ""] = id.split("/");
  return `${PACKAGES[table] ?? table}.${name}`;
}

/** Adds a definition and all it refers to; `kind` marks it as a kind of its own. */
export function addSchema(id: string, schemas: Record<string, JsonValue>, kind?: NamedKind): void {
  const name = componentName(id);
  const definition = definitionOf(id);
  if (name in schemas || definition === undefined) return;
  schemas[name] = {};
  schemas[name] = objectSchema(definition, schemas, kind);
}

function objectSchema(definition: Definition, schemas: Record<string, JsonValue>, kind?: NamedKind): Json {
  const fields = [...definition.fields.values()];
  const required = fields.filter((field) => field.required).map((field) => field.name);
  const properties = fields.map((field): [string, JsonValue] => [field.name, property(definition, field, schemas)]);
  const text = TEXTS[definition.id];
  return {
    ...(text !== undefined && { description: text }),
    type: "object",
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(properties),
    ...(kind !== undefined && {
      "x-kubernetes-group-version-kind": [{ group: kind.group, kind: kind.kind, version: kind.version }],
    }),
  };
}

function property(definition: Definition, field: Field, schemas: Record<string, JsonValue>): Json {
  const key = `${definition.id}.${field.name}`;
  const values = ENUMS[key];
  const known = TEXTS[key] ?? (COMMON as Readonly<Record<string, string>>)[field.name];
  const text = values === undefined ? known : `${known ?? ""}\n\nPossible enum values:\n${enumText(values)}`;
  const schema = typeSchema(field.type, schemas);
  return {
    ...(text !== undefined && { description: text }),
    ...(text !== undefined && "$ref" in schema ? { allOf: [schema] } : schema),
    ...(values !== undefined && { enum: Object.keys(values) }),
    ...patchHints(definition, field),
  };
}

function enumText(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([value, meaning]) => ` - \`"${value}"\`${meaning === "" ? "" : ` ${meaning}`}`)
    .join("\n");
}

function patchHints(definition: Definition, { name, mergeKey }: Field): Json {
  if (definition.id === "apps/DeploymentSpec" && name === "strategy")
    return { "x-kubernetes-patch-strategy": "retainKeys" };
  if (mergeKey === undefined) return {};
  const retain = ["volumes", "resourceClaims"].includes(name) && definition.id === "core/PodSpec";
  return {
    ...(mergeKey !== "" && { "x-kubernetes-patch-merge-key": mergeKey }),
    "x-kubernetes-patch-strategy": retain ? "merge,retainKeys" : "merge",
  };
}

function typeSchema(type: FieldType, schemas: Record<string, JsonValue>): Json {
  switch (type.kind) {
    case "list":
      return { type: "array", items: typeSchema(type.of, schemas) };
    case "map":
      return { type: "object", additionalProperties: typeSchema(type.of, schemas) };
    case "ref":
      addSchema(type.id, schemas);
      return { $ref: `#/components/schemas/${componentName(type.id)}` };
    case "scalar":
      return scalarSchema(type.name, schemas);
  }
}

const NAMED: Readonly<Partial<Record<Scalar, readonly [string, Json]>>> = {
  time: [`${META}.Time`, { type: "string", format: "date-time", description: "Time in RFC 3339." }],
  microtime: [
    `${META}.MicroTime`,
    { type: "string", format: "date-time", description: "Time in RFC 3339, to the microsecond." },
  ],
  quantity: [
    "io.k8s.apimachinery.pkg.api.resource.Quantity",
    {
      description: "Quantity is a fixed-point representation of a number.",
      oneOf: [{ type: "string" }, { type: "number" }],
    },
  ],
  intstr: [
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    {
      description: "IntOrString is a type that can hold an int32 or a string.",
      format: "int-or-string",
      oneOf: [{ type: "integer" }, { type: "string" }],
    },
  ],
};

const PLAIN: Readonly<Partial<Record<Scalar, Json>>> = {
  string: { type: "string" },
  bytes: { type: "string", format: "byte" },
  bool: { type: "boolean" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  number: { type: "number", format: "double" },
};

function scalarSchema(name: Scalar, schemas: Record<string, JsonValue>): Json {
  const named = NAMED[name];
  if (named === undefined) return { ...(PLAIN[name] ?? { type: "object" }) };
  schemas[named[0]] = named[1];
  return { $ref: `#/components/schemas/${named[0]}` };
}
