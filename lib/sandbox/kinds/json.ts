import type { Json, JsonValue } from "./definition.ts";

/** Tolerant readers: whatever is not of the asked type reads as empty, so that no object can make a caller throw. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function obj(value: unknown): Json {
  return isObject(value) ? value : {};
}

/** The objects of a list; anything else in it is left out. */
export function objects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function arr(value: unknown): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

export function str(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function num(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** A string map; members that are not strings are left out. */
export function strings(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(obj(value)).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return Object.fromEntries(entries);
}

/** The value below `path`, undefined when any step is missing. */
export function at(object: Json, ...path: readonly string[]): JsonValue {
  let value: JsonValue = object;
  for (const step of path) {
    if (!isObject(value)) return undefined;
    value = value[step];
  }
  return value;
}

export function metaOf(object: Json): Json {
  return obj(object.metadata);
}

export function nameOf(object: Json): string {
  return str(metaOf(object).name);
}

/** `object` with the members of `fallback` that it does not have (undefined and null count as absent). */
export function fill(object: Json, fallback: Json): Json {
  const missing = Object.entries(fallback).filter(([key]) => object[key] === undefined || object[key] === null);
  return missing.length === 0 ? object : { ...object, ...Object.fromEntries(missing) };
}

/** `object` without the named members. */
export function without(object: Json, ...keys: readonly string[]): Json {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

/** Equal as JSON, whatever the order of members; absent and undefined are the same. */
export function sameJson(left: unknown, right: unknown): boolean {
  return left === right || canonical(left) === canonical(right);
}

/** JSON text with sorted members: equal objects give equal text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? "null";
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${members.join(",")}}`;
}
