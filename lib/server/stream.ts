import type { Clock } from "#runtime/clock";
import type { Hub } from "./hub.ts";

/** A browser that has more than this unread is not sent deltas until it has caught up; then it gets snapshots. */
const QUEUE_BYTES = 1_048_576;
export const PING_MS = 5_000;

/**
 * The live stream as server-sent events. The first chunk leaves at once, so
 * headers are not held back; a slow reader costs at most the queue plus one
 * set of snapshots; an aborted request leaves nothing behind.
 */
export function openStream(hub: Hub, clock: Clock, signal: AbortSignal): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  let close: () => void = () => undefined;
  let behind = false;
  let resume: () => void = () => undefined;

  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(controller) {
        let open = true;
        let cancelPing: () => void = () => undefined;
        const write = (text: string) => {
          if (open) controller.enqueue(encoder.encode(text));
        };
        const data = (text: string) => write(`data: ${text}\n\n`);
        // A snapshot may be larger than the queue by itself; that alone leaves nobody behind.
        let least = 0;
        const snapshots = () => {
          const before = controller.desiredSize ?? 0;
          for (const text of hub.snapshots()) data(text);
          least = (controller.desiredSize ?? 0) - before;
        };
        let unsubscribe: () => void = () => undefined;
        const ping = () => {
          if (!behind) data(JSON.stringify({ kind: "ping", at: clock.now() }));
          cancelPing = clock.schedule(PING_MS, ping);
        };
        close = () => {
          if (!open) return;
          open = false;
          unsubscribe();
          cancelPing();
          signal.removeEventListener("abort", close);
          try {
            controller.close();
          } catch {
            // Already cancelled by the reader; there is nobody left to tell.
          }
        };
        resume = () => {
          if (!behind || (controller.desiredSize ?? 0) < QUEUE_BYTES / 2) return;
          behind = false;
          data(JSON.stringify({ kind: "resync" }));
          snapshots();
        };
        if (signal.aborted) close();
        if (!open) return;
        signal.addEventListener("abort", close, { once: true });
        write("retry: 1000\n: ok\n\n");
        snapshots();
        cancelPing = clock.schedule(PING_MS, ping);
        unsubscribe = hub.subscribe(
          (text) => {
            if (behind) return;
            if ((controller.desiredSize ?? 0) <= least) behind = true;
            else data(text);
          },
          () => close(),
        );
      },
      pull() {
        resume();
      },
      cancel() {
        close();
      },
    },
    { highWaterMark: QUEUE_BYTES, size: (chunk) => chunk?.byteLength ?? 0 },
  );
}

/** Headers without which a proxy or Next itself would hold events back (toolchain.md section 3). */
export const STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-store, no-transform",
  "x-accel-buffering": "no",
} as const;
