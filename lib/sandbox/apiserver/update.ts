import { jsonText } from "#core/int64";
import type { Json, JsonValue } from "#sandbox/kinds/definition";
import type { Entry } from "#sandbox/store/types";
import { admit, hasStatus, readBody } from "./admission.ts";
import { type Address, type Engine, readEntry, storeKey, targetOf } from "./context.ts";
import { equal, listAt, metadataOf, objectAt, textAt, withAt } from "./json.ts";
import { applyJsonPatch } from "./json-patch.ts";
import type { Writer } from "./managed-fields/entries.ts";
import { trackUpdate, withManagedFields } from "./managed-fields/resource.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { updatedMetadata } from "./metadata.ts";
import { afterRemoval, isFinished } from "./remove.ts";
import { inVersion, NAMESPACE_BUCKET } from "./resource.ts";
import { type Review, UNREVIEWED } from "./review.ts";
import { applyScale, scaleOf } from "./scale.ts";
import { badRequest, conflict, invalid, methodNotAllowed, unsupportedMediaType } from "./status.ts";
import { statusWrite } from "./status-write.ts";
import { applyStrategicPatch, mergeKeysOf } from "./strategic-patch.ts";

/** "" is the object itself. */
export type Part = "" | "status" | "scale" | "finalize";

interface UpdateOptions {
  readonly part?: Part;
  readonly dryRun?: boolean;
  /** Asked before the object is stored; default: nobody is. */
  readonly review?: Review;
  /** Who writes, as managed fields name it; absent: they stay as they are. */
  readonly writer?: Writer;
  /** As server-side apply worked them out; `writer` does not matter then. */
  readonly applied?: { readonly managedFields: JsonValue[] | undefined };
  /** Sees what a patch makes of the object before anything else does; may throw. */
  onPatched?(patched: Json): void;
}

export interface Patch {
  readonly kind: "json" | "merge" | "strategic";
  readonly body: unknown;
}

/**
 * Replaces the object (or one part of it) and returns it as stored; an equal object is not written again. 409 when the
 * body's resourceVersion or uid is not the stored one's, 422 with all causes. Removing the last finalizer of an object
 * that is being deleted removes it.
 */
export function replaceObject(engine: Engine, address: Address, body: unknown, options: UpdateOptions = {}): Entry {
  const entry = readEntry(engine, address);
  const { resource } = address;
  if (options.part === "scale") {
    const next = applyScale(resource, inVersion(resource, entry.object), body);
    return scaleEntry(address, write(engine, address, entry, next, { ...options, part: "" }, "scale"));
  }
  const next = readBody(address, body);
  const version = textAt(next, "metadata", "resourceVersion");
  if (version === "" && resource.custom !== undefined) {
    throw invalid(targetOf(resource), address.name, [
      {
        reason: "FieldValueInvalid",
        field: "metadata.resourceVersion",
        message: "Invalid value: 0: must be specified for an update",
      },
    ]);
  }
  return write(engine, address, entry, next, options);
}

/** Applies a patch to the object (or one part of it) as it is now; otherwise as `replaceObject`. */
export function patchObject(engine: Engine, address: Address, patch: Patch, options: UpdateOptions = {}): Entry {
  const entry = readEntry(engine, address);
  const { resource } = address;
  const now = inVersion(resource, entry.object);
  const document = options.part === "scale" ? scaleOf(resource, now) : now;
  const patched = applyPatch(address, document, patch);
  if (options.part !== "scale") options.onPatched?.(patched);
  if (options.part === "scale") {
    const next = applyScale(resource, now, patched);
    return scaleEntry(address, write(engine, address, entry, next, { ...options, part: "" }, "scale"));
  }
  return write(engine, address, entry, readBody(address, patched), options);
}

function applyPatch(address: Address, document: Json, patch: Patch): Json {
  const { custom, definition } = address.resource;
  const body = patch.body;
  let patched: unknown;
  switch (patch.kind) {
    case "json":
      patched = applyJsonPatch(document, body);
      break;
    case "merge":
      patched = applyMergePatch(document, objectBody(body));
      break;
    case "strategic":
      if (custom !== undefined) throw unsupportedMediaType(NO_STRATEGIC);
      patched = applyStrategicPatch(document, objectBody(body), mergeKeysOf(definition.mergeKeys));
      break;
  }
  return objectBody(patched);
}

