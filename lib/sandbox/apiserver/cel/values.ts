import type { Address, AddressRange } from "#core/address";

export type Key = string | bigint | boolean;

/** A CEL value: int is bigint, double is number; uint, bytes, time and the libraries' types are classes. */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Unsigned
  | Duration
  | Timestamp
  | Ip
  | Cidr
  | Quantity
  | Optional
  | TypeName
  | readonly Value[]
  | ReadonlyMap<Key, Value>;

export class Unsigned {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

export class Duration {
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}

export class Timestamp {
  /** Since the epoch. */
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}

export class Ip {
  readonly address: Address;
  constructor(address: Address) {
    this.address = address;
  }
}

export class Cidr {
  readonly address: Address;
  readonly length: number;
  readonly range: AddressRange;
  constructor(address: Address, length: number, range: AddressRange) {
    this.address = address;
    this.length = length;
    this.range = range;
  }
}

/** A Kubernetes quantity in billionths. */
export class Quantity {
  readonly nano: bigint;
  constructor(nano: bigint) {
    this.nano = nano;
  }
}

export class Optional {
  /** Undefined: none. */
  readonly value: Value | undefined;
  constructor(value: Value | undefined) {
    this.value = value;
  }
}

export class TypeName {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A failed evaluation, in CEL's words ("no such key: x", "division by zero"). */
export class CelError extends Error {}

export function noOverload(): CelError {
  return new CelError("no such overload");
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isMap(value: Value): value is ReadonlyMap<Key, Value> {
  return value instanceof Map;
}

function isNumeric(value: Value): value is bigint | number | Unsigned {
  return typeof value === "bigint" || typeof value === "number" || value instanceof Unsigned;
}

function plain(value: bigint | number | Unsigned): bigint | number {
  return value instanceof Unsigned ? value.value : value;
}

/** Members that a map was found with; keys of any integer type are the same. */
export function keyOf(value: Value): Key {
  if (typeof value === "string" || typeof value === "bigint" || typeof value === "boolean") return value;
  if (value instanceof Unsigned) return value.value;
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  throw noOverload();
}

/** CEL equality: numbers by value whatever their type, different types never equal. `spend` is told the work. */
export function equalValues(a: Value, b: Value, spend: (steps: number) => void): boolean {
  spend(1);
  if (a === b) return true;
  // A bigint and a double compare by value here, which is what CEL asks for.
  // biome-ignore lint/suspicious/noDoubleEquals: bigint against number
  if (isNumeric(a) && isNumeric(b)) return plain(a) == plain(b);
  if (isList(a) && isList(b)) {
    if (UNORDERED.has(a) || UNORDERED.has(b)) return sameMembers(a, b, spend);
    return a.length === b.length && a.every((item, index) => equalValues(item, b[index] ?? null, spend));
  }
  if (isMap(a) && isMap(b)) {
    if (a.size !== b.size) return false;
    for (const [key, value] of a) {
      const other = b.get(key);
      if (other === undefined || !equalValues(value, other, spend)) return false;
    }
    return true;
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (a instanceof Duration && b instanceof Duration) return a.ns === b.ns;
  if (a instanceof Timestamp && b instanceof Timestamp) return a.ns === b.ns;
  if (a instanceof Quantity && b instanceof Quantity) return a.nano === b.nano;
  if (a instanceof TypeName && b instanceof TypeName) return a.name === b.name;
  if (a instanceof Ip && b instanceof Ip) return sameAddress(a.address, b.address);
  if (a instanceof Cidr && b instanceof Cidr) return a.length === b.length && sameAddress(a.address, b.address);
  if (a instanceof Optional && b instanceof Optional) {
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return equalValues(a.value, b.value, spend);
  }
  return false;
}

const UNORDERED = new WeakSet<readonly Value[]>();

/** Marks a list whose order does not matter when it is compared (`x-kubernetes-list-type` set or map). */
export function unordered(list: readonly Value[]): readonly Value[] {
  UNORDERED.add(list);
  return list;
}

// Members are unique, so that as many on both sides and each of one among the other's is enough.
function sameMembers(a: readonly Value[], b: readonly Value[], spend: (steps: number) => void): boolean {
  return a.length === b.length && a.every((item) => b.some((other) => equalValues(item, other, spend)));
}

function sameAddress(a: Address, b: Address): boolean {
  return a.family === b.family && a.value === b.value;
}

/** Below 0, 0, above 0; NaN when neither. Throws when the types have no order. */
export function compareValues(a: Value, b: Value): number {
  const order = <T>(x: T, y: T) => (x < y ? -1 : x > y ? 1 : 0);
  if (isNumeric(a) && isNumeric(b)) {
    const [x, y] = [plain(a), plain(b)];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (typeof a === "string" && typeof b === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (typeof a === "boolean" && typeof b === "boolean") return order(a, b);
  if (a instanceof Duration && b instanceof Duration) return order(a.ns, b.ns);
  if (a instanceof Timestamp && b instanceof Timestamp) return order(a.ns, b.ns);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  throw noOverload();
}

export function typeNameOf(value: Value): string {
  if (value === null) return "null_type";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "string":
      return "string";
    default:
  }
  if (isList(value)) return "list";
  if (isMap(value)) return "map";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Unsigned) return "uint";
  if (value instanceof Duration) return "google.protobuf.Duration";
  if (value instanceof Timestamp) return "google.protobuf.Timestamp";
  if (value instanceof Ip) return "net.IP";
  if (value instanceof Cidr) return "net.CIDR";
  if (value instanceof Quantity) return "kubernetes.Quantity";
  return value instanceof Optional ? "optional_type" : "type";
}
