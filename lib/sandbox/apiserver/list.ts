import type { Entry } from "#sandbox/store/types";
import type { Engine } from "./context.ts";
import { fieldLabels } from "./field-labels.ts";
import { inVersion, type Resource } from "./resource.ts";
import { exactName, type Matcher, parseFieldSelector, parseLabelSelector } from "./selectors.ts";
import { badRequest, failure } from "./status.ts";

export interface ListQuery {
  /** Undefined: every namespace, or a cluster-scoped kind. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
}

export interface ListResult {
  readonly entries: readonly Entry[];
  /** A watch from here misses nothing that happened since the first page. */
  readonly revision: number;
  readonly continue?: string;
  readonly remaining?: number;
}

/** Both selectors as one test. Throws 400 for a selector that cannot be read. */
export function matcherOf(resource: Pick<Resource, "bucket" | "custom">, query: ListQuery): Matcher {
  const labels = parseLabelSelector(query.labelSelector ?? "");
  const fields = parseFieldSelector(query.fieldSelector ?? "", fieldLabels(resource));
  if (!query.labelSelector && !query.fieldSelector) return () => true;
  return (object) => labels(object) && fields(object);
}

/** The objects that are stored now, by key. Further pages continue after the last key at the state of then. */
export function listObjects(engine: Engine, resource: Resource, query: ListQuery): ListResult {
  const matches = matcherOf(resource, query);
  const { store } = engine;
  store.flush();
  const token = query.continue ? readToken(query.continue) : undefined;
  const revision = token?.revision ?? store.revision;
  const limit = query.limit !== undefined && query.limit > 0 ? query.limit : Number.POSITIVE_INFINITY;
  const all = namedOnly(engine, resource, query) ?? store.list(resource.bucket, query.namespace);
  const found: Entry[] = [];
  for (const [index, entry] of all.entries()) {
    if (token !== undefined && entry.key <= token.after) continue;
    if (!matches(entry.object)) continue;
    const last = found.at(-1);
    if (found.length >= limit && last !== undefined) {
      const selective = Boolean(query.labelSelector || query.fieldSelector);
      return {
        entries: found,
        revision,
        continue: writeToken({ revision, after: last.key }),
        ...(selective ? {} : { remaining: all.length - index }),
      };
    }
    found.push(entry);
  }
  return { entries: found, revision };
}

/** `--field-selector metadata.name=x` in one namespace is how clients watch one object. */
function namedOnly(engine: Engine, resource: Resource, query: ListQuery): readonly Entry[] | undefined {
  const name = exactName(query.fieldSelector ?? "");
  if (name === undefined || (resource.definition.namespaced && query.namespace === undefined)) return undefined;
  const key = query.namespace === undefined ? name : `${query.namespace}/${name}`;
  const entry = engine.store.get(resource.bucket, key);
  return entry === undefined ? [] : [entry];
}

interface Token {
  readonly revision: number;
  readonly after: string;
}

function writeToken(token: Token): string {
  return Buffer.from(JSON.stringify([token.revision, token.after])).toString("base64url");
}

function readToken(text: string): Token {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (Array.isArray(value) && Number.isInteger(value[0]) && typeof value[1] === "string") {
      return { revision: Number(value[0]), after: value[1] };
    }
  } catch {
    // Said below.
  }
  throw badRequest("continue key is not valid: it was not given out by this server");
}

/** The JSON of an entry as this version of its kind shows it. */
export function textOf(resource: Resource, entry: Entry): string {
  return resource.apiVersion === resource.storedAs ? entry.text : JSON.stringify(inVersion(resource, entry.object));
}

/** The List object, put together from texts that exist already. */
export function listText(resource: Resource, result: ListResult): string {
  const metadata = {
    resourceVersion: `${result.revision}`,
    ...(result.continue === undefined ? {} : { continue: result.continue }),
    ...(result.remaining === undefined ? {} : { remainingItemCount: result.remaining }),
  };
  const head = `{"kind":${JSON.stringify(resource.listKind)},"apiVersion":${JSON.stringify(resource.apiVersion)}`;
  const items = result.entries.map((entry) => textOf(resource, entry)).join(",");
  return `${head},"metadata":${JSON.stringify(metadata)},"items":[${items}]}\n`;
}

/** A `resourceVersion` of a request: undefined when none was given. Throws 400 for anything but a number. */
export function readRevision(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw failure({
    code: 400,
    reason: "BadRequest",
    message: `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  });
}
