import type { IncomingMessage, ServerResponse } from "node:http";
import { type CertificatePair, type HttpsServer, startHttpsServer, type TlsSettings } from "./https-server.ts";

/** What to answer to one POST. */
interface JsonReply {
  readonly status: number;
  readonly body: string;
}

/** Answers the body of a POST to a path; null is 404. */
type JsonHandler = (path: string, body: string) => JsonReply | null;

/** A review holds an object and the one before it, each of at most 3 MB; upstream's library has the same limit. */
const BODY_MAX = 7 * 1024 * 1024;

/**
 * An HTTPS server that takes JSON by POST and answers JSON. A body that is too
 * long is 400, and a handler that throws 500; neither ends anything but its own request.
 */
export function startJsonServer(options: {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsSettings;
  readonly certificate: CertificatePair;
  readonly handle: JsonHandler;
}): Promise<HttpsServer> {
  return startHttpsServer({
    ...options,
    handle: (request, response) => {
      answer(request, response, options.handle).catch(() => response.destroy());
    },
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, handle: JsonHandler): Promise<void> {
  request.on("error", () => undefined);
  if (request.method !== "POST") {
    refuse(response, 405, "only POST is answered here");
    return;
  }
  const body = await bodyOf(request);
  if (body === null) {
    refuse(response, 400, `the body is longer than ${BODY_MAX} bytes`);
    return;
  }
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  let reply: JsonReply | null;
  try {
    reply = handle(path, body);
  } catch {
    refuse(response, 500, "internal error");
    return;
  }
  if (reply === null) refuse(response, 404, "nothing is here");
  else send(response, reply);
}

/** Null when there is too much of it; the rest is not read then. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  if (Number(request.headers["content-length"] ?? 0) > BODY_MAX) return null;
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > BODY_MAX) return null;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.setHeader("connection", "close");
  send(response, { status, body: JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", message }) });
}

function send(response: ServerResponse, { status, body }: JsonReply): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" }).end(body);
}
