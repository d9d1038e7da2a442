import { Fault } from "#core/errors";
import { jsonText } from "#core/int64";
import type { Entry } from "#sandbox/store/types";
import type { Engine } from "./context.ts";
import { fieldLabels, unsupportedLabel } from "./field-labels.ts";
import { type ListOptions, tooLarge } from "./list-options.ts";
import { inVersion, type Resource } from "./resource.ts";
import { exactName, type Matcher, parseFieldSelector, parseLabelSelector } from "./selectors.ts";
import { entriesAt } from "./snapshot.ts";
import { badRequest, failure } from "./status.ts";

interface ListQuery extends Partial<Pick<ListOptions, "revision" | "match" | "limit" | "continue">> {
  /** Undefined: every namespace, or a cluster-scoped kind. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
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
  const fields = parseFieldSelector(query.fieldSelector ?? "", fieldLabels(resource), (path) =>
    unsupportedLabel(resource, path),
  );
  if (!query.labelSelector && !query.fieldSelector) return () => true;
  return (object) => labels(object) && fields(object);
}

/**
 * The objects of a kind by key: the newest ones, or those of the version that `match` and `continue` ask for. All pages
 * of one list show the state at its first. Throws 410 with a token that goes on without that promise when the state is
 * no longer known, 504 for a version that is still to come.
 */
export function listObjects(engine: Engine, resource: Resource, query: ListQuery): ListResult {
  const matches = matcherOf(resource, query);
  const { store } = engine;
  store.flush();
  const token = query.continue ? readToken(query.continue) : undefined;
  const { revision = 0 } = query;
  if (revision > store.revision) throw tooLarge(revision, store.revision);
  const limit = limitOf(query);
  // Asked for a version and a page without saying how they go together: that version exactly.
  const exact = query.match === "Exact" || (!query.match && revision > 0 && limit < Number.POSITIVE_INFINITY);
  const at = token === undefined ? (exact ? revision : store.revision) : token.revision;
  // Below zero: the rest of a list whose state is gone, as it is now.
  const shown = at < 0 ? store.revision : at;
  const all = entriesFor(engine, resource, query, shown, token);
  const start = token === undefined ? 0 : firstAfter(all, token.after);
  const found: Entry[] = [];
  for (let index = start; index < all.length; index++) {
    const entry = all[index];
    if (entry === undefined || !matches(entry.object)) continue;
    const last = found.at(-1);
    if (found.length >= limit && last !== undefined) {
      const selective = Boolean(query.labelSelector || query.fieldSelector);
      return {
        entries: found,
        revision: shown,
        continue: writeToken({ revision: at < 0 ? at : shown, after: last.key }),
        ...(selective ? {} : { remaining: all.length - index }),
      };
    }
    found.push(entry);
  }
  return { entries: found, revision: shown };
}

// "Any version" is answered whole, as from the server's watch cache.
function limitOf(query: ListQuery): number {
  const { limit, revision } = query;
  return limit !== undefined && limit > 0 && (revision !== 0 || query.continue) ? limit : Number.POSITIVE_INFINITY;
}

function entriesFor(
  engine: Engine,
  resource: Resource,
  query: ListQuery,
  revision: number,
  token: Token | undefined,
): readonly Entry[] {
  const { store } = engine;
  if (revision === store.revision) {
    return namedOnly(engine, resource, query) ?? store.list(resource.bucket, query.namespace);
  }
  try {
    return entriesAt(store, resource.bucket, query.namespace, revision);
  } catch (thrown) {
    throw Fault.from(thrown).code === "gone" ? expired(token) : thrown;
  }
}

function expired(token: Token | undefined) {
  if (token === undefined) {
    return failure({
      code: 410,
      reason: "Expired",
      message: "The resourceVersion for the provided list is too old.",
    });
  }
  const gone = failure({ code: 410, reason: "Expired", message: TOKEN_EXPIRED });
  const metadata = { continue: writeToken({ revision: -1, after: token.after }) };
  return Object.assign(gone, { status: { ...gone.status, metadata } });
}

const TOKEN_EXPIRED =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without " +
  "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. " +
  "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or " +
  "deleted between the time the first chunk was returned and now may show up in the list.";

/** Index of the first entry behind `key`. */
function firstAfter(entries: readonly Entry[], key: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.key ?? "") <= key) low = middle + 1;
    else high = middle;
  }
  return low;
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
    if (Array.isArray(value) && Number.isSafeInteger(value[0]) && value[0] >= -1 && typeof value[1] === "string") {
      return { revision: Number(value[0]), after: value[1] };
    }
  } catch {
    // Said below.
  }
  throw badRequest("continue key is not valid: it was not given out by this server");
}

/** The JSON of an entry as this version of its kind shows it. */
export function textOf(resource: Resource, entry: Entry): string {
  return resource.apiVersion === resource.storedAs ? entry.text : jsonText(inVersion(resource, entry.object));
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
