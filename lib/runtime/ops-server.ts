import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Fault } from "#core/errors";
import type { Metrics } from "./metrics.ts";

/** Where to listen and what to answer. The answers are asked for with each request. */
export interface OpsServerOptions {
  /** One address: loopback, the node's or the pod's. */
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly metrics: Metrics;
  readonly healthy: () => boolean;
  readonly ready: () => boolean;
}

/** A server that listens. `close` ends its connections too. */
export interface OpsServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * `GET /metrics`, `/healthz` and `/readyz`: 200, or 503 while the answer is no;
 * anything else is 404 or 405. Rejects with a Fault `unavailable` that says why
 * when the address cannot be listened on.
 */
export function startOpsServer(options: OpsServerOptions): Promise<OpsServer> {
  const { host, port } = options;
  const server = createServer({ requestTimeout: 5000, headersTimeout: 5000 }, (request, response) =>
    answer(options, request, response),
  );
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(cannotListen(cause, host, port)));
    server.listen(port, host, () => {
      server.on("error", () => undefined);
      const address = server.address();
      resolve({
        host,
        port: typeof address === "object" && address !== null ? address.port : port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}

function cannotListen(cause: NodeJS.ErrnoException, host: string, port: number): Fault {
  const why =
    cause.code === "EADDRINUSE"
      ? "the port is in use"
      : cause.code === "EACCES"
        ? "not permitted (ports below 1024 need root)"
        : cause.message;
  return new Fault("unavailable", `cannot listen on ${host}:${port}: ${why}`, { cause, context: { host, port } });
}

function answer(options: OpsServerOptions, request: IncomingMessage, response: ServerResponse): void {
  try {
    const path = (request.url ?? "/").split("?")[0];
    if (request.method !== "GET" && request.method !== "HEAD") send(response, 405, "method not allowed\n");
    else if (path === "/metrics")
      send(response, 200, options.metrics.render(), "text/plain; version=0.0.4; charset=utf-8");
    else if (path === "/healthz") verdict(response, options.healthy());
    else if (path === "/readyz") verdict(response, options.ready());
    else send(response, 404, "not found\n");
  } catch {
    if (!response.headersSent) send(response, 500, "internal error\n");
    else response.destroy();
  }
}

function verdict(response: ServerResponse, yes: boolean): void {
  send(response, yes ? 200 : 503, yes ? "ok\n" : "not ok\n");
}

function send(response: ServerResponse, status: number, body: string, type = "text/plain; charset=utf-8"): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
}
