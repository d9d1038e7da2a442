import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock } from "#runtime/clock";
import type { Json } from "#sandbox/kinds/definition";
import type { Destination, Endpoint } from "./resolve.ts";

/** Connects to a pod by its own address, where this process cannot by itself. Rejects as a socket's `error` does. */
export type Dial = (address: string, port: number) => Promise<Socket>;

const REPLY_BYTES_MAX = 3 * 1024 * 1024;

export type CallResult =
  | { readonly kind: "reply"; readonly code: number; readonly text: string }
  | { readonly kind: "failed"; readonly why: string };

/**
 * POSTs an AdmissionReview over TLS. Never rejects; takes no longer than `timeoutMs`. An endpoint that refuses the
 * connection is passed over for the next: it has seen nothing yet.
 */
export async function callWebhook(
  destination: Destination,
  body: Json,
  options: {
    readonly ca: string;
    readonly timeoutMs: number;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly dial?: Dial | undefined;
  },
): Promise<CallResult> {
  const { url, endpoints, problem } = destination;
  const failed = (why: string): CallResult => ({ kind: "failed", why: `Post ${JSON.stringify(url)}: ${why}` });
  if (problem !== "") return failed(problem);
  if (options.signal.aborted) return failed("the server is shutting down");
  const abort = new AbortController();
  const cancel = options.clock.schedule(options.timeoutMs, () => abort.abort());
  const stop = () => abort.abort();
  options.signal.addEventListener("abort", stop, { once: true });
  try {
    let last = "";
    for (const endpoint of endpoints) {
      try {
        const { dial, ca } = options;
        const socket = dial && endpoint.pod !== undefined ? await dial(endpoint.pod, endpoint.port) : null;
        return await post(destination, { ...endpoint, socket }, JSON.stringify(body), ca, abort.signal);
      } catch (thrown) {
        if (abort.signal.aborted) return failed("context deadline exceeded");
        last = explain(thrown, endpoint);
        if (codeOf(thrown) !== "ECONNREFUSED") break;
      }
    }
    return failed(last);
  } finally {
    cancel();
    options.signal.removeEventListener("abort", stop);
  }
}

function post(
  destination: Destination,
  endpoint: Endpoint & { readonly socket: Socket | null },
  text: string,
  ca: string,
  signal: AbortSignal,
): Promise<CallResult> {
  const { url, serverName } = destination;
  const parsed = new URL(url);
  const body = Buffer.from(text);
  const { socket } = endpoint;
  // A name is sent as SNI; an address is checked as such.
  const tls = { servername: isIP(serverName) === 0 ? serverName : "", ...(ca === "" ? {} : { ca }) };
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: endpoint.address,
        port: endpoint.port,
        path: `${parsed.pathname}${parsed.search}`,
        method: "POST",
        ...tls,
        // Each call on a connection of its own: none is ever reused that the webhook has closed meanwhile.
        ...(socket === null
          ? { agent: false }
          : { createConnection: () => connectTls({ ...tls, socket, host: serverName }) }),
        signal,
        headers: {
          host: parsed.host,
          "content-type": "application/json",
          accept: "application/json, */*",
          "content-length": body.length,
        },
      },
      (response) => {
        readReply(response).then(
          (reply) => resolve({ kind: "reply", code: response.statusCode ?? 0, text: reply }),
          (thrown) => reject(thrown),
        );
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}

async function readReply(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += part.length;
    if (bytes > REPLY_BYTES_MAX) {
      response.destroy();
      throw new Error(`the response is larger than ${REPLY_BYTES_MAX} bytes`);
    }
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function codeOf(thrown: unknown): string {
  return typeof thrown === "object" && thrown !== null && "code" in thrown ? String(thrown.code) : "";
}

const AUTHORITY_CODES: ReadonlySet<string> = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_SIGNATURE_FAILURE",
]);

/** What Go's HTTP client says of the same failure. */
function explain(thrown: unknown, endpoint: Endpoint): string {
  const code = codeOf(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (AUTHORITY_CODES.has(code)) {
    return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
  }
  switch (code) {
    case "ECONNREFUSED":
      return `dial tcp ${endpoint.shown}: connect: connection refused`;
    case "ECONNRESET":
      return "EOF";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `tls: failed to verify certificate: x509: ${wrongName(thrown) ?? message}`;
    case "CERT_HAS_EXPIRED":
      return "tls: failed to verify certificate: x509: certificate has expired or is not yet valid";
    case "ERR_OSSL_PEM_NO_START_LINE":
    case "ERR_OSSL_PEM_BAD_BASE64_DECODE":
      return "unable to load root certificates: unable to parse bytes as PEM block";
    case "EPROTO":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return "tls: first record does not look like a TLS handshake";
    default:
      return code.startsWith("HPE_") ? `net/http: malformed HTTP response (${message})` : message;
  }
}

/** Which names the certificate is for, and which one was asked for. */
function wrongName(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || !("host" in thrown) || !("cert" in thrown)) return undefined;
  const { cert, host } = thrown;
  if (typeof cert !== "object" || cert === null || !("subjectaltname" in cert)) return undefined;
  const names = String(cert.subjectaltname).replace(/(?:DNS|IP Address):/g, "");
  return `certificate is valid for ${names}, not ${String(host)}`;
}
