import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { equal, isObject, metadataOf } from "../json.ts";
import type { Resource } from "../resource.ts";
import { invalid } from "../status.ts";
import { builtinShape } from "./builtin-shapes.ts";
import { customShape } from "./crd-shapes.ts";
import { isReset, managedFieldsCauses, type Writer } from "./entries.ts";
import { ANY, type Shape } from "./shape.ts";
import { trackWrite } from "./track.ts";

/** How objects of this kind are merged and owned. */
export function shapeOf({ custom, definition }: Resource): Shape {
  if (custom !== undefined) return customShape(custom.schema);
  return definition.schemaId === undefined ? ANY : builtinShape(definition.schemaId);
}

/** `metadata.managedFields` of a new object, the server's defaults included. */
export function trackCreation(resource: Resource, wanted: Json, writer: Writer | undefined): JsonValue[] | undefined {
  return writer === undefined ? undefined : trackWrite(undefined, wanted, undefined, shapeOf(resource), writer);
}

interface TrackedUpdate {
  /** As the request has it: it may bring managed fields of its own, or do away with them. */
  readonly body: Json;
  readonly old: Json;
  readonly wanted: Json;
  /** The object itself; through a subresource nobody sets managed fields. */
  readonly whole: boolean;
  readonly name: string;
}

/** `metadata.managedFields` after an update. Throws 422 for entries that are none. */
export function trackUpdate(
  resource: Resource,
  { body, old, wanted, whole, name }: TrackedUpdate,
  writer: Writer | undefined,
): JsonValue[] | undefined {
  const live = entriesOf(old);
  const given = whole ? entriesOf(body) : undefined;
  let entries = live;
  if (given !== undefined && given.length > 0 && !equal(given, live)) {
    const causes = managedFieldsCauses(given);
    if (causes.length > 0) throw invalid(resource.definition, name, causes);
    entries = isReset(given) ? undefined : given;
  }
  if (writer === undefined) return entries;
  const { managedFields: _entries, ...metadata } = metadataOf(old);
  return trackWrite({ ...old, metadata }, wanted, entries, shapeOf(resource), writer);
}

function entriesOf(object: Json): JsonValue[] | undefined {
  const { managedFields } = metadataOf(object);
  return Array.isArray(managedFields) ? managedFields : undefined;
}

/** `metadata` with these managed fields and no others. */
export function withManagedFields(metadata: Json, entries: JsonValue[] | undefined): Json {
  return entries === undefined || entries.length === 0 ? metadata : { ...metadata, managedFields: entries };
}

/** What is wrong with an object in the body of an apply: it may not say who manages what. */
export function bringsManagedFields(body: unknown): boolean {
  return isObject(body) && metadataOf(body).managedFields !== undefined && metadataOf(body).managedFields !== null;
}
