import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type CertificatePair, startHttpsServer, type TlsSettings } from "./https-server.ts";
import { type Listening, listen } from "./listen.ts";
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

/** Over TLS, and metrics only for who may see them. */
interface SecureOps {
  readonly tls: TlsSettings;
  readonly certificate: CertificatePair;
  /** Judges the `Authorization` header of whoever asks for metrics. */
  readonly authorize: (authorization: string | undefined) => Promise<keyof typeof REFUSALS | "allowed">;
}

/** A server that listens. `close` ends its connections too. */
type OpsServer = Listening;

const REFUSALS = {
  unauthenticated: [401, "a bearer token is needed\n"],
  forbidden: [403, "this token may not get /metrics\n"],
  unknown: [503, "the API server cannot be asked who you are\n"],
} as const;

const REQUEST_MS = 5000;

/**
 * `GET /metrics`, `/healthz` and `/readyz`: 200, or 503 while the answer is no;
 * anything else is 404 or 405. Rejects with a Fault `unavailable` that says why
 * when the address cannot be listened on.
 */
export function startOpsServer(options: OpsServerOptions): Promise<OpsServer> {
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) =>
    answer(options, request, response),
  );
  return listen(server, options);
}

/** As `startOpsServer`, over TLS; `/metrics` is 401 or 403 for who may not see it. `renew` changes the certificate. */
export function startSecureOpsServer(options: OpsServerOptions & SecureOps) {
  const { authorize } = options;
  return startHttpsServer({
    ...options,
    handle: (request, response) => {
      if (pathOf(request) !== "/metrics") return answer(options, request, response);
      authorize(request.headers.authorization)
        .then((access) => {
          if (access === "allowed") return answer(options, request, response);
          const [status, text] = REFUSALS[access];
          if (access === "unauthenticated") response.setHeader("www-authenticate", "Bearer");
          send(response, status, text);
        })
        .catch(() => response.destroy());
    },
  });
}

function answer(options: OpsServerOptions, request: IncomingMessage, response: ServerResponse): void {
  try {
    const path = pathOf(request);
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

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?")[0] ?? "/";
}

function verdict(response: ServerResponse, yes: boolean): void {
  send(response, yes ? 200 : 503, yes ? "ok\n" : "not ok\n");
}

function send(response: ServerResponse, status: number, body: string, type = "text/plain; charset=utf-8"): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
}
