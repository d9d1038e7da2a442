import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { canonical } from "#sandbox/kinds/json";
import { isObject, metadataOf, textAt, withAt } from "../json.ts";
import { failure, type StatusFault } from "../status.ts";
import { compare, fieldsOf, isSame } from "./compare.ts";
import { type Manager, readManagers, type Writer, writeManagers } from "./entries.ts";
import { difference, type FieldSet, intersection, pathsOf, pathText, union } from "./field-set.ts";
import { merge, removeFields, withNamedParents } from "./merge.ts";
import type { Shape } from "./shape.ts";
import { beforeFirstApply, heldOf, isSelf, manageable } from "./track.ts";

interface Application {
  /** The object as it is; undefined: it is to be created. */
  readonly live: Json | undefined;
  /** What the manager wants, nothing else. */
  readonly applied: Json;
  readonly shape: Shape;
  readonly writer: Writer;
  /** Take fields from others instead of refusing. */
  readonly force: boolean;
  /** Whether this write may set the field at all (`status` belongs to its subresource). */
  mayOwn(topLevel: string): boolean;
}

interface Applied {
  readonly object: Json;
  /** `metadata.managedFields` of it. */
  readonly entries: JsonValue[] | undefined;
}

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * Server-side apply: the live object with what is applied, without what its manager applied before and nobody else
 * holds. Throws 409 that names every field that another manager holds with another value, unless forced.
 */
export function applyFields(application: Application): Applied {
  const { live: given, applied: wanted, shape, writer, mayOwn } = application;
  const live = bare(given ?? {});
  const applied = ownable(bare(wanted), mayOwn);
  const known = readManagers(given === undefined ? undefined : metadataOf(given).managedFields);
  const managers = known.length > 0 || given === undefined ? known : beforeFirstApply(live, shape, writer);
  const own = managers.find((manager) => isSelf(manager, writer, "Apply"));
  const others = managers.filter((manager) => manager !== own);
  const asked = fieldsOf(applied, shape);
  const set = manageable(asked);

  const merged = serverOwned(objectOf(merge(live, applied, shape)), live);
  const managed = others.reduce((all, { fields }) => union(all, fields), asked);
  const next = objectOf(prune(merged, own?.fields, managed, shape));
  const compared = compare(live, next, shape);
  const touched = union(compared.added, compared.modified);
  const held = heldOf(others, touched);
  if (held.length > 0 && !application.force) {
    const allowed = writer.manager === "kubectl" ? lastApplied(live, shape) : undefined;
    const conflicts = held.flatMap(({ manager, fields }) => {
      const left = difference(fields, allowed);
      return left === undefined ? [] : [{ manager, fields: left }];
    });
    if (conflicts.length > 0) throw conflictOf(conflicts);
  }
  const kept = others.flatMap((manager): Manager[] => {
    const fields = difference(difference(manager.fields, touched), compared.removed);
    return fields === undefined ? [] : [{ ...manager, fields }];
  });
  const entry: Manager[] =
    set === undefined
      ? []
      : [
          {
            name: writer.manager,
            operation: "Apply",
            apiVersion: writer.apiVersion,
            subresource: writer.subresource,
            time: isSame(compared) ? own?.time : writer.now,
            fields: set,
          },
        ];
  const object = writer.manager === "kubectl" ? withLastApplied(next, wanted) : next;
  return { object, entries: writeManagers([...kept, ...entry]) };
}

function bare(object: Json): Json {
  const metadata = { ...metadataOf(object) };
  delete metadata.managedFields;
  return { ...object, metadata };
}

function ownable(applied: Json, mayOwn: (name: string) => boolean): Json {
  return Object.fromEntries(
    Object.entries(applied).filter(
      ([name]) => name === "apiVersion" || name === "kind" || name === "metadata" || mayOwn(name),
    ),
  );
}

function objectOf(value: JsonValue): Json {
  return isObject(value) ? value : {};
}

