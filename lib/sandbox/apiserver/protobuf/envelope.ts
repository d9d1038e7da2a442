import type { Json } from "#sandbox/kinds/definition";
import { unsupportedMediaType } from "../status.ts";
import { decodeMessage } from "./decode.ts";
import { messageIdOf } from "./messages.ts";
import { malformed, WIRE, WireReader } from "./wire.ts";

export const PROTOBUF = "application/vnd.kubernetes.protobuf";

/** What every body begins with: "k8s" and a zero byte, then a runtime.Unknown. */
const MAGIC = [0x6b, 0x38, 0x73, 0x00] as const;

interface Envelope {
  apiVersion: string;
  kind: string;
  raw: Uint8Array;
  encoding: string;
  contentType: string;
}

/**
 * The object in a protobuf body, as JSON would have brought it. Throws 400 for bytes that are no such body, and 415,
 * naming `kubectl apply -f`, for a kind whose messages have no table here.
 */
export function decodeProtobuf(bytes: Uint8Array): Json {
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) {
    throw malformed(`provided data does not appear to be a protobuf message, expected prefix [${MAGIC.join(" ")}]`);
  }
  const envelope = readEnvelope(bytes.subarray(MAGIC.length));
  const { apiVersion, kind } = envelope;
  if (envelope.encoding !== "" || (envelope.contentType !== "" && envelope.contentType !== PROTOBUF)) {
    throw malformed(`its content is ${envelope.encoding} ${envelope.contentType}`);
  }
  const id = messageIdOf(apiVersion, kind);
  if (id === undefined) {
    throw unsupportedMediaType(
      `the sandbox does not read protobuf bodies of kind ${JSON.stringify(kind.slice(0, 100))} in version ` +
        `${JSON.stringify(apiVersion.slice(0, 100))}: write the object to a file and use \`kubectl apply -f\` instead - ` +
        "accepted media types include: application/json, application/yaml",
    );
  }
  return { apiVersion, kind, ...decodeMessage(id, envelope.raw) };
}

/** runtime.Unknown: typeMeta = 1 (apiVersion = 1, kind = 2), raw = 2, contentEncoding = 3, contentType = 4. */
function readEnvelope(bytes: Uint8Array): Envelope {
  const reader = new WireReader(bytes);
  const envelope: Envelope = { apiVersion: "", kind: "", raw: new Uint8Array(), encoding: "", contentType: "" };
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (wire !== WIRE.bytes) reader.skip(wire);
    else if (number === 1) readType(reader.bytes(), envelope);
    else if (number === 2) envelope.raw = reader.bytes();
    else if (number === 3) envelope.encoding = reader.text();
    else if (number === 4) envelope.contentType = reader.text();
    else reader.skip(wire);
  }
  return envelope;
}

function readType(bytes: Uint8Array, envelope: Envelope): void {
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (wire === WIRE.bytes && number === 1) envelope.apiVersion = reader.text();
    else if (wire === WIRE.bytes && number === 2) envelope.kind = reader.text();
    else reader.skip(wire);
  }
}
