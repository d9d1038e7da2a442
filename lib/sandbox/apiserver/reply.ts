import type { ServerResponse } from "node:http";
import type { Json } from "#sandbox/kinds/definition";
import { statusCode } from "./status.ts";

/** Sends JSON text. */
export function sendText(
  response: ServerResponse,
  code: number,
  text: string,
  contentType = "application/json",
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(text);
  response.writeHead(code, {
    "content-type": contentType,
    "cache-control": "no-cache, private",
    "content-length": body.length,
    ...headers,
  });
  response.end(body);
}

export function sendJson(response: ServerResponse, code: number, value: Json): void {
  sendText(response, code, `${JSON.stringify(value)}\n`);
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
