import { CelError, Duration, isList, noOverload, Quantity, Timestamp, Unsigned, type Value } from "./values.ts";

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;

/** An int, or CEL's error when it does not fit 64 bits. */
export function int(value: bigint): bigint {
  if (value < INT_MIN || value > INT_MAX) throw new CelError("integer overflow");
  return value;
}

export function uint(value: bigint): Unsigned {
  if (value < 0n || value > UINT_MAX) throw new CelError("unsigned integer overflow");
  return new Unsigned(value);
}

export function add(a: Value, b: Value, spend: (steps: number) => void): Value {
  if (typeof a === "string" && typeof b === "string") {
    spend((a.length + b.length) / 10);
    return a + b;
  }
  if (isList(a) && isList(b)) {
    spend(a.length + b.length);
    return [...a, ...b];
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    spend((a.length + b.length) / 10);
    return Buffer.concat([a, b]);
  }
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.ns + b.ns);
  if (a instanceof Duration && b instanceof Timestamp) return new Timestamp(a.ns + b.ns);
  if (a instanceof Duration && b instanceof Duration) return new Duration(int(a.ns + b.ns));
  return numbers(a, b, { ints: (x, y) => x + y, doubles: (x, y) => x + y });
}

export function subtract(a: Value, b: Value): Value {
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.ns - b.ns);
  if (a instanceof Timestamp && b instanceof Timestamp) return new Duration(int(a.ns - b.ns));
  if (a instanceof Duration && b instanceof Duration) return new Duration(int(a.ns - b.ns));
  return numbers(a, b, { ints: (x, y) => x - y, doubles: (x, y) => x - y });
}

export function multiply(a: Value, b: Value): Value {
  return numbers(a, b, { ints: (x, y) => x * y, doubles: (x, y) => x * y });
}

export function divide(a: Value, b: Value): Value {
  const ints = (x: bigint, y: bigint) => {
    if (y === 0n) throw new CelError("division by zero");
    return x / y;
  };
  return numbers(a, b, { ints, doubles: (x, y) => x / y });
}

export function remainder(a: Value, b: Value): Value {
  const ints = (x: bigint, y: bigint) => {
    if (y === 0n) throw new CelError("modulus by zero");
    return x % y;
  };
  return numbers(a, b, { ints });
}

export function negate(value: Value): Value {
  if (typeof value === "bigint") return int(-value);
  if (typeof value === "number") return -value;
  if (value instanceof Duration) return new Duration(int(-value.ns));
  if (value instanceof Quantity) return new Quantity(-value.nano);
  throw noOverload();
}

interface Operation {
  ints(x: bigint, y: bigint): bigint;
  doubles?(x: number, y: number): number;
}

/** Both of one type: CEL converts no number by itself. */
function numbers(a: Value, b: Value, operation: Operation): Value {
  if (typeof a === "bigint" && typeof b === "bigint") return int(operation.ints(a, b));
  if (a instanceof Unsigned && b instanceof Unsigned) return uint(operation.ints(a.value, b.value));
  if (typeof a === "number" && typeof b === "number" && operation.doubles !== undefined) return operation.doubles(a, b);
  throw noOverload();
}
