import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { equal, isObject } from "./json.ts";
import { setOwn } from "./json-patch.ts";
import { badRequest } from "./status.ts";

/** What decides for a list at a path: the member to merge by, "" for a set of primitives, undefined = replace. */
type MergeKeyOf = (path: readonly string[]) => string | undefined;

/** Every kind's: metadata is the same everywhere. */
const METADATA: Readonly<Record<string, string>> = { "metadata.ownerReferences": "uid", "metadata.finalizers": "" };

const ANYWHERE = /(?:^|\.)metadata\.(ownerReferences|finalizers)$/;

/** Compiles a kind's `mergeKeys` ("spec.containers.*.env", `*` standing for one list element). */
export function mergeKeysOf(keys: Readonly<Record<string, string>>): MergeKeyOf {
  const all = new Map(Object.entries({ ...METADATA, ...keys }));
  return (path) => {
    const dotted = path.join(".");
    const own = all.get(dotted);
    if (own !== undefined) return own;
    const found = ANYWHERE.exec(dotted);
    return found === null ? undefined : found[1] === "finalizers" ? "" : "uid";
  };
}

/**
 * Kubernetes' strategic merge: RFC 7386 plus lists merged by key, and the directives `$patch: delete|replace|merge`,
 * `$deleteFromPrimitiveList/…`, `$setElementOrder/…` and `$retainKeys`. The inputs are not changed.
 * Throws 400 for a directive that makes no sense where it stands.
 */
export function applyStrategicPatch(document: Json, patch: Json, keyOf: MergeKeyOf): Json {
  return mergeObject(document, patch, [], keyOf) ?? {};
}

function mergeObject(
  document: Json | undefined,
  patch: Json,
  path: readonly string[],
  keyOf: MergeKeyOf,
): Json | undefined {
  switch (patch.$patch) {
    case undefined:
    case "merge":
      break;
    case "delete":
      return undefined;
    case "replace":
      return withoutDirectives(patch);
    default:
      throw badRequest(`unknown $patch directive: ${JSON.stringify(patch.$patch)}`);
  }
  const merged: Json = { ...document };
  if (Array.isArray(patch.$retainKeys)) {
    const keep = new Set(patch.$retainKeys);
    for (const key of Object.keys(merged)) if (!keep.has(key)) delete merged[key];
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$")) continue;
    if (value === null) delete merged[key];
    else {
      const now = mergeValue(Object.hasOwn(merged, key) ? merged[key] : undefined, value, [...path, key], keyOf);
      if (now === undefined) delete merged[key];
      else setOwn(merged, key, now);
    }
  }
  for (const [key, value] of Object.entries(patch)) {
    const primitive = /^\$deleteFromPrimitiveList\/(.+)$/.exec(key)?.[1];
    const kept = primitive === undefined ? undefined : merged[primitive];
    if (primitive !== undefined && Array.isArray(value) && Array.isArray(kept)) {
      merged[primitive] = kept.filter((item) => !value.some((gone) => equal(gone, item)));
    }
  }
  for (const [key, value] of Object.entries(patch)) {
    const ordered = /^\$setElementOrder\/(.+)$/.exec(key)?.[1];
    const list = ordered === undefined ? undefined : merged[ordered];
    if (ordered !== undefined && Array.isArray(value) && Array.isArray(list)) {
      merged[ordered] = reorder(list, value, keyOf([...path, ordered]));
    }
  }
  return merged;
}

function mergeValue(now: JsonValue, patch: JsonValue, path: readonly string[], keyOf: MergeKeyOf): JsonValue {
  if (isObject(patch)) return mergeObject(isObject(now) ? now : undefined, patch, path, keyOf);
  if (!Array.isArray(patch)) return patch;
  const key = keyOf(path);
  if (key === undefined || patch.some((item) => isObject(item) && item.$patch === "replace")) {
    return patch
      .filter((item) => !(isObject(item) && (item.$patch === "replace" || item.$patch === "delete")))
      .map((item) => (isObject(item) ? withoutDirectives(item) : item));
  }
  const list = Array.isArray(now) ? now : [];
  if (key === "") return [...list, ...patch.filter((item) => !list.some((own) => equal(own, item)))];
  return mergeList(list, patch, key, path, keyOf);
}

function mergeList(
  list: readonly JsonValue[],
  patch: readonly JsonValue[],
  key: string,
  path: readonly string[],
  keyOf: MergeKeyOf,
): JsonValue[] {
  const merged = [...list];
  for (const item of patch) {
    if (!isObject(item)) throw badRequest(`${path.join(".")}: an element of this list is an object`);
    const id = item[key];
    if (id === undefined) {
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
    }
    const index = merged.findIndex((own) => isObject(own) && equal(own[key], id));
    const own = merged[index];
    const now = mergeObject(isObject(own) ? own : undefined, item, [...path, "*"], keyOf);
    if (now === undefined) {
      if (index >= 0) merged.splice(index, 1);
    } else if (index >= 0) merged[index] = now;
    else merged.push(now);
  }
  return merged;
}

/** Elements named by the directive in its order; the others stay beside the neighbour that came before them. */
function reorder(list: readonly JsonValue[], order: readonly JsonValue[], key: string | undefined): JsonValue[] {
  const idOf = (item: JsonValue) => (key !== undefined && key !== "" && isObject(item) ? item[key] : item);
  const rank = (item: JsonValue) => order.findIndex((wanted) => equal(idOf(wanted), idOf(item)));
  const named = list.filter((item) => rank(item) >= 0).toSorted((a, b) => rank(a) - rank(b));
  const result = [...named];
  for (const [index, item] of list.entries()) {
    if (rank(item) >= 0) continue;
    const before = list[index - 1];
    const place = before === undefined ? 0 : result.indexOf(before) + 1;
    result.splice(place, 0, item);
  }
  return result;
}

function withoutDirectives(patch: Json): Json {
  const plain: Json = {};
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$") || value === null) continue;
    setOwn(plain, key, isObject(value) ? withoutDirectives(value) : value);
  }
  return plain;
}