const NO_STRATEGIC =
  "the body of the request was in an unknown format - accepted media types include: " +
  "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

function objectBody(value: unknown): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badRequest("the patch, and what it makes of the object, must be a JSON object");
  }
  return value as Json;
}

/** Stores `body` in place of `entry`, as far as the part that is written goes; see `replaceObject`. */
export function write(
  engine: Engine,
  address: Address,
  entry: Entry,
  body: Json,
  options: UpdateOptions,
  subresource: Part = options.part ?? "",
): Entry {
  const { resource } = address;
  const old = entry.object;
  checkPreconditions(address, body, entry);
  const next: Json = { ...select(address, body, old, options.part ?? ""), apiVersion: resource.apiVersion };
  const whole = (options.part ?? "") === "";
  const wanted = resource.definition.defaults(next);
  const managedFields =
    options.applied === undefined
      ? trackUpdate(resource, { body, old, wanted, whole: subresource === "", name: address.name }, options.writer)
      : options.applied.managedFields;
  const admitted = admit(engine, resource, wanted, { allocate: whole, old, defaulted: true });
  // Allocation may label and annotate, but what the server owns stays.
  const metadata = withManagedFields(updatedMetadata(admitted, old), managedFields);
  let stored: Json = { ...admitted, apiVersion: resource.storedAs, metadata };
  const unchanged = equal(stored, old);
  if (!unchanged) stored = withGeneration(address, stored, old);
  const dryRun = options.dryRun === true;
  const { review = UNREVIEWED } = options;
  const about = shownTo(address, subresource, stored, old);
  return review({ operation: "UPDATE", address, subresource, ...about, revision: entry.revision, dryRun }, () => {
    if (unchanged) return entry;
    const key = storeKey(address);
    if (dryRun) return { key, object: stored, text: jsonText(stored), revision: entry.revision };
    if (!isFinished(resource, stored)) return engine.store.put(resource.bucket, key, stored, entry.revision);
    const removed = engine.store.remove(resource.bucket, key, entry.revision);
    afterRemoval(engine, resource);
    return removed;
  });
}

function shownTo({ resource }: Address, subresource: Part, object: Json, old: Json): { object: Json; old: Json } {
  if (subresource === "scale") return { object: scaleOf(resource, object), old: scaleOf(resource, old) };
  return { object: inVersion(resource, object), old: inVersion(resource, old) };
}

function checkPreconditions(address: Address, body: Json, entry: Entry): void {
  const target = targetOf(address.resource);
  const uid = textAt(body, "metadata", "uid");
  const own = textAt(entry.object, "metadata", "uid");
  if (uid !== "" && uid !== own) {
    throw conflict(
      target,
      address.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${own}`,
    );
  }
  const version = textAt(body, "metadata", "resourceVersion");
  if (version !== "" && version !== `${entry.revision}`) throw conflict(target, address.name);
}

/** What a write of this part may change of the stored object. */
function select(address: Address, body: Json, old: Json, part: Part): Json {
  const { resource } = address;
  switch (part) {
    case "status":
      if (!hasStatus(resource)) throw methodNotAllowed();
      return statusWrite(resource, body, old);
    case "finalize":
      if (resource.bucket !== NAMESPACE_BUCKET) throw methodNotAllowed();
      return withAt({ ...old }, ["spec", "finalizers"], [...listAt(body, "spec", "finalizers")]);
    default: {
      const next: Json = { ...body, metadata: updatedMetadata(body, old) };
      if (resource.bucket === NAMESPACE_BUCKET) next.spec = old.spec;
      if (!hasStatus(resource)) return next;
      return withAt(next, ["status"], old.status);
    }
  }
}

function withGeneration(address: Address, next: Json, old: Json): Json {
  if (!address.resource.definition.hasGeneration) return next;
  const apart = hasStatus(address.resource);
  const contentOf = (object: Json) => {
    const { metadata: _metadata, status, ...content } = object;
    return apart ? content : { ...content, status };
  };
  const generation = objectAt(old, "metadata").generation;
  const was = typeof generation === "number" ? generation : 0;
  const changed = !equal(contentOf(next), contentOf(old));
  return { ...next, metadata: { ...metadataOf(next), generation: changed ? was + 1 : was || 1 } };
}

function scaleEntry(address: Address, entry: Entry): Entry {
  const object = scaleOf(address.resource, entry.object);
  return { ...entry, object, text: JSON.stringify(object) };
}
