import type { Json, JsonValue, KindDefinition } from "./definition.ts";

/** A kind that is only created: the reply is the answer. */
export type Asked = Pick<KindDefinition, "group" | "version" | "kind" | "plural" | "namespaced">;
type Described = Pick<KindDefinition, "group" | "version" | "kind" | "plural" | "namespaced" | "subresources">;

const PATCHES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
] as const;

/** Query parameters that kubectl looks for before it relies on them. */
const WRITE_PARAMETERS = ["dryRun", "fieldManager", "fieldValidation", "pretty"];
const READ_PARAMETERS = ["pretty"];
const LIST_PARAMETERS = [
  "pretty",
  "allowWatchBookmarks",
  "continue",
  "fieldSelector",
  "labelSelector",
  "limit",
  "resourceVersion",
  "resourceVersionMatch",
  "timeoutSeconds",
  "watch",
];

/** The one path of a kind that is only created. */
export function question(kind: Asked): Json {
  return { [collectionOf(kind)]: { post: operation(kind, "post", WRITE_PARAMETERS) } };
}

const rootOf = ({ group, version }: Asked) => (group === "" ? `/api/${version}` : `/apis/${group}/${version}`);
const collectionOf = (kind: Asked) =>
  `${rootOf(kind)}/${kind.namespaced ? "namespaces/{namespace}/" : ""}${kind.plural}`;

/** The paths of a kind, with the verbs, parameters and patch types its server understands. */
export function operations(kind: Described, patches: readonly string[] = PATCHES): Json {
  const collection = collectionOf(kind);
  const item = `${collection}/{name}`;
  const whole = operation(kind, "list", LIST_PARAMETERS);
  const change = {
    put: operation(kind, "put", WRITE_PARAMETERS),
    patch: { ...operation(kind, "patch", [...WRITE_PARAMETERS, "force"]), requestBody: patchBody(patches) },
  };
  const sub = kind.subresources
    .filter((name) => name === "status" || name === "scale")
    .map((name): [string, JsonValue] => [
      `${item}/${name}`,
      { get: operation(kind, "get", READ_PARAMETERS), ...change },
    ]);
  return {
    ...(kind.namespaced && { [`${rootOf(kind)}/${kind.plural}`]: { get: whole } }),
    [collection]: { get: whole, post: operation(kind, "post", WRITE_PARAMETERS) },
    [item]: {
      get: operation(kind, "get", READ_PARAMETERS),
      ...change,
      delete: operation(kind, "delete", [...WRITE_PARAMETERS, "gracePeriodSeconds", "propagationPolicy"]),
    },
    ...Object.fromEntries(sub),
  };
}

function operation(kind: Asked, action: string, parameters: readonly string[]): Json {
  return {
    operationId: `${action}${kind.kind}`,
    parameters: parameters.map((name) => ({ name, in: "query", schema: { type: "string", uniqueItems: true } })),
    responses: { 200: { description: "OK" } },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": { group: kind.group, version: kind.version, kind: kind.kind },
  };
}

function patchBody(types: readonly string[]): Json {
  const schema = { schema: { type: "object" } };
  return { content: Object.fromEntries(types.map((type) => [type, schema])), required: true };
}
