import type { Json, JsonValue } from "#sandbox/kinds/definition";
import type { FieldType, Scalar } from "#sandbox/kinds/schema/definitions";
import { isObject, timestamp } from "../json.ts";
import { type MessageField, messageOf } from "./messages.ts";
import { malformed, WIRE, WireReader } from "./wire.ts";

const DEPTH_MAX = 32;
/** More values than any honest body of 3 MiB holds; empty messages take two bytes there and a hundred here. */
const VALUES_MAX = 250_000;

interface Progress {
  values: number;
}

/** The JSON form of a message: unknown fields and zeros that mean nothing are left out. Throws 400. */
export function decodeMessage(id: string, bytes: Uint8Array): Json {
  return Object.fromEntries(members(id, bytes, 0, { values: 0 }));
}

function members(id: string, bytes: Uint8Array, depth: number, progress: Progress): Map<string, JsonValue> {
  const fields = messageOf(id);
  if (fields === undefined) throw malformed(`nothing is known of ${id}`);
  if (depth > DEPTH_MAX) throw malformed(`it is nested more than ${DEPTH_MAX} deep`);
  const reader = new WireReader(bytes);
  const found = new Map<string, JsonValue>();
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (++progress.values > VALUES_MAX) throw malformed(`it holds more than ${VALUES_MAX} values`);
    const field = fields.get(number);
    if (field === undefined) reader.skip(wire);
    else read(id, field, wire, reader, { found, depth, progress });
  }
  return found;
}

interface Place {
  readonly found: Map<string, JsonValue>;
  readonly depth: number;
  readonly progress: Progress;
}

function read(id: string, field: MessageField, wire: number, reader: WireReader, place: Place): void {
  const { name, type, keepsZero } = field;
  const { found, depth, progress } = place;
  if (wire !== wireOf(type) && !(type.kind === "list" && wire === WIRE.bytes)) {
    throw malformed(`${id.split("/")[1]}.${name} has wire type ${wire}, not ${wireOf(type)}`);
  }
  switch (type.kind) {
    case "list": {
      const before = found.get(name);
      const list = Array.isArray(before) ? before : [];
      if (wire !== wireOf(type.of)) {
        const packed = new WireReader(reader.bytes());
        while (!packed.done) {
          if (++progress.values > VALUES_MAX) throw malformed(`it holds more than ${VALUES_MAX} values`);
          list.push(value(type.of, packed, depth, progress));
        }
      } else list.push(value(type.of, reader, depth, progress));
      found.set(name, list);
      return;
    }
    case "map": {
      const before = found.get(name);
      const [key, item] = mapEntry(type.of, reader.bytes(), depth, progress);
      // Defined, not assigned: a key may be "__proto__".
      const map = isObject(before) ? before : {};
      Object.defineProperty(map, key, { value: item, enumerable: true, configurable: true, writable: true });
      found.set(name, map);
      return;
    }
    case "ref": {
      const inner = members(type.id, reader.bytes(), depth + 1, progress);
      if (name === "") for (const [key, member] of inner) found.set(key, member);
      else if (inner.size > 0 || keepsZero) {
        // A message that comes twice is merged, as the encoding has it.
        const before = found.get(name);
        found.set(name, { ...(isObject(before) ? before : {}), ...Object.fromEntries(inner) });
      }
      return;
    }
    case "scalar": {
      const one = value(type, reader, depth, progress);
      if (keepsZero || !isZero(one)) found.set(name, one);
      else found.delete(name);
    }
  }
}

function value(type: FieldType, reader: WireReader, depth: number, progress: Progress): JsonValue {
  if (type.kind === "scalar") return scalar(type.name, reader);
  if (type.kind !== "ref") throw malformed("a list of lists");
  const inner = members(type.id, reader.bytes(), depth + 1, progress);
  // A map's value that is a list travels as a message of its own (authorization ExtraValue).
  if (type.id.endsWith("/ExtraValue")) return inner.get("items") ?? [];
  return Object.fromEntries(inner);
}

