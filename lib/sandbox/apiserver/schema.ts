import type { Cause, Json, JsonValue } from "#sandbox/kinds/definition";
import { equal, isObject, listAt, numberAt, textAt, textList } from "./json.ts";
import { setOwn } from "./json-patch.ts";
import { compilePattern } from "./pattern.ts";

/**
 * Structural schemas of CustomResourceDefinitions: pruning, defaulting and validation in the words of the real
 * server. CEL rules (`x-kubernetes-validations`) are in cel/rules.ts.
 */

/** `value` without the members its schema does not know. At the root, metadata and the type stay as they are. */
export function prune(value: JsonValue, schema: Json, root = false): JsonValue {
  if (Array.isArray(value)) {
    const items = schema.items;
    return isObject(items) ? value.map((item) => pruneItem(item, items)) : value;
  }
  if (!isObject(value)) return value;
  const properties = isObject(schema.properties) ? schema.properties : {};
  const additional = schema.additionalProperties;
  const keepAll = schema["x-kubernetes-preserve-unknown-fields"] === true || additional === true;
  const embedded = root || schema["x-kubernetes-embedded-resource"] === true;
  const pruned: Json = {};
  for (const [key, member] of Object.entries(value)) {
    const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (embedded && (key === "apiVersion" || key === "kind" || key === "metadata")) setOwn(pruned, key, member);
    else if (isObject(own)) setOwn(pruned, key, prune(member, own));
    else if (isObject(additional)) setOwn(pruned, key, prune(member, additional));
    else if (keepAll) setOwn(pruned, key, member);
  }
  return pruned;
}

function pruneItem(item: JsonValue, schema: Json): JsonValue {
  return prune(item, schema);
}

/** `value` with every absent member that has a default filled in; null counts as absent unless nullable. */
export function applyDefaults(value: JsonValue, schema: Json): JsonValue {
  if (Array.isArray(value)) {
    const items = schema.items;
    return isObject(items) ? value.map((item) => applyDefaults(item, items)) : value;
  }
  if (!isObject(value)) return value;
  const result: Json = { ...value };
  const properties = isObject(schema.properties) ? schema.properties : {};
  for (const [key, property] of Object.entries(properties)) {
    if (!isObject(property)) continue;
    const now = Object.hasOwn(result, key) ? result[key] : undefined;
    if (now === undefined || (now === null && property.nullable !== true)) {
      if (property.default !== undefined) result[key] = structuredClone(property.default);
      else if (now === null) delete result[key];
    }
    if (result[key] !== undefined) result[key] = applyDefaults(result[key], property);
  }
  const additional = schema.additionalProperties;
  if (isObject(additional)) {
    for (const key of Object.keys(result)) {
      if (!Object.hasOwn(properties, key)) setOwn(result, key, applyDefaults(result[key], additional));
    }
  }
  return result;
}

const CAUSES_MAX = 100;

/** Everything that is wrong with `value`; `path` is its dotted path ("" at the root). */
export function validateSchema(value: JsonValue, schema: Json, path = ""): readonly Cause[] {
  const causes: Cause[] = [];
  check(value, schema, path, causes);
  return causes.slice(0, CAUSES_MAX);
}

function check(value: JsonValue, schema: Json, path: string, causes: Cause[]): void {
  if (causes.length >= CAUSES_MAX || (value === null && schema.nullable === true)) return;
  const expected = textAt(schema, "type");
  const actual = typeName(value);
  if (schema["x-kubernetes-int-or-string"] === true) {
    if (actual !== "integer" && actual !== "string") causes.push(typeCause(path, "integer,string", actual));
  } else if (expected !== "" && !fits(expected, actual)) {
    causes.push(typeCause(path, expected, actual));
    return;
  }
  if (Array.isArray(schema.enum) && !schema.enum.some((allowed) => equal(allowed, value))) {
    const supported = schema.enum.map((allowed) => JSON.stringify(allowed)).join(", ");
    causes.push({
      reason: "FieldValueNotSupported",
      field: path,
      message: `Unsupported value: ${JSON.stringify(value ?? null)}: supported values: ${supported}`,
    });
  }
  if (typeof value === "string") checkText(value, schema, path, causes);
  else if (typeof value === "number") checkNumber(value, schema, path, causes);
  else if (Array.isArray(value)) checkList(value, schema, path, causes);
  else if (isObject(value)) checkObject(value, schema, path, causes);
  checkCombined(value, schema, path, causes);
}

function checkText(value: string, schema: Json, path: string, causes: Cause[]): void {
  const length = [...value].length;
  const min = numberAt(schema, "minLength");
  const max = numberAt(schema, "maxLength");
  if (min !== undefined && length < min) {
    causes.push(invalid(path, value, `should be at least ${min} chars long`));
  }
  if (max !== undefined && length > max) {
    causes.push({ reason: "FieldValueInvalid", field: path, message: `Too long: may not be more than ${max} bytes` });
  }
  const pattern = textAt(schema, "pattern");
  if (pattern !== "" && !matches(pattern, value)) causes.push(invalid(path, value, `should match '${pattern}'`));
  const format = textAt(schema, "format");
  if (format !== "" && FORMATS[format]?.(value) === false) {
    causes.push(invalid(path, value, `must be of type ${format}: ${JSON.stringify(value)}`));
  }
}

