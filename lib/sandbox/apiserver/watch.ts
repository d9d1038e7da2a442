import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import type { Entry, StoreEvent } from "#sandbox/store/types";
import type { Engine } from "./context.ts";
import { listObjects, matcherOf } from "./list.ts";
import { tooLarge } from "./list-options.ts";
import type { Resource } from "./resource.ts";
import type { Matcher } from "./selectors.ts";
import { failure, statusOf } from "./status.ts";

type WatchType = "ADDED" | "MODIFIED" | "DELETED";

/** Where a watch's changes go. */
export interface WatchSink {
  /** False: the reader is too far behind and the watch must end (it lists anew). */
  event(type: WatchType, entry: Entry): boolean;
  bookmark(revision: number, endOfInitial: boolean): boolean;
  /** The Status of why no events can come (410 Expired). The watch ends after it. */
  error(status: ReturnType<typeof statusOf>): void;
  end(): void;
}

export interface WatchQuery {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Changes after this revision; undefined or 0: first everything that is there, as ADDED. */
  readonly revision?: number | undefined;
  readonly bookmarks: boolean;
  /**
   * True: first everything that is there, then a bookmark that says so, whatever `revision` is. False: only what
   * changes. Undefined: as `revision` says.
   */
  readonly initialEvents: boolean | undefined;
  readonly timeoutMs: number;
}

const BOOKMARK_MS = 60_000;

/**
 * Starts a watch: every committed change once, in order, as the selectors see it (an object that starts to match is
 * ADDED, one that stops is DELETED). Returns what ends it. Throws 400 for an unreadable selector.
 */
export function startWatch(engine: Engine, resource: Resource, query: WatchQuery, sink: WatchSink): () => void {
  const matches = matcherOf(resource, query);
  const { store, clock } = engine;
  store.flush();
  const prefix = query.namespace === undefined ? "" : `${query.namespace}/`;
  const anywhere = query.revision === undefined || query.revision === 0;
  const initial = query.initialEvents ?? anywhere;
  let backlog: readonly StoreEvent[] = [];
  if (initial && !anywhere && (query.revision ?? 0) > store.revision) {
    throw tooLarge(query.revision ?? 0, store.revision);
  }
  if (!initial && !anywhere) {
    try {
      backlog = store.since(resource.bucket, query.revision ?? 0);
    } catch (thrown) {
      sink.error(expired(thrown));
      sink.end();
      return () => undefined;
    }
  }

  let open = true;
  const stops: (() => void)[] = [];
  const stop = () => {
    if (!open) return;
    open = false;
    for (const one of stops) one();
  };
  const finish = () => {
    if (!open) return;
    stop();
    sink.end();
  };
  const deliver = (events: readonly StoreEvent[]) => {
    for (const event of events) {
      if (!open) return;
      if (!event.key.startsWith(prefix)) continue;
      const type = seen(event, matches);
      if (type !== undefined && !sink.event(type, event.last)) finish();
    }
  };

  // Subscribed in the same turn as the state is read: nothing falls between.
  stops.push(store.subscribe(resource.bucket, deliver));
  if (initial) {
    const { namespace, labelSelector, fieldSelector } = query;
    for (const entry of listObjects(engine, resource, { namespace, labelSelector, fieldSelector }).entries) {
      if (open && !sink.event("ADDED", entry)) finish();
    }
    if (open && query.initialEvents && query.bookmarks) sink.bookmark(store.revision, true);
  } else deliver(backlog);
  if (!open) return stop;
  const bookmark = () => {
    store.flush();
    if (open && !sink.bookmark(store.revision, false)) finish();
  };
  const timeUp = () => {
    // The client that watches again from here misses nothing and reads nothing twice.
    if (query.bookmarks) bookmark();
    finish();
  };
  stops.push(clock.schedule(query.timeoutMs, timeUp));
  if (query.bookmarks) stops.push(every(clock, BOOKMARK_MS, bookmark));
  return stop;
}

function seen(event: StoreEvent, matches: Matcher): WatchType | undefined {
  const before = event.before !== undefined && matches(event.before.object);
  const now = event.now !== undefined && matches(event.now.object);
  if (now) return before ? "MODIFIED" : "ADDED";
  return before ? "DELETED" : undefined;
}

function expired(thrown: unknown): ReturnType<typeof statusOf> {
  const fault = Fault.from(thrown);
  if (fault.code !== "gone") return statusOf(thrown);
  return failure({ code: 410, reason: "Expired", message: fault.message }).status;
}

/** Runs `task` every `ms` until stopped. */
export function every(clock: Clock, ms: number, task: () => void): () => void {
  let cancel = clock.schedule(ms, run);
  let stopped = false;
  function run() {
    if (stopped) return;
    cancel = clock.schedule(ms, run);
    task();
  }
  return () => {
    stopped = true;
    cancel();
  };
}