function mapEntry(of: FieldType, bytes: Uint8Array, depth: number, progress: Progress): [string, JsonValue] {
  const reader = new WireReader(bytes);
  let key = "";
  let item: JsonValue;
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1 && wire === WIRE.bytes) key = reader.text();
    else if (number === 2 && wire === wireOf(of)) item = value(of, reader, depth, progress);
    else reader.skip(wire);
  }
  if (item === undefined && of.kind === "scalar" && (of.name === "string" || of.name === "bytes")) item = "";
  return [key, item ?? (of.kind === "ref" ? {} : null)];
}

function wireOf(type: FieldType): number {
  if (type.kind === "list") return wireOf(type.of);
  if (type.kind !== "scalar") return WIRE.bytes;
  if (type.name === "bool" || type.name === "int32" || type.name === "int64") return WIRE.varint;
  return type.name === "number" ? WIRE.fixed64 : WIRE.bytes;
}

function isZero(value: JsonValue): boolean {
  return value === "" || value === 0 || value === false || value === null || value === undefined;
}

function scalar(name: Scalar, reader: WireReader): JsonValue {
  switch (name) {
    case "string":
      return reader.text();
    case "bool":
      return reader.varint() !== 0n;
    case "int32":
      return Number(BigInt.asIntN(32, reader.varint()));
    case "int64":
      return Number(BigInt.asIntN(64, reader.varint()));
    case "number":
      return reader.double();
    case "bytes":
      return Buffer.from(reader.bytes()).toString("base64");
    case "time":
      return timeText(reader.bytes(), false);
    case "microtime":
      return timeText(reader.bytes(), true);
    case "quantity": {
      const parts = varied(reader.bytes());
      return parts.texts.get(1) ?? "0";
    }
    case "intstr": {
      // IntOrString: type (0 number, 1 text), intVal, strVal.
      const parts = varied(reader.bytes());
      if ((parts.numbers.get(1) ?? 0n) === 0n) return Number(BigInt.asIntN(32, parts.numbers.get(2) ?? 0n));
      return parts.texts.get(3) ?? "";
    }
    case "any":
      return rawJson(varied(reader.bytes()).texts.get(1));
  }
}

/** The numbers and texts of one of the small messages that have a JSON form of their own. */
function varied(bytes: Uint8Array): { numbers: Map<number, bigint>; texts: Map<number, string> } {
  const reader = new WireReader(bytes);
  const numbers = new Map<number, bigint>();
  const texts = new Map<number, string>();
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (wire === WIRE.varint) numbers.set(number, reader.varint());
    else if (wire === WIRE.bytes) texts.set(number, reader.text());
    else reader.skip(wire);
  }
  return { numbers, texts };
}

/** Time and MicroTime: seconds since the epoch, nanoseconds. An empty one is Go's zero time, null in JSON. */
function timeText(bytes: Uint8Array, micro: boolean): JsonValue {
  if (bytes.length === 0) return null;
  const { numbers } = varied(bytes);
  const seconds = Number(BigInt.asIntN(64, numbers.get(1) ?? 0n));
  const nanos = Number(BigInt.asIntN(32, numbers.get(2) ?? 0n));
  // Years 1 to 9999 (RFC 3339); a JavaScript Date ends later.
  if (seconds < -62_135_596_800 || seconds > 253_402_300_799)
    throw malformed(`a time in it is out of range: ${seconds}`);
  if (seconds === -62_135_596_800 && nanos === 0) return null;
  if (!micro) return timestamp(seconds * 1000);
  const fraction = String(Math.floor(Math.abs(nanos) / 1000) % 1_000_000).padStart(6, "0");
  return timestamp(seconds * 1000).replace("Z", `.${fraction}Z`);
}

function rawJson(text: string | undefined): JsonValue {
  if (text === undefined || text === "") return null;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw malformed("a part of it that should be JSON is not");
  }
}
