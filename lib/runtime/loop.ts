import { Fault, type FaultCode } from "#core/errors";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { WorkQueue } from "./work-queue.ts";

/** What a reconcile asks for next. An empty object means "nothing until something changes". */
export interface Next {
  readonly requeueAfterMs?: number;
}

/**
 * Brings one object from what is to what should be. Gets a key, never an
 * event: it reads current state, so running it twice, late, or once for ten
 * changes must come out the same. Throws to be retried with back-off, unless
 * the fault says retrying is pointless.
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<Next>;

/** How one loop works its queue off. */
interface LoopOptions {
  readonly log: Log;
  /** Closes the queue when it aborts. */
  readonly signal: AbortSignal;
  /** Keys worked on at once. Default 1: needed wherever a decision depends on other objects. */
  readonly workers?: number;
  /** With it, thousands of keys that need no waiting are worked off in slices, between which everybody else has a turn. */
  readonly clock?: Clock;
  /** Told of every failure, after it was logged. */
  readonly onFailure?: (key: string, fault: Fault) => void;
}

/** Works the queue off until it is closed. Resolves when the last reconcile has finished; never rejects. */
export async function runLoop(queue: WorkQueue, reconcile: Reconcile, options: LoopOptions): Promise<void> {
  const { signal, workers = 1, clock } = options;
  const close = () => queue.close();
  if (signal.aborted) close();
  signal.addEventListener("abort", close, { once: true });
  const pause = clock === undefined ? () => null : slices(clock);
  const worker = async () => {
    for (let key = await queue.take(); key !== null; key = await queue.take()) {
      const turn = pause();
      if (turn !== null) await turn;
      await workOn(key, queue, reconcile, options);
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
  signal.removeEventListener("abort", close);
}

/** Whoever asks something of this process meanwhile waits no longer than this for its turn, give or take one key. */
const SLICE_MS = 10;

/**
 * Asked before each key: null while there is time left, else what resolves once everybody else had a turn. Work that
 * waits by itself, for an API server say, never comes to the end of a slice.
 */
function slices(clock: Clock): () => Promise<void> | null {
  let slice: { readonly since: number; readonly turn: Promise<void> } | null = null;
  return () => {
    const now = clock.monotonic();
    if (slice !== null) return now - slice.since < SLICE_MS ? null : slice.turn;
    const turn = new Promise<void>((resolve) => {
      clock.schedule(0, () => {
        slice = null;
        resolve();
      });
    });
    slice = { since: now, turn };
    return null;
  };
}

/** Somebody else wrote first, or the server is away: both are part of life and pass by themselves. */
const LEVEL: Partial<Record<FaultCode, "debug" | "warn">> = { conflict: "debug", unavailable: "warn" };

async function workOn(key: string, queue: WorkQueue, reconcile: Reconcile, options: LoopOptions): Promise<void> {
  const { log, signal, onFailure } = options;
  try {
    const next = await reconcile(key, signal);
    queue.forget(key);
    if (next.requeueAfterMs !== undefined) queue.addAfter(key, next.requeueAfterMs);
  } catch (thrown) {
    if (signal.aborted) return;
    const fault = Fault.from(thrown);
    log[LEVEL[fault.code] ?? "error"]("reconcile failed", {
      key,
      code: fault.code,
      error: fault.message,
      ...fault.context,
    });
    if (fault.retryable) queue.retry(key);
    else queue.forget(key);
    onFailure?.(key, fault);
  } finally {
    queue.done(key);
  }
}
