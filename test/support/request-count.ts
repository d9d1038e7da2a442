import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";

/** A request as an API server in this process received it. */
export interface SeenRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly token: string;
}

/** Writes that reach any HTTP server of this process, counted where they arrive; `stop` ends the counting. */
export function countWrites(): { readonly writes: SeenRequest[]; stop(): void } {
  const writes: SeenRequest[] = [];
  const onRequest = (message: unknown) => {
    const { request } = message as { readonly request: IncomingMessage };
    const { method = "", url = "", headers } = request;
    if (method === "GET" || method === "HEAD") return;
    const token = (headers.authorization ?? "").replace("Bearer ", "");
    writes.push({ method, path: url.split("?")[0] ?? "", token });
  };
  subscribe("http.server.request.start", onRequest);
  return { writes, stop: () => void unsubscribe("http.server.request.start", onRequest) };
}
