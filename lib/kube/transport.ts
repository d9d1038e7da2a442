import type { Dispatcher } from "undici";
import api from "undici/lib/api/index.js";
import Agent from "undici/lib/dispatcher/agent.js";
import { Fault } from "#core/errors";
import { jsonText } from "#core/int64";
import type { Connection } from "./connection.ts";
import { exchange, type Reply } from "./exchange.ts";
import { faultOf, networkFault } from "./failure.ts";

interface Call {
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
    this.#agent = new Agent({ ...options, connections: CONNECTIONS });
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
    const response = await this.#open(call);
    if (response.statusCode >= 300) throw faultOf(label(call), response.statusCode, await drain(response.body));
    return faulting(label(call), response.body);
  }

  async #open(call: Call): Promise<Dispatcher.ResponseData> {
    try {
      const options = await this.#request(call, 0);
      return await api.request.call(this.#streams, {
        ...options,
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      });
    } catch (thrown) {
      throw networkFault(label(call), thrown);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#agent.destroy(), this.#streams.destroy()]);
  }

  async #text(call: Call): Promise<string> {
    let reply: Reply;
    try {
      const request = this.#request(call, BODY_TIMEOUT_MS);
      reply = await exchange(this.#agent, request instanceof Promise ? await request : request, call);
    } catch (thrown) {
      throw networkFault(label(call), thrown);
    }
    if (reply.status >= 300) throw faultOf(label(call), reply.status, reply.text);
    return reply.text;
  }

  /** At once where the token is at hand: every turn that a request waits is paid ten thousand times in a burst. */
  #request(call: Call, bodyTimeout: number): Dispatcher.RequestOptions | Promise<Dispatcher.RequestOptions> {
    const { token } = this.#connection;
    const bearer = typeof token === "function" ? token() : token;
    return bearer instanceof Promise
      ? bearer.then((text) => this.#optionsOf(call, bodyTimeout, text))
      : this.#optionsOf(call, bodyTimeout, bearer);
  }

  #optionsOf(call: Call, bodyTimeout: number, bearer: string | undefined): Dispatcher.RequestOptions {
    return {
      origin: this.#origin,
      path: `${this.#prefix}${call.path}${querySuffix(call.query)}`,
      method: call.method,
      headers: this.#headers(call, bearer),
      body: call.body === undefined ? null : jsonText(call.body),
      bodyTimeout,
    };
  }

  #headers(call: Call, bearer: string | undefined): Record<string, string | string[]> {
    const { impersonate } = this.#connection;
    return {
      accept: call.accept ?? "application/json",
      "user-agent": "berth",
      ...(call.body === undefined ? {} : { "content-type": call.contentType ?? "application/json" }),
      ...(bearer === undefined || bearer === "" ? {} : { authorization: `Bearer ${bearer}` }),
      ...(impersonate === undefined ? {} : { "impersonate-user": impersonate.user }),
      ...(impersonate?.groups === undefined ? {} : { "impersonate-group": [...impersonate.groups] }),
    };
  }
}

function querySuffix(query: Call["query"]): string {
  let params: URLSearchParams | null = null;
  for (const name in query) {
    const value = query[name];
    if (value === undefined) continue;
    params ??= new URLSearchParams();
    params.set(name, value);
  }
  return params === null ? "" : `?${params}`;
}

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
