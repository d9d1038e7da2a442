import type { Json } from "#sandbox/kinds/definition";
import type { Entry } from "#sandbox/store/types";
import { hasStatus, readBody } from "./admission.ts";
import { type Address, type Engine, missing, storeKey, targetOf } from "./context.ts";
import { createObject } from "./create.ts";
import { isObject, metadataOf, numberAt, textAt, withAt } from "./json.ts";
import { applyFields } from "./managed-fields/apply.ts";
import type { Writer } from "./managed-fields/entries.ts";
import { typeProblem } from "./managed-fields/merge.ts";
import { bringsManagedFields, shapeOf } from "./managed-fields/resource.ts";
import { inVersion } from "./resource.ts";
import type { Review } from "./review.ts";
import { scaleOf, scalePaths } from "./scale.ts";
import { badRequest, conflict, failure } from "./status.ts";
import { type Part, write } from "./update.ts";

interface ApplyOptions {
  readonly part: Part;
  readonly dryRun: boolean;
  /** Take fields that others hold with other values. */
  readonly force: boolean;
  readonly writer: Writer;
  readonly review?: Review;
}

/**
 * Server-side apply (PATCH application/apply-patch+yaml): creates the object, or changes it so that it has what `body`
 * says and no longer what this manager said before. 409 with every field that another manager holds, unless forced;
 * 500 in the server's words when the body does not fit the schema; otherwise as `createObject` and `replaceObject`.
 */
export function applyObject(
  engine: Engine,
  address: Address,
  body: unknown,
  options: ApplyOptions,
): { readonly entry: Entry; readonly created: boolean } {
  const { resource } = address;
  const { part, writer, force, review } = options;
  if (bringsManagedFields(body)) throw badRequest("metadata.managedFields must be nil");
  const found = engine.store.get(resource.bucket, storeKey(address));
  if (found === undefined && part !== "") throw missing(address);
  const asked = part === "scale" ? fromScale(address, body) : body;
  if (isObject(asked)) checkType(address, asked);
  const applied = readBody(address, asked);
  const shape = shapeOf(resource);
  const problem = typeProblem(withoutServers(applied), shape);
  if (problem !== undefined) throw unfit(address, problem);
  const live = found === undefined ? undefined : inVersion(resource, found.object);
  const apart = hasStatus(resource);
  const { object, entries } = applyFields({
    live,
    applied: withoutServers(applied),
    shape,
    writer,
    force,
    mayOwn: (name) => !apart || (part === "status" ? name === "status" : name !== "status"),
  });
  const shared = { dryRun: options.dryRun, ...(review === undefined ? {} : { review }) };
  if (found === undefined) {
    const uid = textAt(applied, "metadata", "uid");
    if (uid !== "") {
      const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
      throw conflict(targetOf(resource), address.name, why);
    }
    const named = withAt(object, ["metadata", "name"], address.name);
    const created = createObject(engine, resource, address.namespace, named, {
      ...shared,
      writer,
      managedFields: entries,
    });
    return { entry: created, created: true };
  }
  // Preconditions are the request's; what was merged carries the live object's.
  const { uid, resourceVersion } = metadataOf(applied);
  const next = { ...object, metadata: { ...metadataOf(object), uid, resourceVersion } };
  const whole = part === "scale" ? "" : part;
  const how = { ...shared, part: whole, applied: { managedFields: entries } } as const;
  const entry = write(engine, address, found, next, how, part);
  if (part !== "scale") return { entry, created: false };
  const scale = scaleOf(resource, entry.object);
  return { entry: { ...entry, object: scale, text: JSON.stringify(scale) }, created: false };
}

function checkType({ resource }: Address, body: Json): void {
  if (textAt(body, "kind") === "" || textAt(body, "apiVersion") === "") {
    const missingPart = textAt(body, "kind") === "" ? "Kind" : "apiVersion";
    throw badRequest(`Object '${missingPart}' is missing in '${JSON.stringify(body)}'`);
  }
  if (textAt(body, "metadata", "name") === "" && resource.definition.plural !== "") {
    throw badRequest("metadata.name is required for server-side apply");
  }
}

/** A Scale as the part of the object that it speaks of. */
function fromScale(address: Address, body: unknown): Json {
  const { resource, name } = address;
  const replicas = numberAt(isObject(body) ? body : {}, "spec", "replicas");
  if (replicas === undefined) throw badRequest("the body is not a Scale with spec.replicas");
  const object = { apiVersion: resource.apiVersion, kind: resource.definition.kind, metadata: { name } };
  return withAt(object, scalePaths(resource).spec, replicas);
}

function withoutServers(applied: Json): Json {
  const { creationTimestamp: _time, managedFields: _fields, ...metadata } = metadataOf(applied);
  return { ...applied, metadata };
}

function unfit({ resource, namespace, name }: Address, problem: string) {
  const { kind, group, version } = resource.definition;
  const where = namespace === "" ? `/${name}` : `${namespace}/${name}`;
  return failure({
    code: 500,
    reason: "",
    message: `failed to create typed patch object (${where}; ${group}/${version}, Kind=${kind}): ${problem}`,
  });
}
