import { jsonText } from "#core/int64";
import type { Column, Json } from "#sandbox/kinds/definition";
import type { Entry } from "#sandbox/store/types";
import { objectAt } from "./json.ts";
import { type ListResult, listText, textOf } from "./list.ts";
import type { Resource } from "./resource.ts";

/** What each row carries beside its cells (`includeObject`). */
export type RowObject = "None" | "Metadata" | "Object";

/** How a reply shows objects: as they are, as a Table, or only their metadata. */
export type View =
  | { readonly kind: "object" }
  | { readonly kind: "table"; readonly version: string; readonly include: RowObject }
  | { readonly kind: "metadata" };

const NO_COLUMNS: readonly Column[] = [];

/** A meta.k8s.io Table of these objects; `headers` false leaves the column definitions out (later events of a watch). */
function tableText(
  resource: Resource,
  result: ListResult,
  view: { readonly version: string; readonly include: RowObject },
  now: number,
  headers = true,
): string {
  const columns = resource.definition.columns ?? NO_COLUMNS;
  const metadata = {
    ...(result.revision > 0 ? { resourceVersion: `${result.revision}` } : {}),
    ...(result.continue === undefined ? {} : { continue: result.continue }),
    ...(result.remaining === undefined ? {} : { remainingItemCount: result.remaining }),
  };
  const definitions = headers
    ? columns.map(({ name, type, format, description, priority }) => ({
        name,
        type,
        format: format ?? "",
        description,
        priority,
      }))
    : null;
  const rows = result.entries.map((entry) => {
    const cells = columns.map((column) => cellOf(column, entry.object, now));
    const object = rowObject(resource, entry, view.include);
    return `{"cells":${jsonText(cells)}${object === "" ? "" : `,"object":${object}`}}`;
  });
  return (
    `{"kind":"Table","apiVersion":"meta.k8s.io/${view.version}","metadata":${JSON.stringify(metadata)},` +
    `"columnDefinitions":${JSON.stringify(definitions)},"rows":[${rows.join(",")}]}\n`
  );
}

function rowObject(resource: Resource, entry: Entry, include: RowObject): string {
  if (include === "None") return "";
  return include === "Object" ? textOf(resource, entry) : JSON.stringify(partialOf(entry.object));
}

/** meta.k8s.io/v1 PartialObjectMetadata. */
function partialOf(object: Json): Json {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: objectAt(object, "metadata") };
}

// One odd object must not take the whole table with it.
function cellOf(column: Column, object: Json, now: number): string | number | boolean | null {
  try {
    return column.value(object, now);
  } catch {
    return null;
  }
}

/** A list in the wanted view. */
export function listViewText(resource: Resource, result: ListResult, view: View, now: number): string {
  if (view.kind === "object") return listText(resource, result);
  if (view.kind === "table") return tableText(resource, result, view, now);
  const next = {
    ...(result.continue === undefined ? {} : { continue: result.continue }),
    ...(result.remaining === undefined ? {} : { remainingItemCount: result.remaining }),
  };
  return JSON.stringify({
    kind: "PartialObjectMetadataList",
    apiVersion: "meta.k8s.io/v1",
    metadata: { resourceVersion: `${result.revision}`, ...next },
    items: result.entries.map((entry) => partialOf(entry.object)),
  });
}

/** One object in the wanted view. */
export function viewText(resource: Resource, entry: Entry, view: View, now: number, headers = true): string {
  switch (view.kind) {
    case "object":
      return textOf(resource, entry);
    case "metadata":
      return JSON.stringify(partialOf(entry.object));
    case "table":
      return tableText(resource, { entries: [entry], revision: entry.revision }, view, now, headers);
  }
}
