import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { equal, isObject } from "./json.ts";
import { badRequest, failure } from "./status.ts";

const OPERATIONS_MAX = 10_000;

/**
 * RFC 6902. Returns the patched document; the input is not changed. Throws 400 for something that is no JSON
 * patch, 422 (as the real server words it) when an operation does not apply.
 */
export function applyJsonPatch(document: JsonValue, patch: unknown): JsonValue {
  if (!Array.isArray(patch)) throw badRequest("a JSON patch is an array of operations");
  if (patch.length > OPERATIONS_MAX) {
    throw failure({
      code: 413,
      reason: "RequestEntityTooLarge",
      message: `The allowed maximum operations in a JSON patch is ${OPERATIONS_MAX}, got ${patch.length}`,
    });
  }
  let current = structuredClone(document);
  for (const operation of patch) {
    if (!isObject(operation)) throw badRequest("an operation of a JSON patch is an object");
    current = applyOne(current, operation);
  }
  return current;
}

function applyOne(document: JsonValue, operation: Json): JsonValue {
  const path = pointer(operation.path);
  switch (operation.op) {
    case "add":
      return put(document, path, structuredClone(operandOf(operation)), true);
    case "replace":
      look(document, path);
      return put(document, path, structuredClone(operandOf(operation)), false);
    case "remove":
      return take(document, path);
    case "copy":
      return put(document, path, structuredClone(look(document, pointer(operation.from))), true);
    case "move": {
      const from = pointer(operation.from);
      const moved = look(document, from);
      return put(take(document, from), path, moved, true);
    }
    case "test":
      if (!equal(lookOrNull(document, path), operation.value ?? null)) throw refused();
      return document;
    default:
      throw badRequest(`unknown JSON patch operation: ${JSON.stringify(operation.op ?? null)}`);
  }
}

function operandOf(operation: Json): JsonValue {
  if (operation.value === undefined) throw badRequest(`the JSON patch operation "${operation.op}" needs a value`);
  return operation.value;
}

function pointer(raw: JsonValue): string[] {
  if (typeof raw !== "string") throw badRequest("a JSON patch operation needs a path");
  if (raw === "") return [];
  if (!raw.startsWith("/")) throw refused();
  return raw
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function look(document: JsonValue, path: readonly string[]): JsonValue {
  let current = document;
  for (const step of path) {
    if (Array.isArray(current)) current = current[indexIn(current, step, false)];
    else if (isObject(current) && Object.hasOwn(current, step)) current = current[step];
    else throw refused();
  }
  if (current === undefined) throw refused();
  return current;
}

function lookOrNull(document: JsonValue, path: readonly string[]): JsonValue {
  const last = path.at(-1);
  if (last === undefined) return document;
  const parent = look(document, path.slice(0, -1));
  if (isObject(parent)) return Object.hasOwn(parent, last) ? parent[last] : null;
  return look(document, path);
}

function put(document: JsonValue, path: readonly string[], value: JsonValue, insert: boolean): JsonValue {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = look(document, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(indexIn(parent, last, insert), insert ? 0 : 1, value);
  else if (isObject(parent)) setOwn(parent, last, value);
  else throw refused();
  return document;
}

function take(document: JsonValue, path: readonly string[]): JsonValue {
  const last = path.at(-1);
  if (last === undefined) return null;
  const parent = look(document, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(indexIn(parent, last, false), 1);
  else if (isObject(parent) && Object.hasOwn(parent, last)) delete parent[last];
  else throw refused();
  return document;
}

/** Negative indices are what the real server's library allows too. */
function indexIn(list: readonly JsonValue[], step: string, insert: boolean): number {
  if (step === "-" && insert) return list.length;
  if (!/^-?(0|[1-9]\d{0,8})$/.test(step)) throw refused();
  const raw = Number(step);
  const index = raw < 0 ? raw + list.length + (insert ? 1 : 0) : raw;
  if (index < 0 || index > list.length - (insert ? 0 : 1)) throw refused();
  return index;
}

/** An own member even for "__proto__". */
export function setOwn(object: Json, key: string, value: JsonValue): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function refused() {
  return failure({
    code: 422,
    reason: "Invalid",
    message: "the server rejected our request due to an error in our request",
    details: {},
  });
}
