import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { isObject } from "../json.ts";

/**
 * How a value is merged and owned: as one (`atom`), item by item (`list`), member by member (`map`), or by what it
 * turns out to be (`any`: objects member by member, everything else as one).
 */
export type Shape = Atom | ListShape | MapShape | AnyShape;

interface Atom {
  readonly kind: "atom";
}

interface AnyShape {
  readonly kind: "any";
}

/** `keys`: the members by which items are told apart; empty: by themselves (a set). */
export interface ListShape {
  readonly kind: "list";
  readonly keys: readonly { readonly name: string; readonly default?: JsonValue }[];
  item(): Shape;
}

export interface MapShape {
  readonly kind: "map";
  /** Declared members; the others are entries of a map. */
  field(name: string): Shape | undefined;
  /** Shape of entries; undefined: there may be none. */
  readonly entry: (() => Shape) | undefined;
  /** Members that are always there, if empty, wherever the parent is (structs of the real server's Go types). */
  readonly always: ReadonlySet<string>;
}

export const ATOM: Atom = { kind: "atom" };
export const ANY: AnyShape = { kind: "any" };
export const NOTHING: ReadonlySet<string> = new Set();

const ANY_MAP: MapShape = { kind: "map", field: () => undefined, entry: () => ANY, always: NOTHING };

/** The shape for these values: `any` decided, and a value that does not fit its shape taken as one. */
export function shapeFor(shape: Shape, ...values: readonly JsonValue[]): Atom | ListShape | MapShape {
  const present = values.filter((value) => value !== undefined && value !== null);
  const decided = shape.kind !== "any" ? shape : present.length > 0 && present.every(isObject) ? ANY_MAP : ATOM;
  if (decided.kind === "list") return present.every(Array.isArray) ? decided : ATOM;
  if (decided.kind === "map") return present.every(isObject) ? decided : ATOM;
  return decided;
}

/** Path element of a member. */
export function fieldElement(name: string): string {
  return `f:${name}`;
}

/** Shape of a member of a map; entries that may not be there are taken as they come. */
export function memberShape(map: MapShape, name: string): Shape {
  return map.field(name) ?? map.entry?.() ?? ANY;
}

/** Path element of an item of a list; undefined when a key is missing that has no default. */
export function itemElement(list: ListShape, item: JsonValue): string | undefined {
  if (list.keys.length === 0) return isObject(item) || Array.isArray(item) ? undefined : `v:${JSON.stringify(item)}`;
  if (!isObject(item)) return undefined;
  const key: Json = {};
  for (const { name, default: fallback } of list.keys) {
    const value = item[name] ?? fallback;
    if (value === undefined) return undefined;
    key[name] = value;
  }
  return `k:${JSON.stringify(key)}`;
}

/** Items by path element, in order; undefined when two are the same or one has no key: such a list is taken as one. */
export function itemsByElement(list: ListShape, items: readonly JsonValue[]): Map<string, JsonValue> | undefined {
  const found = new Map<string, JsonValue>();
  for (const item of items) {
    const element = itemElement(list, item);
    if (element === undefined || found.has(element)) return undefined;
    found.set(element, item);
  }
  return found;
}
