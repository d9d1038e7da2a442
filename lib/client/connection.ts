import type { StreamMessage } from "#api/dashboard/stream";
import { parseMessage } from "#client/wire";

export type Phase =
  | { readonly kind: "connecting" }
  | { readonly kind: "open" }
  /** `retryInMs` counts from when the phase was reported. */
  | { readonly kind: "waiting"; readonly retryInMs: number };

const BACKOFF_MS = [1000, 2000, 4000, 8000, 10_000] as const;
/** The server pings every 5 s; a stream silent for this long is dead, whatever the socket says. */
const SILENCE_MS = 13_000;

/**
 * Keeps one EventSource to the stream open: reconnects with back-off after
 * an error or silence, for as long as it is not closed. Runs in the
 * SharedWorker, or in the page where there is none.
 */
export function openConnection(listener: {
  readonly message: (message: StreamMessage, dropped: number) => void;
  readonly phase: (phase: Phase) => void;
}): { retry(): void; close(): void } {
  let source: EventSource | null = null;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  function hangUp(): void {
    clearTimeout(timer);
    clearTimeout(watchdog);
    source?.close();
    source = null;
  }

  function fail(): void {
    if (closed) return;
    hangUp();
    const retryInMs = BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)] ?? 10_000;
    failures += 1;
    listener.phase({ kind: "waiting", retryInMs });
    timer = setTimeout(connect, retryInMs);
  }

  function alive(): void {
    clearTimeout(watchdog);
    watchdog = setTimeout(fail, SILENCE_MS);
  }

  function connect(): void {
    if (closed) return;
    hangUp();
    if (failures === 0) listener.phase({ kind: "connecting" });
    source = new EventSource("/api/stream");
    alive();
    source.onerror = fail;
    source.onmessage = (event: MessageEvent<string>) => {
      const parsed = parseMessage(event.data);
      if (parsed === null) return;
      alive();
      if (failures > 0 || parsed.message.kind === "hello") {
        failures = 0;
        listener.phase({ kind: "open" });
      }
      listener.message(parsed.message, parsed.dropped);
    };
  }

  connect();
  return {
    retry: connect,
    close() {
      closed = true;
      hangUp();
    },
  };
}