const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  "date-time": (text) =>
    /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)),
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)),
  ipv4: (text) => /^(\d{1,3})(\.\d{1,3}){3}$/.test(text) && text.split(".").every((part) => Number(part) < 256),
  uuid: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
};

const patterns = new Map<string, RegExp | null>();

function matches(pattern: string, value: string): boolean {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    try {
      compiled = compilePattern(pattern);
    } catch {
      // Go's dialect differs in corners; what we cannot read we do not refuse by.
      compiled = null;
    }
    patterns.set(pattern, compiled);
  }
  return compiled === null || compiled.test(value);
}

function checkNumber(value: number, schema: Json, path: string, causes: Cause[]): void {
  const min = numberAt(schema, "minimum");
  const max = numberAt(schema, "maximum");
  const above = schema.exclusiveMinimum === true;
  const below = schema.exclusiveMaximum === true;
  if (min !== undefined && (above ? value <= min : value < min)) {
    causes.push(invalid(path, value, `should be greater than ${above ? "" : "or equal to "}${min}`));
  }
  if (max !== undefined && (below ? value >= max : value > max)) {
    causes.push(invalid(path, value, `should be less than ${below ? "" : "or equal to "}${max}`));
  }
  const step = numberAt(schema, "multipleOf");
  if (step !== undefined && step > 0 && value % step !== 0) {
    causes.push(invalid(path, value, `should be a multiple of ${step}`));
  }
  const range = textAt(schema, "format") === "int32" ? 2 ** 31 : undefined;
  if (range !== undefined && (value < -range || value >= range)) {
    causes.push(invalid(path, value, `must be of type int32: ${JSON.stringify(value)}`));
  }
}

function checkList(value: readonly JsonValue[], schema: Json, path: string, causes: Cause[]): void {
  const min = numberAt(schema, "minItems");
  const max = numberAt(schema, "maxItems");
  if (min !== undefined && value.length < min) {
    causes.push(invalid(path, value.length, `should have at least ${min} items`));
  }
  if (max !== undefined && value.length > max) {
    causes.push({
      reason: "FieldValueInvalid",
      field: path,
      message: `Too many: ${value.length}: must have at most ${max} items`,
    });
  }
  const { items } = schema;
  if (isObject(items))
    for (const [index, item] of value.entries()) check(item ?? null, items, `${path}[${index}]`, causes);
  const listType = textAt(schema, "x-kubernetes-list-type");
  if (listType !== "set" && listType !== "map" && schema.uniqueItems !== true) return;
  const keys = textList(schema["x-kubernetes-list-map-keys"]);
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    const id = JSON.stringify(
      listType === "map" && isObject(item) ? Object.fromEntries(keys.map((key) => [key, item[key] ?? null])) : item,
    );
    if (seen.has(id)) {
      causes.push({ reason: "FieldValueDuplicate", field: `${path}[${index}]`, message: `Duplicate value: ${id}` });
    }
    seen.add(id);
  }
}

function checkObject(value: Json, schema: Json, path: string, causes: Cause[]): void {
  for (const name of textList(schema.required)) {
    if (value[name] !== undefined) continue;
    causes.push({ reason: "FieldValueRequired", field: join(path, name), message: "Required value" });
  }
  const properties = isObject(schema.properties) ? schema.properties : {};
  const additional = schema.additionalProperties;
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (isObject(own)) check(member, own, join(path, key), causes);
    else if (isObject(additional)) check(member, additional, `${path}.${key}`, causes);
  }
  const count = Object.keys(value).length;
  const min = numberAt(schema, "minProperties");
  const max = numberAt(schema, "maxProperties");
  if (min !== undefined && count < min) causes.push(invalid(path, count, `should have at least ${min} properties`));
  if (max !== undefined && count > max) {
    causes.push({
      reason: "FieldValueInvalid",
      field: path,
      message: `Too many: ${count}: must have at most ${max} items`,
    });
  }
}

function checkCombined(value: JsonValue, schema: Json, path: string, causes: Cause[]): void {
  const passes = (option: JsonValue) => isObject(option) && validateSchema(value, option, path).length === 0;
  for (const part of listAt(schema, "allOf")) if (isObject(part)) check(value, part, path, causes);
  const anyOf = listAt(schema, "anyOf");
  if (anyOf.length > 0 && !anyOf.some(passes)) {
    causes.push(invalid(path, value, "must validate at least one schema (anyOf)"));
  }
  const oneOf = listAt(schema, "oneOf");
  if (oneOf.length > 0 && oneOf.filter(passes).length !== 1) {
    causes.push(invalid(path, value, "must validate one and only one schema (oneOf)"));
  }
  if (isObject(schema.not) && passes(schema.not)) {
    causes.push(invalid(path, value, "must not validate the schema (not)"));
  }
}

function invalid(path: string, value: JsonValue, why: string): Cause {
  return {
    reason: "FieldValueInvalid",
    field: path,
    message: `Invalid value: ${JSON.stringify(value ?? null)}: ${path === "" ? "<nil>" : path} in body ${why}`,
  };
}

function typeCause(path: string, expected: string, actual: string): Cause {
  return {
    reason: "FieldValueTypeInvalid",
    field: path === "" ? "<nil>" : path,
    message: `Invalid value: "${actual}": ${path} in body must be of type ${expected}: "${actual}"`,
  };
}

function typeName(value: JsonValue): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function fits(expected: string, actual: string): boolean {
  return expected === actual || (expected === "number" && actual === "integer");
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
