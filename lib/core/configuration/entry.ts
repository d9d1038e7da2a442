import { perObject } from "../per-object.ts";
import { isPlain, ownMember, textMap } from "./fields.ts";
import { type ConfigurationFinding, type ConfigurationKind, failure, type Remark, type Report } from "./finding.ts";

/** One object of the configuration, as far as every kind is alike. */
export interface Entry {
  readonly kind: ConfigurationKind;
  /** "namespace/name", or "name". */
  readonly key: string;
  readonly name: string;
  readonly apiVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: unknown;
  /** Changes when, and only when, name, labels or spec do. */
  readonly source: string;
  readonly report: Report;
}

export type Collect = (finding: ConfigurationFinding) => void;

/**
 * The usable objects of one kind, oldest first: of two with one name the older
 * counts. The order does not depend on that of `objects`.
 */
export function readEntries(
  kind: ConfigurationKind,
  objects: readonly unknown[],
  options: { readonly collect: Collect; readonly namespace?: string | undefined },
): readonly Entry[] {
  const found = objects.map((object) => ({ object, age: ageOf(object) })).toSorted(compareAge);
  const entries = new Map<string, Entry>();
  for (const { object } of found) {
    const entry = entryOf(kind, object, options.collect);
    if (!isPlain(object)) {
      entry.report(failure("", "wrong_type", "is no object", "write apiVersion, kind, metadata and spec"));
    } else if (entry.name === "") {
      entry.report(failure("metadata.name", "missing_name", "the object has no name", "give it a name"));
    } else if (isElsewhere(object, options.namespace)) {
      const message = `nobody reads it here: the configuration is in ${options.namespace}`;
      entry.report(failure("metadata.namespace", "wrong_namespace", message, `move it to ${options.namespace}`));
    } else if (entries.has(entry.name)) {
      const message = `another ${kind} has the same name`;
      entry.report(failure("metadata.name", "duplicate_name", message, "choose another name, or remove one"));
    } else entries.set(entry.name, entry);
  }
  return [...entries.values()];
}

export function entryOf(kind: ConfigurationKind, object: unknown, collect: Collect): Entry {
  const read = readOnce(object);
  return { ...read, kind, report: (remark: Remark) => collect({ ...remark, kind, object: read.key }) };
}

type Read = Omit<Entry, "kind" | "report">;

const readPlainOnce = perObject(readEntry);

/** Objects never change, and are compiled again whenever another one does. */
function readOnce(object: unknown): Read {
  return isPlain(object) ? readPlainOnce(object) : readEntry(object);
}

function readEntry(object: unknown): Read {
  const metadata = ownMember(object, "metadata");
  const name = textOf(ownMember(metadata, "name"));
  const namespace = textOf(ownMember(metadata, "namespace"));
  const labels = textMap(ownMember(metadata, "labels"));
  const spec = ownMember(object, "spec");
  return {
    key: `${namespace === "" ? "" : `${namespace}/`}${name === "" ? "(no name)" : name}`,
    name,
    apiVersion: textOf(ownMember(object, "apiVersion")),
    labels,
    annotations: textMap(ownMember(metadata, "annotations")),
    spec,
    source: stableText([name, labels, spec]),
  };
}

// The webhooks of a cluster refuse objects elsewhere; in a file the namespace may be left to `kubectl -n`.
function isElsewhere(object: unknown, namespace: string | undefined): boolean {
  const own = textOf(ownMember(ownMember(object, "metadata"), "namespace"));
  return namespace !== undefined && own !== "" && own !== namespace;
}

/** Objects without a date come last. */
function ageOf(object: unknown): string {
  const metadata = ownMember(object, "metadata");
  const parts = ["creationTimestamp", "namespace", "name"].map((name) => textOf(ownMember(metadata, name)));
  return [parts[0] || "9", parts[1], parts[2]].join("\u0000");
}

interface Aged {
  readonly object: unknown;
  readonly age: string;
}

/** The text of the whole object decides between equals, of which a cluster has none. */
function compareAge(a: Aged, b: Aged): number {
  return compare(a.age, b.age) || compare(stableText(a.object), stableText(b.object));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

const DEPTH_MAX = 40;

/** JSON with members in order. What lies deeper than any schema goes is left out. */
function stableText(value: unknown, depth = 0): string {
  if (depth > DEPTH_MAX) return '"…"';
  if (Array.isArray(value)) return `[${value.map((item) => stableText(item, depth + 1)).join(",")}]`;
  if (!isPlain(value)) return JSON.stringify(value) ?? "null";
  const members = Object.keys(value).toSorted();
  return `{${members.map((name) => `${JSON.stringify(name)}:${stableText(value[name], depth + 1)}`).join(",")}}`;
}