const OF_THE_SERVER = ["uid", "creationTimestamp", "resourceVersion", "generation", "deletionTimestamp", "selfLink"];

/** What a configuration says of these is no wish. */
function serverOwned(merged: Json, live: Json): Json {
  const metadata = { ...metadataOf(merged) };
  const was = metadataOf(live);
  for (const name of OF_THE_SERVER) {
    if (was[name] === undefined) delete metadata[name];
    else metadata[name] = was[name];
  }
  return { ...merged, metadata };
}

/** Without the fields, items and entries that this manager applied last time, not this time, and nobody else holds. */
function prune(merged: Json, last: FieldSet | undefined, managed: FieldSet | undefined, shape: Shape): JsonValue {
  if (last === undefined) return merged;
  const named = (set: FieldSet | undefined) => withNamedParents(set, shape);
  const lastNamed = named(last);
  const mergedSet = named(fieldsOf(merged, shape));
  const first = removeFields(merged, lastNamed, shape);
  const kept = union(named(fieldsOf(first ?? {}, shape)), named(managed));
  const second = removeFields(merged, difference(mergedSet, kept), shape);
  const gone = difference(mergedSet, named(fieldsOf(second ?? {}, shape)));
  return removeFields(merged, intersection(gone, lastNamed), shape);
}

/** The fields that client-side apply set and that still are as it set them: `kubectl` may take them over. */
function lastApplied(live: Json, shape: Shape): FieldSet | undefined {
  const text = textAt(live, "metadata", "annotations", LAST_APPLIED);
  if (text === "") return undefined;
  let before: unknown;
  try {
    before = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(before)) return undefined;
  const compared = compare(live, before, shape);
  const differing = union(union(compared.added, compared.modified), compared.removed);
  return difference(fieldsOf(before, shape), differing);
}

/** Keeps the annotation of client-side apply, where there is one, at what was applied now. */
function withLastApplied(object: Json, applied: Json): Json {
  if (textAt(object, "metadata", "annotations", LAST_APPLIED) === "") return object;
  const bareApplied = withAt(bare(applied), ["metadata", "annotations", LAST_APPLIED], undefined);
  const annotations = metadataOf(bareApplied).annotations;
  const plain =
    isObject(annotations) && Object.keys(annotations).length === 0
      ? withAt(bareApplied, ["metadata", "annotations"], undefined)
      : bareApplied;
  return withAt(object, ["metadata", "annotations", LAST_APPLIED], `${canonical(plain)}\n`);
}

type Held = readonly { readonly manager: Manager; readonly fields: FieldSet }[];

function conflictOf(held: Held): StatusFault {
  const conflicts = held.flatMap(({ manager, fields }) =>
    pathsOf(fields).map((path) => ({ who: whoIs(manager), path: pathText(path) })),
  );
  const [first] = conflicts;
  const single = first !== undefined && conflicts.length === 1;
  const groups = [...Map.groupBy(conflicts, ({ who }) => who)].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = groups.flatMap(([who, of]) => [`conflicts with ${who}:`, ...of.map(({ path }) => `- ${path}`)]);
  return failure({
    code: 409,
    reason: "Conflict",
    message: single
      ? `Apply failed with 1 conflict: conflict with ${first.who}: ${first.path}`
      : `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`,
    details: {
      causes: conflicts.map(({ who, path }) => ({
        reason: "FieldManagerConflict",
        message: `conflict with ${who}`,
        field: path,
      })),
    },
  });
}

function whoIs({ name, subresource, operation, apiVersion, time }: Manager): string {
  const part = subresource === "" ? "" : ` with subresource ${JSON.stringify(subresource)}`;
  const when = operation === "Apply" ? "" : ` using ${apiVersion}${time === undefined ? "" : ` at ${time}`}`;
  return `${JSON.stringify(name)}${part}${when}`;
}
