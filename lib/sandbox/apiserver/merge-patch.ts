import type { JsonValue } from "#sandbox/kinds/definition";
import { isObject } from "./json.ts";
import { setOwn } from "./json-patch.ts";

/** RFC 7386: null removes a member, objects merge, everything else replaces. The inputs are not changed. */
export function applyMergePatch(document: JsonValue, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch;
  const merged = isObject(document) ? { ...document } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else setOwn(merged, key, applyMergePatch(Object.hasOwn(merged, key) ? merged[key] : undefined, value));
  }
  return merged;
}
