import type { Json } from "#sandbox/kinds/definition";

/**
 * A set of field paths in the form in which objects carry it (FieldsV1): members of a node are path elements (`f:name`,
 * `k:{"port":80}`, `v:"x"`), a node without members is a path of the set, and so is one with a member ".".
 * Values are never changed, members stand in order; `undefined` is the empty set.
 */
export type FieldSet = { readonly [element: string]: FieldSet };

/** A path that ends here. */
export const LEAF: FieldSet = {};
const SELF = ".";

/** Whether the node itself, not only something below it, is in the set. */
export function isMember(set: FieldSet): boolean {
  if (set[SELF] !== undefined) return true;
  for (const _ in set) return false;
  return true;
}

/** The node with these children, itself a member or not; undefined when nothing is left. */
export function node(member: boolean, children: readonly (readonly [string, FieldSet])[]): FieldSet | undefined {
  if (children.length === 0) return member ? LEAF : undefined;
  const entries: (readonly [string, FieldSet])[] = member ? [[SELF, LEAF], ...children] : [...children];
  return Object.fromEntries(entries.sort(byElement));
}

const byElement = (a: readonly [string, FieldSet], b: readonly [string, FieldSet]) =>
  a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;

export function childrenOf(set: FieldSet): (readonly [string, FieldSet])[] {
  return Object.entries(set).filter(([element]) => element !== SELF);
}

function childOf(set: FieldSet | undefined, element: string): FieldSet | undefined {
  return set !== undefined && Object.hasOwn(set, element) ? set[element] : undefined;
}

/** Subset below `element`. */
export function below(set: FieldSet | undefined, element: string): FieldSet | undefined {
  return element === SELF ? undefined : childOf(set, element);
}

export function union(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (a === undefined || b === undefined || a === b) return a ?? b;
  const member = isMember(a);
  let changed = !member && isMember(b);
  const children: (readonly [string, FieldSet])[] = [];
  for (const [element, child] of childrenOf(a)) {
    const both = union(child, childOf(b, element)) ?? child;
    if (both !== child) changed = true;
    children.push([element, both]);
  }
  for (const [element, child] of childrenOf(b)) {
    if (childOf(a, element) !== undefined) continue;
    changed = true;
    children.push([element, child]);
  }
  return changed ? node(member || isMember(b), children) : a;
}

/** Paths of `a` that are not in `b`. */
export function difference(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (a === undefined || b === undefined) return a;
  const member = isMember(a);
  let changed = member && isMember(b);
  const children: (readonly [string, FieldSet])[] = [];
  for (const [element, child] of childrenOf(a)) {
    const left = difference(child, childOf(b, element));
    if (left !== child) changed = true;
    if (left !== undefined) children.push([element, left]);
  }
  return changed ? node(member && !isMember(b), children) : a;
}

export function intersection(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (a === undefined || b === undefined) return undefined;
  const children = childrenOf(a).flatMap(([element, child]): (readonly [string, FieldSet])[] => {
    const shared = intersection(child, childOf(b, element));
    return shared === undefined ? [] : [[element, shared]];
  });
  return node(isMember(a) && isMember(b), children);
}

/** Without the member `path` and everything below it. */
export function withoutPath(set: FieldSet | undefined, path: readonly string[]): FieldSet | undefined {
  const [element, ...rest] = path;
  const child = element === undefined ? undefined : childOf(set, element);
  if (set === undefined || element === undefined || child === undefined) return set;
  const left = rest.length === 0 ? undefined : withoutPath(child, rest);
  const others = childrenOf(set).filter(([name]) => name !== element);
  const member = set[SELF] !== undefined;
  return node(member, left === undefined ? others : [...others, [element, left]]);
}

/** Every path of the set, parents before children. */
export function pathsOf(set: FieldSet | undefined, above: readonly string[] = []): (readonly string[])[] {
  if (set === undefined) return [];
  const own = isMember(set) && above.length > 0 ? [above] : [];
  return [...own, ...childrenOf(set).flatMap(([element, child]) => pathsOf(child, [...above, element]))];
}

/** A path as the server writes it in conflicts: `.spec.ports[port=80,protocol="TCP"].targetPort`. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join("");
}

function elementText(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith("f:")) return `.${rest}`;
  if (element.startsWith("v:")) return `[=${rest}]`;
  if (element.startsWith("i:")) return `[${rest}]`;
  const parsed: Json = JSON.parse(rest);
  const keys = Object.entries(parsed).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `[${keys.join(",")}]`;
}

/** `value` of a request as a set; undefined when it is none (another form, an element that cannot be read, too deep). */
export function readFieldSet(value: unknown, depth = 0): FieldSet | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value) || depth > DEPTH_MAX) return undefined;
  const children: [string, FieldSet][] = [];
  for (const [element, raw] of Object.entries(value)) {
    const child = readFieldSet(raw, depth + 1);
    if (child === undefined || (element !== SELF && !isElement(element))) return undefined;
    if (element !== SELF) children.push([element, child]);
  }
  return node(Object.hasOwn(value, SELF) || children.length === 0, children);
}

const DEPTH_MAX = 100;

function isElement(element: string): boolean {
  if (element.startsWith("f:")) return true;
  if (!/^[kvi]:/.test(element)) return false;
  try {
    const parsed: unknown = JSON.parse(element.slice(2));
    return element.startsWith("v:") || (element.startsWith("i:") ? Number.isInteger(parsed) : isKey(parsed));
  } catch {
    return false;
  }
}

function isKey(parsed: unknown): boolean {
  return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
}
