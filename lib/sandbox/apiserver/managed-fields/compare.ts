import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { equal } from "../json.ts";
import { type FieldSet, LEAF, node } from "./field-set.ts";
import {
  fieldElement,
  itemElement,
  itemsByElement,
  type ListShape,
  type MapShape,
  memberShape,
  type Shape,
  shapeFor,
} from "./shape.ts";

/** What differs between two values; a set that is not there is empty. */
interface Comparison {
  readonly added: FieldSet | undefined;
  readonly modified: FieldSet | undefined;
  readonly removed: FieldSet | undefined;
}

const SAME: Comparison = { added: undefined, modified: undefined, removed: undefined };
const ADDED: Comparison = { ...SAME, added: LEAF };
const MODIFIED: Comparison = { ...SAME, modified: LEAF };
const REMOVED: Comparison = { ...SAME, removed: LEAF };

export function isSame({ added, modified, removed }: Comparison): boolean {
  return added === undefined && modified === undefined && removed === undefined;
}

/** Compares as the server's field manager does: what appears or goes is named with everything below it. */
export function compare(before: JsonValue, after: JsonValue, shape: Shape): Comparison {
  if (before === after || (before === undefined && after === undefined)) return SAME;
  const decided = shapeFor(shape, before, after);
  if (decided.kind === "atom") return compareAtoms(before, after);
  if (decided.kind === "list") {
    const was = Array.isArray(before) ? before : [];
    const now = Array.isArray(after) ? after : [];
    if (was.length === 0 && now.length === 0) return compareAtoms(before, after);
    // Most lists are as they were, and names of items cost more than this.
    if (before !== undefined && after !== undefined && equal(was, now)) return SAME;
    const wasItems = itemsByElement(decided, was);
    const nowItems = itemsByElement(decided, now);
    if (wasItems === undefined || nowItems === undefined) return compareAtoms(before, after);
    return gather(before, after, compareItems(decided, wasItems, nowItems));
  }
  const was = isMap(before) ? before : {};
  const now = isMap(after) ? after : {};
  if (isEmpty(was) && isEmpty(now)) return compareAtoms(before, after);
  return gather(before, after, compareMembers(decided, was, now, before !== undefined, after !== undefined));
}

function isMap(value: JsonValue): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmpty(value: Json): boolean {
  for (const key in value) if (value[key] !== undefined) return false;
  return true;
}

function compareAtoms(before: JsonValue, after: JsonValue): Comparison {
  if (before === undefined) return ADDED;
  if (after === undefined) return REMOVED;
  return equal(before, after) ? SAME : MODIFIED;
}

type Differences = readonly (readonly [element: string, Comparison])[];

function gather(before: JsonValue, after: JsonValue, children: Differences): Comparison {
  const whole = before === undefined || after === undefined;
  if (children.length === 0 && !whole) return SAME;
  const pick = (part: keyof Comparison, member: boolean) => {
    const found: (readonly [string, FieldSet])[] = [];
    for (const [element, child] of children) {
      const set = child[part];
      if (set !== undefined) found.push([element, set]);
    }
    return found.length === 0 && !member ? undefined : node(member, found);
  };
  return {
    added: pick("added", before === undefined),
    modified: pick("modified", false),
    removed: pick("removed", after === undefined),
  };
}

function compareItems(
  shape: ListShape,
  was: ReadonlyMap<string, JsonValue>,
  now: ReadonlyMap<string, JsonValue>,
): Differences {
  const found: [string, Comparison][] = [];
  const item = shape.item();
  for (const [element, before] of was) {
    const difference = compare(before, now.get(element), item);
    if (!isSame(difference)) found.push([element, difference]);
  }
  for (const [element, after] of now) {
    if (!was.has(element)) found.push([element, compare(undefined, after, item)]);
  }
  return found;
}

function compareMembers(shape: MapShape, was: Json, now: Json, wasThere: boolean, isThere: boolean): Differences {
  const found: [string, Comparison][] = [];
  const visit = (name: string) => {
    const always = shape.always.has(name);
    const before = was[name] ?? (always && wasThere ? {} : was[name]);
    const after = now[name] ?? (always && isThere ? {} : now[name]);
    const member = memberShape(shape, name);
    // A list that is always there is there without items.
    const difference = compare(listLike(before, after), listLike(after, before), member);
    if (!isSame(difference)) found.push([fieldElement(name), difference]);
  };
  for (const name in was) if (was[name] !== undefined) visit(name);
  for (const name in now) if (now[name] !== undefined && was[name] === undefined) visit(name);
  return found;
}

const listLike = (value: JsonValue, other: JsonValue): JsonValue =>
  Array.isArray(other) && isMap(value) && isEmpty(value) ? [] : value;

/** The fields that a configuration names: its leaves, the entries of its maps and the items of its lists. */
export function fieldsOf(value: JsonValue, shape: Shape): FieldSet | undefined {
  const decided = shapeFor(shape, value);
  if (decided.kind === "atom") return LEAF;
  if (decided.kind === "list") {
    const items = Array.isArray(value) ? value : [];
    const item = decided.item();
    return node(
      false,
      items.flatMap((one): (readonly [string, FieldSet])[] => {
        const element = itemElement(decided, one);
        return element === undefined ? [] : [[element, withSelf(fieldsOf(one, item))]];
      }),
    );
  }
  const members: (readonly [string, FieldSet])[] = [];
  for (const [name, member] of Object.entries(isMap(value) ? value : {})) {
    if (member === undefined) continue;
    const field = decided.field(name);
    const set = fieldsOf(member, field ?? memberShape(decided, name));
    const self = field === undefined || member === null || (isMap(member) && isEmpty(member));
    const kept = self ? withSelf(set) : set;
    if (kept !== undefined) members.push([fieldElement(name), kept]);
  }
  return node(false, members);
}

function withSelf(set: FieldSet | undefined): FieldSet {
  if (set === undefined || set === LEAF) return LEAF;
  return (
    node(
      true,
      Object.entries(set).filter(([element]) => element !== "."),
    ) ?? LEAF
  );
}
