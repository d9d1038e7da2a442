import { int, uint } from "./arithmetic.ts";
import { cidrText, ipText } from "./network.ts";
import { both, globally, instance, list, map, member, text } from "./signature.ts";
import { durationText, timestampText } from "./time.ts";
import {
  CelError,
  Cidr,
  Duration,
  Ip,
  noOverload,
  Optional,
  Timestamp,
  TypeName,
  typeNameOf,
  Unsigned,
  type Value,
} from "./values.ts";

/** size, type, the conversions between scalars, and optional values. */
export const CONVERSIONS = [
  both("size", 1, ([value]) => BigInt(sizeOf(value))),
  globally("type", 1, ([value = null]) => new TypeName(typeNameOf(value))),
  globally("dyn", 1, ([value = null]) => value),
  globally("int", 1, ([value]) => toInt(value)),
  globally("uint", 1, ([value]) => toUint(value)),
  globally("double", 1, ([value]) => toDouble(value)),
  globally("string", 1, ([value]) => toText(value)),
  globally("bytes", 1, ([value]) => (value instanceof Uint8Array ? value : new TextEncoder().encode(text(value)))),
  globally("bool", 1, ([value]) => toBool(value)),
  globally("optional.of", 1, ([value]) => new Optional(value)),
  globally("optional.none", 0, () => new Optional(undefined)),
  member("hasValue", 0, ([value]) => instance(Optional, value).value !== undefined),
  member("value", 0, ([value]) => {
    const inner = instance(Optional, value).value;
    if (inner === undefined) throw new CelError("optional.none() dereference");
    return inner;
  }),
  member("orValue", 1, ([value, other = null]) => instance(Optional, value).value ?? other),
] as const;

function sizeOf(value: Value | undefined): number {
  if (typeof value === "string") return [...value].length;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof Map) return map(value).size;
  return list(value).length;
}

function toInt(value: Value | undefined): bigint {
  if (typeof value === "bigint") return value;
  if (value instanceof Unsigned) return int(value.value);
  if (value instanceof Timestamp) return value.ns / 1_000_000_000n;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new CelError("integer overflow");
    return int(BigInt(Math.trunc(value)));
  }
  if (/^[+-]?\d{1,20}$/.test(text(value))) return int(BigInt(text(value).replace("+", "")));
  throw new CelError(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
}

function toUint(value: Value | undefined): Unsigned {
  if (value instanceof Unsigned) return value;
  if (typeof value === "bigint") return uint(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new CelError("unsigned integer overflow");
    return uint(BigInt(Math.trunc(value)));
  }
  if (/^\d{1,20}$/.test(text(value))) return uint(BigInt(text(value)));
  throw new CelError(`strconv.ParseUint: parsing ${JSON.stringify(value)}: invalid syntax`);
}

function toDouble(value: Value | undefined): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Unsigned) return Number(value.value);
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text(value))) return Number(value);
  throw new CelError(`strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`);
}

function toBool(value: Value | undefined): boolean {
  if (typeof value === "boolean") return value;
  if (["true", "True", "TRUE", "t", "1"].includes(text(value))) return true;
  if (["false", "False", "FALSE", "f", "0"].includes(text(value))) return false;
  throw new CelError(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
}

/** `string(value)`; throws for lists, maps and null. */
export function toText(value: Value | undefined): string {
  switch (typeof value) {
    case "string":
      return value;
    case "bigint":
    case "number":
    case "boolean":
      return String(value);
    default:
  }
  if (value instanceof Unsigned) return String(value.value);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Ip) return ipText(value);
  if (value instanceof Cidr) return cidrText(value);
  throw noOverload();
}
