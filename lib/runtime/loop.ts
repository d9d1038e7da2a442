import { Fault, type FaultCode } from "#core/errors";
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
  /** Told of every failure, after it was logged. */
  readonly onFailure?: (key: string, fault: Fault) => void;
}

/** Works the queue off until it is closed. Resolves when the last reconcile has finished; never rejects. */
export async function runLoop(queue: WorkQueue, reconcile: Reconcile, options: LoopOptions): Promise<void> {
  const { signal, workers = 1 } = options;
  const close = () => queue.close();
  if (signal.aborted) close();
  signal.addEventListener("abort", close, { once: true });
  const worker = async () => {
    for (let key = await queue.take(); key !== null; key = await queue.take()) {
      await workOn(key, queue, reconcile, options);
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
  signal.removeEventListener("abort", close);
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
