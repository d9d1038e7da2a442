import type { IncomingMessage } from "node:http";
import { parse } from "yaml";
import { badRequest, failure, type StatusFault, unsupportedMediaType } from "./status.ts";

const BYTES_MAX = 3 * 1024 * 1024;

/** The media type of a request, without parameters, in lower case. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** The whole body as text. Throws 413 beyond 3 MiB, and 400 when the client goes away in the middle. */
export async function readText(request: IncomingMessage): Promise<string> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > BYTES_MAX) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      bytes += part.length;
      if (bytes > BYTES_MAX) throw tooLarge();
      chunks.push(part);
    }
  } catch (thrown) {
    if (bytes > BYTES_MAX) throw thrown;
    throw badRequest("the body of the request ended early");
  }
  return Buffer.concat(chunks).toString("utf8");
}

function tooLarge(): StatusFault {
  return failure({
    code: 413,
    reason: "RequestEntityTooLarge",
    message: `Request entity too large: limit is ${BYTES_MAX}`,
  });
}

/** The body as JSON data: JSON (also when no type is named) or YAML. Throws 400 or 415 in words that say what to do. */
export async function readData(request: IncomingMessage): Promise<unknown> {
  const type = mediaType(request);
  if (type === "application/vnd.kubernetes.protobuf") {
    throw unsupportedMediaType(
      "the sandbox does not read protobuf bodies, which this kubectl command sends: write the object to a file and use " +
        "`kubectl apply -f` instead - accepted media types include: application/json, application/yaml",
    );
  }
  const text = await readText(request);
  if (type === "" || type === "application/json" || type.endsWith("+json")) return parseJson(text);
  if (type === "application/yaml" || type === "application/x-yaml" || type === "text/yaml") return parseYaml(text);
  throw unsupportedMediaType(
    "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
  );
}

export function parseJson(text: string): unknown {
  if (text.trim() === "") throw badRequest("the body of the request is empty: it must be a JSON object");
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw badRequest(`the body of the request is not valid JSON: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
}

function parseYaml(text: string): unknown {
  try {
    return JSON.parse(JSON.stringify(parse(text, { maxAliasCount: 100, prettyErrors: true }) ?? null));
  } catch (thrown) {
    const why = thrown instanceof Error ? (thrown.message.split("\n")[0] ?? "") : String(thrown);
    throw badRequest(`the body of the request is not valid YAML: ${why}`);
  }
}
