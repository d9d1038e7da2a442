import type { IncomingMessage } from "node:http";
import { parse } from "yaml";
import { decodeProtobuf, PROTOBUF } from "./protobuf/envelope.ts";
import { badRequest, failure, type StatusFault, unsupportedMediaType } from "./status.ts";

const BYTES_MAX = 3 * 1024 * 1024;

/** The media type of a request, without parameters, in lower case. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** The whole body as text; throws as `readBytes`. */
export async function readText(request: IncomingMessage): Promise<string> {
  return (await readBytes(request)).toString("utf8");
}

/** The whole body. Throws 413 beyond 3 MiB, and 400 when the client goes away in the middle. */
async function readBytes(request: IncomingMessage): Promise<Buffer> {
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
  return Buffer.concat(chunks);
}

function tooLarge(): StatusFault {
  return failure({
    code: 413,
    reason: "RequestEntityTooLarge",
    message: `Request entity too large: limit is ${BYTES_MAX}`,
  });
}

/**
 * The body as JSON data: JSON (also when no type is named), YAML or protobuf; `onText` gets what it was read from, before.
 * Throws 400 or 415 in words that say what to do.
 */
export async function readData(
  request: IncomingMessage,
  onText?: (raw: { readonly text: string; readonly format: "json" | "yaml" }) => void,
): Promise<unknown> {
  const type = mediaType(request);
  if (type === PROTOBUF) return decodeProtobuf(await readBytes(request));
  const text = await readText(request);
  if (type === "" || type === "application/json" || type.endsWith("+json")) {
    onText?.({ text, format: "json" });
    return parseJson(text);
  }
  if (type === "application/yaml" || type === "application/x-yaml" || type === "text/yaml") {
    onText?.({ text, format: "yaml" });
    return parseYaml(text);
  }
  throw unsupportedMediaType(
    "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
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

export function parseYaml(text: string): unknown {
  try {
    return JSON.parse(
      JSON.stringify(
        parse(text, { maxAliasCount: 100, prettyErrors: true, uniqueKeys: false, logLevel: "error" }) ?? null,
      ),
    );
  } catch (thrown) {
    const why = thrown instanceof Error ? (thrown.message.split("\n")[0] ?? "") : String(thrown);
    throw badRequest(`the body of the request is not valid YAML: ${why}`);
  }
}
