import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { compare, isSame } from "./compare.ts";
import { type Manager, type Operation, readManagers, type Writer, writeManagers } from "./entries.ts";
import { difference, type FieldSet, intersection, union, withoutPath } from "./field-set.ts";
import type { Shape } from "./shape.ts";

/** What belongs to the server whoever writes it: never managed. */
const SERVER_OWNED: readonly (readonly string[])[] = [
  ["f:apiVersion"],
  ["f:kind"],
  ...[
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "generation",
    "managedFields",
    "resourceVersion",
  ].map((name) => ["f:metadata", `f:${name}`]),
];

const UPDATERS_MAX = 10;

export function isSelf(manager: Manager, writer: Writer, operation: Operation): boolean {
  if (manager.operation !== operation || manager.name !== writer.manager) return false;
  if (manager.subresource !== writer.subresource) return false;
  return operation === "Apply" || manager.apiVersion === writer.apiVersion;
}

/** The part of a set that may be managed at all. */
export function manageable(set: FieldSet | undefined): FieldSet | undefined {
  return SERVER_OWNED.reduce((left, path) => withoutPath(left, path), set);
}

/**
 * Who manages what after a write of `after` over `before` (undefined: a creation): the writer takes what it changed,
 * from everybody else it goes. Returns `entries` itself when nothing changes hands or time.
 */
export function trackWrite(
  before: Json | undefined,
  after: Json,
  entries: JsonValue,
  shape: Shape,
  writer: Writer,
): JsonValue[] | undefined {
  const was = Array.isArray(entries) ? entries : undefined;
  // An object that nobody manages stays so; only server-side apply begins anew.
  if (before !== undefined && (was === undefined || was.length === 0)) return was;
  const compared = compare(before ?? {}, after, shape);
  if (isSame(compared)) return was;
  const taken = manageable(union(compared.added, compared.modified));
  const gone = compared.removed;
  const managers = readManagers(was);
  const own = managers.find((manager) => isSelf(manager, writer, "Update"));
  const others = managers
    .filter((manager) => manager !== own)
    .flatMap((manager) => keep(manager, difference(difference(manager.fields, taken), gone)));
  const left = own === undefined ? [] : keep(own, difference(own.fields, gone));
  const next = taken === undefined ? left : [booked(writer, union(left[0]?.fields, taken) ?? taken)];
  return writeManagers(capped([...others, ...next]));
}

/** What an object is booked as when server-side apply first meets it and nobody manages it. */
export function beforeFirstApply(live: Json, shape: Shape, writer: Writer): readonly Manager[] {
  const fields = manageable(compare({}, live, shape).added);
  return fields === undefined ? [] : [booked({ ...writer, manager: "before-first-apply", subresource: "" }, fields)];
}

function booked({ manager, apiVersion, subresource, now }: Writer, fields: FieldSet): Manager {
  return { name: manager, operation: "Update", apiVersion, subresource, time: now, fields };
}

function keep(manager: Manager, fields: FieldSet | undefined): readonly Manager[] {
  if (fields === undefined) return [];
  return fields === manager.fields ? [manager] : [{ ...manager, fields }];
}

/** At most ten updaters: the oldest of one version become one, as on the real server. */
function capped(managers: readonly Manager[]): readonly Manager[] {
  const updaters = managers.filter((manager) => manager.operation === "Update");
  if (updaters.length <= UPDATERS_MAX) return managers;
  const byAge = updaters.toSorted((a, b) => Date.parse(a.time ?? "1970-01-01") - Date.parse(b.time ?? "1970-01-01"));
  const old = new Set(byAge.slice(0, updaters.length - UPDATERS_MAX + 1));
  const merged = new Map<string, Manager>();
  for (const manager of byAge.filter((one) => old.has(one))) {
    const id = manager.apiVersion;
    const fields = union(merged.get(id)?.fields, manager.fields) ?? manager.fields;
    merged.set(id, { ...manager, name: "ancient-changes", subresource: "", fields });
  }
  return [...managers.filter((manager) => !old.has(manager)), ...merged.values()];
}

/** Fields that `managers` hold and that are among `touched`, by manager: what an applier that does not force runs into. */
export function heldOf(
  managers: readonly Manager[],
  touched: FieldSet | undefined,
): readonly { readonly manager: Manager; readonly fields: FieldSet }[] {
  return managers.flatMap((manager) => {
    const fields = intersection(manager.fields, touched);
    return fields === undefined ? [] : [{ manager, fields }];
  });
}
