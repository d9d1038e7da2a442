import type { ServerResponse } from "node:http";
import type { Engine } from "./context.ts";
import { readListOptions } from "./list-options.ts";
import type { Resource } from "./resource.ts";
import { isTrue, numberParam } from "./route.ts";
import { type View, viewText } from "./table.ts";
import { startWatch, type WatchQuery, type WatchSink } from "./watch.ts";

/** A reader this far behind is cut off; it lists anew. */
const BACKLOG_BYTES_MAX = 32 * 1024 * 1024;
const TIMEOUT_MIN_MS = 30 * 60_000;
const TIMEOUT_MAX_MS = 24 * 3_600_000;

/** Reads the query of a watch. Throws 400 for values that cannot be read. */
export function readWatchQuery(
  query: URLSearchParams,
  scope: { readonly namespace: string | undefined; readonly name: string },
): WatchQuery {
  const bookmarks = isTrue(query.get("allowWatchBookmarks"));
  const { revision, sendInitialEvents } = readListOptions(query, true);
  const seconds = numberParam(query, "timeoutSeconds");
  const timeoutMs =
    seconds !== undefined && seconds > 0
      ? Math.min(seconds * 1000, TIMEOUT_MAX_MS)
      : TIMEOUT_MIN_MS * (1 + Math.random());
  const named = scope.name === "" ? "" : `metadata.name=${scope.name}`;
  const fields = [named, query.get("fieldSelector") ?? ""].filter((part) => part !== "").join(",");
  return {
    namespace: scope.namespace,
    labelSelector: query.get("labelSelector") ?? "",
    fieldSelector: fields,
    revision,
    bookmarks,
    initialEvents: sendInitialEvents,
    timeoutMs,
  };
}

/** Answers a watch request: one JSON object per line until it ends. Returns what ends it. */
export function streamWatch(
  engine: Engine,
  resource: Resource,
  query: WatchQuery,
  view: View,
  response: ServerResponse,
): () => void {
  let headers = true;
  let buffered = "";
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
    response.flushHeaders();
  };
  const flush = () => {
    if (buffered === "") return;
    const text = buffered;
    buffered = "";
    if (!response.destroyed) response.write(text);
  };
  const write = (type: string, object: string): boolean => {
    // One packet per turn, however many changes a commit held.
    if (buffered === "") queueMicrotask(flush);
    buffered += `{"type":"${type}","object":${object}}\n`;
    if (buffered.length > 1_000_000) flush();
    return response.writableLength < BACKLOG_BYTES_MAX;
  };
  const sink: WatchSink = {
    event(type, entry) {
      begin();
      const text = viewText(resource, entry, view, engine.clock.now(), headers).trimEnd();
      headers = false;
      return write(type, text);
    },
    bookmark(revision, endOfInitial) {
      begin();
      return write("BOOKMARK", bookmarkText(resource, view, revision, endOfInitial));
    },
    error(status) {
      begin();
      write("ERROR", JSON.stringify(status));
    },
    end() {
      begin();
      flush();
      if (response.writableLength >= BACKLOG_BYTES_MAX) response.destroy();
      else response.end();
    },
  };
  const stop = startWatch(engine, resource, query, sink);
  // Quiet watches must be answered at once too: clients wait for the headers.
  begin();
  response.on("close", stop);
  response.on("error", stop);
  return () => {
    stop();
    sink.end();
  };
}

function bookmarkText(resource: Resource, view: View, revision: number, endOfInitial: boolean): string {
  const metadata = {
    resourceVersion: `${revision}`,
    creationTimestamp: null,
    ...(endOfInitial ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}),
  };
  const object = { kind: resource.definition.kind, apiVersion: resource.apiVersion, metadata };
  if (view.kind === "object") return JSON.stringify(object);
  const partial = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
  if (view.kind === "metadata") return JSON.stringify(partial);
  return JSON.stringify({
    kind: "Table",
    apiVersion: `meta.k8s.io/${view.version}`,
    metadata: { resourceVersion: `${revision}` },
    columnDefinitions: null,
    rows: [{ cells: resource.definition.columns.map(() => null), object: partial }],
  });
}
