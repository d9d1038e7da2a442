import type { CelFunction, Signature } from "./functions.ts";
import { isList, isMap, type Key, noOverload, type Value } from "./values.ts";

type Entry = readonly [string, Signature];

/** `name(a, b)` */
export function globally(name: string, count: number, call: CelFunction): Entry {
  return [name, { style: "global", least: count, most: count, call }];
}

/** `a.name(b)`; `count` without the object. */
export function member(name: string, count: number, call: CelFunction, most = count): Entry {
  return [name, { style: "member", least: count + 1, most: most + 1, call }];
}

export function both(name: string, count: number, call: CelFunction): Entry {
  return [name, { style: "both", least: count, most: count, call }];
}

export function text(value: Value | undefined): string {
  if (typeof value !== "string") throw noOverload();
  return value;
}

export function integer(value: Value | undefined): bigint {
  if (typeof value !== "bigint") throw noOverload();
  return value;
}

export function list(value: Value | undefined): readonly Value[] {
  if (value === undefined || !isList(value)) throw noOverload();
  return value;
}

export function map(value: Value | undefined): ReadonlyMap<Key, Value> {
  if (value === undefined || !isMap(value)) throw noOverload();
  return value;
}

/** The value as an instance of this class. */
export function instance<T>(type: new (...args: never[]) => T, value: Value | undefined): T {
  if (!(value instanceof type)) throw noOverload();
  return value;
}
