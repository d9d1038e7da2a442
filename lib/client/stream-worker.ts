/// <reference lib="webworker" />
import type { RowOf, StreamMessage, Topic } from "#api/dashboard/stream";
import { openConnection, type Phase } from "#client/connection";
import { fold } from "#client/fold";

/**
 * The SharedWorker: one EventSource for all tabs of the browser (HTTP/1.1
 * allows six connections per origin), and the folded rows, so that a tab that
 * opens later starts from a snapshot at once.
 */
export type FromWorker =
  | { readonly kind: "message"; readonly message: StreamMessage; readonly dropped: number }
  | { readonly kind: "phase"; readonly phase: Phase; readonly ageMs: number };
export type ToWorker = "bye" | "retry";

const ports = new Set<MessagePort>();
const state = new Map<Topic, readonly unknown[]>();
let phase: Phase = { kind: "connecting" };
let phaseAt = performance.now();
let lastAt = performance.now();
let connection: ReturnType<typeof openConnection> | null = null;

function broadcast(message: FromWorker): void {
  for (const port of ports) port.postMessage(message);
}

function start(): void {
  connection ??= openConnection({
    message(message, dropped) {
      lastAt = performance.now();
      if (message.kind === "snapshot" || message.kind === "delta")
        state.set(message.topic, fold(state.get(message.topic) as readonly RowOf<Topic>[] | undefined, message));
      broadcast({ kind: "message", message, dropped });
    },
    phase(next) {
      phase = next;
      phaseAt = performance.now();
      broadcast({ kind: "phase", phase, ageMs: 0 });
    },
  });
}

function leave(port: MessagePort): void {
  ports.delete(port);
  if (ports.size > 0) return;
  connection?.close();
  connection = null;
  state.clear();
  phase = { kind: "connecting" };
}

self.addEventListener("connect", (event) => {
  const port = (event as MessageEvent).ports[0];
  if (port === undefined) return;
  ports.add(port);
  port.onmessage = (received: MessageEvent<ToWorker>) => {
    if (received.data === "bye") leave(port);
    else connection?.retry();
  };
  for (const [topic, rows] of state)
    port.postMessage({
      kind: "message",
      message: { kind: "snapshot", topic, at: 0, rows: [...rows] },
      dropped: 0,
    } satisfies FromWorker);
  const since = phase.kind === "open" ? lastAt : phaseAt;
  port.postMessage({ kind: "phase", phase, ageMs: performance.now() - since } satisfies FromWorker);
  start();
});
