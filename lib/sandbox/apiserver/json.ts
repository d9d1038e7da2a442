import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { isObject } from "#sandbox/kinds/json";

export { isObject };

export function objectAt(value: JsonValue, ...path: readonly string[]): Json {
  const found = at(value, ...path);
  return isObject(found) ? found : {};
}

export function listAt(value: JsonValue, ...path: readonly string[]): readonly JsonValue[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

export function textAt(value: JsonValue, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

export function numberAt(value: JsonValue, ...path: readonly string[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === "number" ? found : undefined;
}

/** The value at a path of member names; undefined as soon as a step is not there. */
export function at(value: JsonValue, ...path: readonly string[]): JsonValue {
  let current = value;
  for (const step of path) {
    if (!isObject(current) || !Object.hasOwn(current, step)) return undefined;
    current = current[step];
  }
  return current;
}

/** `object` with the value at `path` replaced (undefined removes it); parents are made as needed. */
export function withAt(object: Json, path: readonly string[], value: JsonValue): Json {
  const [step, ...rest] = path;
  if (step === undefined) return object;
  const copy = { ...object };
  const next = rest.length === 0 ? value : withAt(objectAt(object, step), rest, value);
  if (next === undefined) delete copy[step];
  else copy[step] = next;
  return copy;
}

export function metadataOf(object: Json): Json {
  return objectAt(object, "metadata");
}

export function nameOf(object: Json): string {
  return textAt(object, "metadata", "name");
}

export function namespaceOf(object: Json): string {
  return textAt(object, "metadata", "namespace");
}

export function labelsOf(object: Json): Readonly<Record<string, string>> {
  return textMap(at(object, "metadata", "labels"));
}

/** The string members of an object. */
export function textMap(value: JsonValue): Readonly<Record<string, string>> {
  if (!isObject(value)) return {};
  const map: Record<string, string> = {};
  for (const [key, member] of Object.entries(value)) if (typeof member === "string") map[key] = member;
  return map;
}

export function textList(value: JsonValue): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** Deep equality of JSON; member order and undefined members do not count. */
export function equal(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  for (const key of Object.keys(a)) if (!equal(a[key], b[key])) return false;
  for (const key of Object.keys(b)) if (b[key] !== undefined && a[key] === undefined) return false;
  return true;
}

/** RFC 3339 in whole seconds, as Kubernetes writes `metav1.Time`. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
