import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { isObject, textAt } from "../json.ts";
import { isDurationText, parseDuration, parseTimestamp } from "./time.ts";
import { CelError, type Key, unordered, type Value } from "./values.ts";

/** JSON as CEL sees it, by its schema: whole numbers are ints unless the schema says `number`, formats become types. */
export function fromJson(value: JsonValue, schema?: Json): Value {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case "boolean":
      return value;
    case "number":
      return numberOf(value, schema);
    case "string":
      return textOf(value, schema);
    default:
  }
  if (Array.isArray(value)) {
    const items = schema?.items;
    const list = value.map((item) => fromJson(item, isObject(items) ? items : undefined));
    const listType = schema === undefined ? "" : textAt(schema, "x-kubernetes-list-type");
    return listType === "set" || listType === "map" ? unordered(list) : list;
  }
  const properties = isObject(schema?.properties) ? schema.properties : {};
  const additional = schema?.additionalProperties;
  const map = new Map<Key, Value>();
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const own = Object.hasOwn(properties, key) ? properties[key] : additional;
    map.set(key, fromJson(member, isObject(own) ? own : undefined));
  }
  return map;
}

function numberOf(value: number, schema: Json | undefined): Value {
  if (schema !== undefined && textAt(schema, "type") === "number") return value;
  return Number.isInteger(value) ? BigInt(value) : value;
}

function textOf(value: string, schema: Json | undefined): Value {
  const format = schema === undefined ? "" : textAt(schema, "format");
  if (format === "duration" && isDurationText(value)) return parseDuration(value);
  if (format === "byte") return Buffer.from(value, "base64");
  if (format !== "date-time" && format !== "date") return value;
  try {
    return parseTimestamp(format === "date" ? `${value}T00:00:00Z` : value);
  } catch (thrown) {
    if (thrown instanceof CelError) return value;
    throw thrown;
  }
}
