import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { isObject } from "../json.ts";
import { setOwn } from "../json-patch.ts";
import { below, childrenOf, type FieldSet, isMember, node } from "./field-set.ts";
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

/** `live` with what `applied` says: maps by member, lists by item (live order kept), everything else replaced. */
export function merge(live: JsonValue, applied: JsonValue, shape: Shape): JsonValue {
  if (applied === undefined) return live;
  if (live === undefined || live === null) return applied;
  const decided = shapeFor(shape, live, applied);
  if (decided.kind === "atom") return applied;
  if (decided.kind === "list") {
    const was = Array.isArray(live) ? live : [];
    const now = Array.isArray(applied) ? applied : [];
    return was.length === 0 ? applied : now.length === 0 ? live : mergeItems(decided, was, now);
  }
  if (!isObject(live) || !isObject(applied)) return live;
  const merged: Json = { ...live };
  for (const [name, value] of Object.entries(applied)) {
    const own = Object.hasOwn(live, name) ? live[name] : undefined;
    setOwn(merged, name, merge(own, value, memberShape(decided, name)));
  }
  return merged;
}

function mergeItems(list: ListShape, was: readonly JsonValue[], now: readonly JsonValue[]): JsonValue {
  const wasItems = itemsByElement(list, was);
  const nowItems = itemsByElement(list, now);
  if (wasItems === undefined || nowItems === undefined) return [...now];
  const merged: JsonValue[] = [];
  const live = [...wasItems.keys()];
  const item = list.item();
  const done = new Set<string>();
  let next = 0;
  const takeLiveOnly = () => {
    for (; next < live.length; next++) {
      const element = live[next] ?? "";
      if (done.has(element)) continue;
      if (nowItems.has(element)) return;
      merged.push(wasItems.get(element));
    }
  };
  for (const [element, value] of nowItems) {
    takeLiveOnly();
    merged.push(merge(wasItems.get(element), value, item));
    done.add(element);
  }
  for (; next < live.length; next++) {
    const element = live[next] ?? "";
    if (!done.has(element) && !nowItems.has(element)) merged.push(wasItems.get(element));
  }
  return merged;
}

/** `value` without the members and items of `set`; containers that this empties go too. */
export function removeFields(value: JsonValue, set: FieldSet | undefined, shape: Shape): JsonValue {
  if (set === undefined || value === undefined || value === null) return value;
  const decided = shapeFor(shape, value);
  if (decided.kind === "list" && Array.isArray(value)) {
    const item = decided.item();
    const kept = value.flatMap((one): JsonValue[] => {
      const subset = below(set, itemElement(decided, one) ?? "");
      if (subset === undefined) return [one];
      return isMember(subset) ? [] : [removeFields(one, subset, item)];
    });
    return kept.length === 0 && value.length > 0 ? undefined : kept;
  }
  if (decided.kind !== "map" || !isObject(value)) return value;
  const kept: Json = {};
  let any = false;
  for (const [name, member] of Object.entries(value)) {
    const subset = below(set, fieldElement(name));
    const left =
      subset === undefined
        ? member
        : isMember(subset)
          ? undefined
          : removeFields(member, subset, memberShape(decided, name));
    if (left === undefined) continue;
    setOwn(kept, name, left);
    any = true;
  }
  return any ? kept : undefined;
}

/** The set with every declared member on the way to its paths (`spec` for `spec.replicas`), entries of maps left out. */
export function withNamedParents(set: FieldSet | undefined, shape: Shape): FieldSet | undefined {
  if (set === undefined) return undefined;
  const children = childrenOf(set).map(([element, child]): readonly [string, FieldSet] => {
    const name = element.slice(2);
    if (shape.kind === "list") return [element, withNamedParents(child, shape.item()) ?? child];
    if (shape.kind !== "map" || !element.startsWith("f:")) return [element, child];
    const field = shape.field(name);
    const inner = withNamedParents(child, field ?? memberShape(shape, name)) ?? child;
    const member = isMember(inner) || field !== undefined;
    return [element, node(member, childrenOf(inner)) ?? inner];
  });
  return node(isMember(set), children);
}

/** What makes `applied` unfit to be merged, in the server's words: `.spec.prots: field not declared in schema`. */
export function typeProblem(applied: JsonValue, shape: Shape, path = ""): string | undefined {
  if (applied === undefined || applied === null) return undefined;
  if (shape.kind === "list")
    return Array.isArray(applied)
      ? itemsProblem(applied, shape, path)
      : `${path}: expected list, got ${goText(applied)}`;
  if (shape.kind !== "map") return undefined;
  if (!isObject(applied)) return `${path}: expected map, got ${goText(applied)}`;
  return membersProblem(applied, shape, path);
}

function membersProblem(applied: Json, shape: MapShape, path: string): string | undefined {
  for (const [name, value] of Object.entries(applied)) {
    const field = shape.field(name) ?? shape.entry?.();
    if (field === undefined) return `${path}.${name}: field not declared in schema`;
    const problem = typeProblem(value, field, `${path}.${name}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function itemsProblem(items: readonly JsonValue[], shape: ListShape, path: string): string | undefined {
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    const element = itemElement(shape, item);
    if (element === undefined) {
      const missing = shape.keys.find(
        (key) => !isObject(item) || (item[key.name] === undefined && key.default === undefined),
      );
      return shape.keys.length === 0
        ? `${path}: element ${index}: list-type set may only hold scalars`
        : `${path}: element ${index}: associative list with keys has an element that omits key field "${missing?.name ?? ""}" (and doesn't have default value)`;
    }
    const text = shape.keys.length === 0 ? element.slice(2) : keyText(element);
    if (seen.has(element)) return `${path}: duplicate entries for key [${text}]`;
    seen.add(element);
    const shown = shape.keys.length === 0 ? `[=${text}]` : `[${text}]`;
    const problem = typeProblem(item, shape.item(), `${path}${shown}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function keyText(element: string): string {
  const key: Json = JSON.parse(element.slice(2));
  return Object.entries(key)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(",");
}

function goText(value: JsonValue): string {
  return `&{${JSON.stringify(value)}}`;
}
