import { createServer, type Server as HttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { KindRegistry } from "#sandbox/kinds/definition";
import type { Store } from "#sandbox/store/types";
import { bootstrap } from "./bootstrap.ts";
import { Catalog } from "./catalog.ts";
import type { Engine } from "./context.ts";
import { Discovery } from "./discovery.ts";
import { expireEvents } from "./event-ttl.ts";
import { handle, type Server } from "./handler.ts";
import { LocalObjects } from "./local.ts";
import { OpenApi } from "./openapi.ts";
import { Authorizer } from "./rbac.ts";
import { type TokenSpec, Users } from "./users.ts";
import { every } from "./watch.ts";
import type { Dial } from "./webhooks/call.ts";
import { Webhooks } from "./webhooks/driver.ts";

export type { TokenSpec } from "./users.ts";

interface ApiServerOptions {
  /** A loopback address. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM. */
  readonly tls: { readonly key: string; readonly cert: string };
  /** PEM of the authority that signed `tls.cert`. */
  readonly ca: string;
  readonly store: Store;
  readonly kinds: KindRegistry;
  /** Holds `pods/<uid>/logs`. */
  readonly dataDir: string;
  readonly tokens: readonly TokenSpec[];
  /** Secret that service-account tokens are signed with. */
  readonly signingKey: string;
  readonly clock: Clock;
  readonly log: Log;
  /** How admission webhooks in pods are reached; at the pods' shadows on loopback unless given. */
  readonly dial?: Dial | undefined;
}

export interface ApiServer {
  readonly url: string;
  readonly port: number;
  /** The API without HTTP, for controllers in this process. */
  readonly objects: LocalObjects;
  /** Ends every watch, answers what is under way, and stops listening (≤ 1 s). Does not close the store. */
  close(): Promise<void>;
}

const EVENT_SWEEP_MS = 10_000;
const CLOSE_GRACE_MS = 500;

/**
 * Starts the API server over an open store and makes what every cluster begins with. Rejects with Fault
 * `unavailable`, in a sentence that names the port, when it cannot listen.
 */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, clock, log, host } = options;
  const catalog = new Catalog(options.kinds, store);
  const engine: Engine = { store, catalog, clock, ca: options.ca };
  const webhooks = new Webhooks(engine, log, options.dial);
  const server: Server = {
    engine,
    webhooks,
    users: new Users({ tokens: options.tokens, signingKey: options.signingKey, store, clock }),
    authorizer: new Authorizer(store),
    discovery: new Discovery(catalog),
    openapi: new OpenApi(catalog),
    dataDir: options.dataDir,
    log,
    streams: new Set(),
  };
  const https = createServer({
    key: options.tls.key,
    cert: options.tls.cert,
    ALPNProtocols: ["http/1.1"],
    keepAliveTimeout: 120_000,
    headersTimeout: 20_000,
    requestTimeout: 60_000,
    maxHeaderSize: 64 * 1024,
  });
  https.on("request", (request, response) => {
    // A client that goes away in the middle is no event worth a crash.
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    void handle(server, request, response);
  });
  https.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
  });
  const port = await listen(https, host, options.port);
  bootstrap(engine, { port, log });
  await store.durable();
  const objects = new LocalObjects(engine, webhooks, log);
  const stopSweep = every(clock, EVENT_SWEEP_MS, () => expireEvents(engine, log));
  expireEvents(engine, log);
  const url = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  log.info("api server listening", { url, kinds: catalog.all().length });
  return {
    url,
    port,
    objects,
    async close() {
      stopSweep();
      objects.close();
      webhooks.close();
      for (const stop of [...server.streams]) stop();
      await new Promise<void>((resolve) => {
        https.close(() => resolve());
        https.closeIdleConnections();
        const cut = clock.schedule(CLOSE_GRACE_MS, () => https.closeAllConnections());
        https.once("close", cut);
      });
      store.flush();
    },
  };
}

function listen(https: HttpsServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "EADDRINUSE"
          ? `port ${port} of ${host} is in use: stop what listens there, or choose another with --api-port`
          : error.code === "EACCES"
            ? `port ${port} of ${host} may not be used by this user: choose one above 1023 with --api-port`
            : `the API server cannot listen on ${host} port ${port}: ${error.message}`;
      reject(new Fault("unavailable", why, { cause: error, context: { host, port } }));
    };
    https.once("error", refuse);
    https.listen(port, host, () => {
      https.off("error", refuse);
      const address = https.address() as AddressInfo;
      resolve(address.port);
    });
  });
}
