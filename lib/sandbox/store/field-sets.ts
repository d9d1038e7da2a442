import type { Json } from "#sandbox/kinds/definition";
import { isObject } from "#sandbox/kinds/json";

const SETS_MAX = 2_000;
const sets = new Map<string, object>();

/** Objects that are made alike are managed alike: thousands of them share one set in memory. It must not be changed. */
export function shared<T extends object>(fields: T): T {
  const text = JSON.stringify(fields);
  const known = sets.get(text);
  if (known !== undefined) return known as T;
  if (sets.size >= SETS_MAX) sets.clear();
  sets.set(text, fields);
  return fields;
}

/** Makes an object that nobody else has share the sets of its `metadata.managedFields`. */
export function shareFieldSets(object: Json): void {
  const entries = isObject(object.metadata) ? object.metadata.managedFields : undefined;
  if (!Array.isArray(entries)) return;
  for (const entry of entries) if (isObject(entry) && isObject(entry.fieldsV1)) entry.fieldsV1 = shared(entry.fieldsV1);
}
