import { CORE } from "./core.ts";
import {
  ADMISSIONREGISTRATION,
  APIEXTENSIONS,
  APPS,
  AUTHENTICATION,
  AUTHORIZATION,
  AUTOSCALING,
  COORDINATION,
  DISCOVERY,
  EVENTS,
  META,
  POLICY,
  RBAC,
} from "./groups.ts";

export type FieldType =
  | { readonly kind: "scalar"; readonly name: Scalar }
  | { readonly kind: "list"; readonly of: FieldType }
  | { readonly kind: "map"; readonly of: FieldType }
  | { readonly kind: "ref"; readonly id: string };

const SCALARS = [
  "string",
  "bool",
  "int32",
  "int64",
  "number",
  "time",
  "microtime",
  "quantity",
  "bytes",
  "intstr",
  "any",
] as const;
export type Scalar = (typeof SCALARS)[number];

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly required: boolean;
  /** Strategic merge key of a list; "" for a set of primitives. */
  readonly mergeKey?: string;
}

/** One type; its id is "core/PodSpec". */
export interface Definition {
  readonly id: string;
  readonly fields: ReadonlyMap<string, Field>;
}

/**
 * Reads definitions: a line that starts with a name opens one, indented lines continue it. Types: a scalar, `[T]` a
 * list, `{T}` a map with string keys, `Name` a definition of the same table, `table/Name` one of another.
 */
export function parseTable(table: string, text: string): Map<string, Definition> {
  const joined = text.trim().replaceAll("\n ", " ");
  const definitions = joined.split("\n").map((line): [string, Definition] => {
    const [name = "", ...words] = line.split(/\s+/);
    const id = `${table}/${name}`;
    const fields = words.map((word) => parseField(table, word));
    return [id, { id, fields: new Map(fields.map((field) => [field.name, field])) }];
  });
  return new Map(definitions);
}

function parseField(table: string, word: string): Field {
  const colon = word.indexOf(":");
  const [spelled = "", mergeKey] = word.slice(colon + 1).split("@");
  const required = spelled.endsWith("!");
  return {
    name: word.slice(0, colon),
    type: parseType(table, required ? spelled.slice(0, -1) : spelled),
    required,
    ...(mergeKey !== undefined && { mergeKey }),
  };
}

function parseType(table: string, text: string): FieldType {
  if (text.startsWith("[")) return { kind: "list", of: parseType(table, text.slice(1, -1)) };
  if (text.startsWith("{")) return { kind: "map", of: parseType(table, text.slice(1, -1)) };
  const scalar = SCALARS.find((name) => name === text);
  if (scalar !== undefined) return { kind: "scalar", name: scalar };
  return { kind: "ref", id: text.includes("/") ? text : `${table}/${text}` };
}

const TABLES: readonly (readonly [table: string, text: string])[] = [
  ["meta", META],
  ["core", CORE],
  ["apps", APPS],
  ["discovery", DISCOVERY],
  ["events", EVENTS],
  ["coordination", COORDINATION],
  ["rbac", RBAC],
  ["apiextensions", APIEXTENSIONS],
  ["autoscaling", AUTOSCALING],
  ["policy", POLICY],
  ["admissionregistration", ADMISSIONREGISTRATION],
  ["authentication", AUTHENTICATION],
  ["authorization", AUTHORIZATION],
];

const DEFINITIONS: ReadonlyMap<string, Definition> = new Map(
  TABLES.flatMap(([table, text]) => [...parseTable(table, text)]),
);

/** The definition with this id; undefined when there is none. */
export function definitionOf(id: string): Definition | undefined {
  return DEFINITIONS.get(id);
}
