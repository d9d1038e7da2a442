import { wrongType } from "../causes.ts";
import type { Cause, Json, JsonValue } from "../definition.ts";
import { isObject } from "../json.ts";
import { definitionOf, type Field, type FieldType, type Scalar } from "./definitions.ts";

/**
 * What a server keeps of an object after decoding it: fields of the type that are not null; quantities become text.
 * Values of a wrong type stay, for `checkShape` to name.
 */
export function pruned(id: string, object: Json): Json {
  const definition = definitionOf(id);
  if (definition === undefined) return object;
  const members: [string, JsonValue][] = [];
  for (const [name, value] of Object.entries(object)) {
    const field = definition.fields.get(name);
    if (field !== undefined && value !== null && value !== undefined)
      members.push([name, prunedValue(field.type, value)]);
  }
  return Object.fromEntries(members);
}

function prunedValue(type: FieldType, value: JsonValue): JsonValue {
  switch (type.kind) {
    case "list":
      return Array.isArray(value) ? value.map((item) => prunedValue(type.of, item)) : value;
    case "map":
      if (!isObject(value)) return value;
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, prunedValue(type.of, item)]));
    case "ref":
      return isObject(value) ? pruned(type.id, value) : value;
    case "scalar":
      return type.name === "quantity" && typeof value === "number" ? String(value) : value;
  }
}

const MAX_CAUSES = 20;

/** Names every value whose type is not the definition's (at most 20), so that nothing behind it meets a surprise. */
export function checkShape(id: string, object: Json): readonly Cause[] {
  const causes: Cause[] = [];
  checkObject(id, object, "", causes);
  return causes;
}

function checkObject(id: string, object: Json, path: string, causes: Cause[]): void {
  for (const [name, field] of definitionOf(id)?.fields ?? []) {
    const value = object[name];
    if (value !== undefined && value !== null) check(field.type, value, path === "" ? name : `${path}.${name}`, causes);
  }
}

function check(type: FieldType, value: JsonValue, path: string, causes: Cause[]): void {
  if (causes.length >= MAX_CAUSES) return;
  if (type.kind === "scalar") {
    const wanted = SCALAR_CHECKS[type.name];
    if (!wanted.accepts(value)) causes.push(wrongType(path, value, wanted.name));
  } else if (type.kind === "list") {
    if (!Array.isArray(value)) causes.push(wrongType(path, value, "array"));
    else for (const [index, item] of value.entries()) check(type.of, item, `${path}[${index}]`, causes);
  } else if (!isObject(value)) {
    causes.push(wrongType(path, value, "object"));
  } else if (type.kind === "ref") {
    checkObject(type.id, value, path, causes);
  } else {
    for (const [key, item] of Object.entries(value)) check(type.of, item, `${path}.${key}`, causes);
  }
}

const isString = (value: JsonValue) => typeof value === "string";
const isInteger = (low: number, high: number) => (value: JsonValue) =>
  typeof value === "number" && Number.isInteger(value) && value >= low && value <= high;
const isTime = (value: JsonValue) => typeof value === "string" && !Number.isNaN(Date.parse(value));

const SCALAR_CHECKS: Readonly<Record<Scalar, { readonly name: string; accepts(value: JsonValue): boolean }>> = {
  string: { name: "string", accepts: isString },
  bytes: { name: "string", accepts: isString },
  bool: { name: "boolean", accepts: (value) => typeof value === "boolean" },
  int32: { name: "integer", accepts: isInteger(-2147483648, 2147483647) },
  // Beyond 2^53 JSON.parse has already rounded; the largest int64 arrives as 2^63.
  int64: { name: "integer", accepts: isInteger(-(2 ** 63), 2 ** 63) },
  number: { name: "number", accepts: (value) => typeof value === "number" },
  time: { name: "date-time", accepts: isTime },
  microtime: { name: "date-time", accepts: isTime },
  quantity: {
    name: "quantity",
    accepts: (value) => typeof value === "string" && /^[+-]?[0-9.]+[A-Za-z0-9]*$/.test(value),
  },
  intstr: { name: "int-or-string", accepts: (value) => isString(value) || isInteger(-2147483648, 2147483647)(value) },
  any: { name: "any", accepts: () => true },
};

/** All strategic merge keys below a type: "spec.containers.*.env" to "name" (`*` stands for the items of a list). */
export function mergeKeysOf(id: string): Readonly<Record<string, string>> {
  const keys: Record<string, string> = {};
  collect(id, "", new Set(), keys);
  return keys;
}

function collect(id: string, path: string, above: ReadonlySet<string>, keys: Record<string, string>): void {
  if (above.has(id)) return;
  for (const field of definitionOf(id)?.fields.values() ?? []) {
    const here = path === "" ? field.name : `${path}.${field.name}`;
    if (field.mergeKey !== undefined) keys[here] = field.mergeKey;
    const below = elementOf(field);
    if (below !== undefined) collect(below.id, `${here}${below.steps}`, new Set([...above, id]), keys);
  }
}

function elementOf(field: Field): { readonly id: string; readonly steps: string } | undefined {
  if (field.type.kind === "ref") return { id: field.type.id, steps: "" };
  if (field.type.kind === "scalar") return undefined;
  return field.type.of.kind === "ref" ? { id: field.type.of.id, steps: ".*" } : undefined;
}
