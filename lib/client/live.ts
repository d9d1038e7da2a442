import type { QueryClient } from "@tanstack/react-query";
import type { StreamMessage, Topic } from "#api/dashboard/stream";
import type { Phase } from "#client/connection";
import { fold } from "#client/fold";
import { EMPTY_FEED, type Feed, foldFeed } from "#client/probe-feed";
import type { FromWorker, ToWorker } from "#client/stream-worker";

/** What the live indicator knows. Times are `performance.now()` of this tab. */
export interface LiveState {
  readonly phase: Phase["kind"];
  readonly lastAt: number | null;
  readonly retryAt: number | null;
  /** Rows that did not fit their schema since the last snapshot: the screen is partial. */
  readonly dropped: number;
}

const INITIAL: LiveState = { phase: "connecting", lastAt: null, retryAt: null, dropped: 0 };

let state: LiveState = INITIAL;
const listeners = new Set<() => void>();
let reconnect: () => void = () => {};

function set(next: LiveState): void {
  state = next;
  for (const listener of listeners) listener();
}

/** For `useSyncExternalStore`. */
export const live = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  snapshot: (): LiveState => state,
  serverSnapshot: (): LiveState => INITIAL,
  retry: (): void => reconnect(),
};

/** Brings one stream message into the query caches. */
function apply(client: QueryClient, message: StreamMessage): void {
  if (message.kind === "snapshot" || message.kind === "delta")
    client.setQueryData<readonly unknown[]>([message.topic], (rows) => fold(rows as never, message));
  else if (message.kind === "probe")
    client.setQueryData<Feed>(["probe-feed", message.tick.id], (feed) =>
      foldFeed(feed ?? EMPTY_FEED, [message.tick], message.replies),
    );
}

/**
 * Starts the live stream for this tab and feeds the caches until the returned
 * function is called. One connection per browser through a SharedWorker; where
 * that is missing, one per tab.
 */
export function startLive(client: QueryClient): () => void {
  const onPhase = (phase: Phase, ageMs: number) => {
    const now = performance.now();
    set({
      ...state,
      phase: phase.kind,
      lastAt: phase.kind === "open" ? now - ageMs : state.lastAt,
      retryAt: phase.kind === "waiting" ? now - ageMs + phase.retryInMs : null,
    });
  };
  const onMessage = (message: StreamMessage, dropped: number) => {
    const replayed = message.kind === "snapshot" && message.at === 0;
    const lastAt = replayed ? state.lastAt : performance.now();
    set({ ...state, phase: replayed ? state.phase : "open", retryAt: null, lastAt, dropped: state.dropped + dropped });
    apply(client, message);
  };

  if (typeof SharedWorker === "undefined") return fallback(onMessage, onPhase);
  let worker: SharedWorker;
  try {
    worker = new SharedWorker(new URL("./stream-worker.ts", import.meta.url), { type: "module", name: "berth-stream" });
  } catch {
    return fallback(onMessage, onPhase);
  }
  let stop: () => void = () => {};
  const tell = (what: ToWorker) => worker.port.postMessage(what);
  worker.onerror = () => {
    stop = fallback(onMessage, onPhase);
  };
  worker.port.onmessage = (event: MessageEvent<FromWorker>) => {
    const received = event.data;
    if (received.kind === "phase") onPhase(received.phase, received.ageMs);
    else onMessage(received.message, received.dropped);
  };
  worker.port.start();
  reconnect = () => tell("retry");
  const bye = () => tell("bye");
  // A page that comes back from the back-forward cache has lost its place in the worker: begin anew.
  const back = (event: PageTransitionEvent) => {
    if (event.persisted) location.reload();
  };
  addEventListener("pagehide", bye);
  addEventListener("pageshow", back);
  return () => {
    removeEventListener("pagehide", bye);
    removeEventListener("pageshow", back);
    bye();
    worker.port.close();
    stop();
  };
}

function fallback(
  message: (message: StreamMessage, dropped: number) => void,
  phase: (phase: Phase, ageMs: number) => void,
): () => void {
  let close: () => void = () => {};
  let stopped = false;
  // The schemas load only here: with a SharedWorker the page itself never needs them.
  void import("#client/connection").then(({ openConnection }) => {
    if (stopped) return;
    const connection = openConnection({ message, phase: (next) => phase(next, 0) });
    reconnect = () => connection.retry();
    close = () => connection.close();
  });
  return () => {
    stopped = true;
    close();
  };
}

/** Rows of a topic that the stream has brought already, waiting at most `ms` for the first snapshot. */
export async function firstRows(
  client: QueryClient,
  topic: Topic,
  ms: number,
): Promise<readonly unknown[] | undefined> {
  const has = () => client.getQueryData<readonly unknown[]>([topic]);
  const until = performance.now() + ms;
  while (has() === undefined && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
  return has();
}
