import type { ServerResponse } from "node:http";
import { constants, gzip } from "node:zlib";
import { jsonText } from "#core/int64";
import type { Json } from "#sandbox/kinds/definition";
import { statusCode } from "./status.ts";

/** As the real server: smaller replies are not worth it. */
const GZIP_BYTES_MIN = 128 * 1024;

/** Sends JSON text; a large one compressed to whoever accepts that. */
export function sendText(
  response: ServerResponse,
  code: number,
  text: string,
  contentType = "application/json",
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const common = { "content-type": contentType, "cache-control": "no-cache, private", ...headers };
  const plain = Buffer.from(text);
  const send = (body: Buffer, more: Readonly<Record<string, string>>) => {
    if (response.headersSent || response.destroyed) return;
    response.writeHead(code, { ...common, ...more, "content-length": body.length });
    response.end(body);
  };
  const vary = { vary: "Accept-Encoding" };
  if (plain.length < GZIP_BYTES_MIN) send(plain, {});
  else if (!acceptsGzip(response.req.headers["accept-encoding"])) send(plain, vary);
  else {
    gzip(plain, { level: constants.Z_BEST_SPEED }, (error, small) =>
      error === null ? send(small, { ...vary, "content-encoding": "gzip" }) : send(plain, vary),
    );
  }
}

function acceptsGzip(accepted: string | string[] | undefined): boolean {
  return String(accepted ?? "")
    .split(",")
    .some((range) => /^\s*gzip\s*($|;(?!\s*q=0(\.0*)?\s*$))/i.test(range));
}

const WARNINGS_BYTES_MAX = 4096;
const sent = new WeakMap<ServerResponse, { readonly texts: Set<string>; bytes: number }>();

/** Has the client told `text` in a `Warning: 299` header (RFC 7234 section 5.5), once per request; 4 KiB in all. */
export function addWarning(response: ServerResponse, text: string): void {
  const seen = sent.get(response) ?? { texts: new Set<string>(), bytes: 0 };
  sent.set(response, seen);
  // What may stand in a header; everything else would end the request.
  const plain = text.replace(/[^\x20-\x7e\u00a0-\u{10ffff}]+/gu, " ").trim();
  if (plain === "" || seen.texts.has(plain) || response.headersSent) return;
  if (seen.bytes + plain.length > WARNINGS_BYTES_MAX) return;
  seen.texts.add(plain);
  seen.bytes += plain.length;
  const bytes = Buffer.from(plain.replace(/[\\"]/g, "\\$&"), "utf8").toString("latin1");
  response.appendHeader("Warning", `299 - "${bytes}"`);
}

export function sendJson(response: ServerResponse, code: number, value: Json): void {
  sendText(response, code, `${jsonText(value)}\n`);
}

/** Sends a failure Status under its own code. */
export function sendStatus(response: ServerResponse, status: Json): void {
  const code = statusCode(status);
  const challenge: Record<string, string> = code === 401 ? { "www-authenticate": 'Bearer realm="berth-sandbox"' } : {};
  sendText(response, code, `${JSON.stringify(status)}\n`, "application/json", challenge);
}

/** A success Status about one object, as deletions are answered. */
export function success(target: { group: string; plural: string }, name: string, uid: string): Json {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { name, ...(target.group === "" ? {} : { group: target.group }), kind: target.plural, uid },
  };
}
