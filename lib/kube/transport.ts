import type { Dispatcher } from "undici";
import api from "undici/lib/api/index.js";
import Agent from "undici/lib/dispatcher/agent.js";
import { Fault } from "#core/errors";
import type { Connection } from "./connection.ts";
import { faultOf, networkFault } from "./failure.ts";

export interface Call {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** Asked when the first byte is about to leave. */
  readonly mayStart?: (() => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bounds of one request, milliseconds. A write may wait for an admission webhook (at most 30 s). */
const HEADERS_TIMEOUT_MS = 35_000;
const BODY_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 5000;
/** More than any part of Berth has requests under way; left alone, a burst would open many more, each with its TLS state. */
const CONNECTIONS = 48;

/**
 * HTTP to one API server over pooled connections. Every failure is a `Fault`;
 * a GET whose kept-alive connection turned out dead is sent once more.
 */
export class Transport {
  readonly #connection: Connection;
  readonly #origin: string;
  readonly #prefix: string;
  readonly #agent: Dispatcher;
  /** Watches hold a connection each for as long as they last. */
  readonly #streams: Dispatcher;

  constructor(connection: Connection) {
    const { ca, cert, key, insecure, serverName } = connection;
    this.#connection = connection;
    const url = parseServer(connection.server);
    this.#origin = url.origin;
    this.#prefix = url.pathname.replace(/\/+$/, "");
    const options = {
      connect: {
        timeout: CONNECT_TIMEOUT_MS,
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(serverName === undefined ? {} : { servername: serverName }),
        ...(insecure === true ? { rejectUnauthorized: false } : {}),
      },
      // One broken HTTP/2 connection would take every watch down at once.
      allowH2: false,
      headersTimeout: HEADERS_TIMEOUT_MS,
      bodyTimeout: BODY_TIMEOUT_MS,
    };
    this.#agent = new Agent({ ...options, connections: CONNECTIONS }).compose(askBeforeStart);
    this.#streams = new Agent(options);
  }

  async json<T>(call: Call): Promise<T> {
    const text = await this.text(call);
    try {
      return JSON.parse(text) as T;
    } catch (thrown) {
      throw networkFault(`${call.method} ${call.path}: the reply is not JSON`, thrown);
    }
  }

  async text(call: Call): Promise<string> {
    try {
      return await this.#text(call);
    } catch (thrown) {
      if (call.method !== "GET" || call.signal?.aborted === true || !isStaleConnection(thrown)) throw thrown;
      return this.#text(call);
    }
  }

  /** The body as it arrives. Resolves once the server accepted (2xx); aborting the signal ends the body. */
  async stream(call: Call): Promise<AsyncIterable<Uint8Array>> {
    // Silence is judged by the reader, which knows about bookmarks.
    const response = await this.#send(call, 0, this.#streams);
    if (response.statusCode >= 300) throw faultOf(label(call), response.statusCode, await drain(response.body));
    return faulting(label(call), response.body);
  }

  async close(): Promise<void> {
    await Promise.all([this.#agent.destroy(), this.#streams.destroy()]);
  }

  async #text(call: Call): Promise<string> {
    const response = await this.#send(call, BODY_TIMEOUT_MS);
    let text: string;
    try {
      text = await response.body.text();
    } catch (thrown) {
      throw networkFault(label(call), thrown);
    }
    if (response.statusCode >= 300) throw faultOf(label(call), response.statusCode, text);
    return text;
  }

  async #send(call: Call, bodyTimeout: number, agent = this.#agent) {
    const body = call.body === undefined ? null : JSON.stringify(call.body);
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(call.query ?? {})) if (value !== undefined) query.set(name, value);
    const suffix = query.size === 0 ? "" : `?${query}`;
    try {
      const options: StartOptions & Dispatcher.RequestOptions = {
        origin: this.#origin,
        path: `${this.#prefix}${call.path}${suffix}`,
        method: call.method,
        headers: await this.#headers(call, body !== null),
        body,
        bodyTimeout,
        ...(call.signal === undefined ? {} : { signal: call.signal }),
        ...(call.mayStart === undefined ? {} : { mayStart: call.mayStart }),
      };
      return await api.request.call(agent, options);
    } catch (thrown) {
      throw networkFault(label(call), thrown);
    }
  }

  async #headers(call: Call, hasBody: boolean): Promise<Record<string, string | string[]>> {
    const { token, impersonate } = this.#connection;
    const bearer = typeof token === "function" ? await token() : token;
    return {
      accept: call.accept ?? "application/json",
      "user-agent": "berth",
      ...(hasBody ? { "content-type": call.contentType ?? "application/json" } : {}),
      ...(bearer === undefined || bearer === "" ? {} : { authorization: `Bearer ${bearer}` }),
      ...(impersonate === undefined ? {} : { "impersonate-user": impersonate.user }),
      ...(impersonate?.groups === undefined ? {} : { "impersonate-group": [...impersonate.groups] }),
    };
  }
}

interface StartOptions {
  readonly mayStart?: () => boolean;
}

/**
 * A request may wait long for a connection, or for a process that stood still: what held when it was made need not
 * hold when it is sent.
 */
const askBeforeStart: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
  const { mayStart } = options as StartOptions;
  if (mayStart === undefined) return dispatch(options, handler);
  const start = handler.onRequestStart;
  handler.onRequestStart = (controller, context) => {
    if (!mayStart()) throw new Fault("unavailable", "not sent: it may not be written any more");
    start?.call(handler, controller, context);
  };
  return dispatch(options, handler);
};

function parseServer(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : null;
  if (url !== null && (url.protocol === "https:" || url.protocol === "http:")) return url;
  throw new Fault("invalid", `"${server}" is not the URL of an API server; it looks like https://host:6443`, {
    fields: { server: "must be an http or https URL" },
  });
}

function label({ method, path }: Call): string {
  return `${method} ${path}`;
}

function isStaleConnection(thrown: unknown): boolean {
  const network = thrown instanceof Fault ? thrown.context.network : undefined;
  return network === "UND_ERR_SOCKET" || network === "ECONNRESET" || network === "EPIPE";
}

/** The same bytes; a connection that breaks in the middle is a `Fault` too. */
async function* faulting(what: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (thrown) {
    throw networkFault(what, thrown);
  }
}

async function drain(body: { text(): Promise<string> }): Promise<string> {
  try {
    return await body.text();
  } catch {
    return "";
  }
}
