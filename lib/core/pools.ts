import {
  type Address,
  type AddressRange,
  type Family,
  formatRange,
  isBuggy,
  parseRange,
  rangeContains,
  rangesOverlap,
} from "./address.ts";
import { Fault } from "./errors.ts";
import { anySelectorMatches, type Labels, type Selector, selectorProblem, selectorText } from "./selector.ts";

/** An IPAddressPool as written by its author. */
export interface PoolInput {
  readonly name: string;
  readonly labels?: Labels | undefined;
  readonly addresses: readonly string[];
  readonly autoAssign: boolean;
  readonly avoidBuggyIPs: boolean;
  readonly serviceAllocation?:
    | {
        readonly priority?: number | undefined;
        readonly namespaces?: readonly string[] | undefined;
        readonly namespaceSelectors?: readonly Selector[] | undefined;
        readonly serviceSelectors?: readonly Selector[] | undefined;
      }
    | undefined;
}

/** A pool in force: valid, and resolved against the namespaces of the cluster. */
export interface PoolView {
  readonly name: string;
  readonly labels: Labels;
  /** In the order listed: addresses are given out in that order. */
  readonly ranges: readonly AddressRange[];
  readonly autoAssign: boolean;
  readonly avoidBuggyIPs: boolean;
  /** Lower first; 0 is unset and comes last. */
  readonly priority: number;
  /** `serviceAllocation` is present: consulted before, and never as, an ordinary pool. */
  readonly pinned: boolean;
  /** Names that may use it; null means all, the empty set closes the pool. */
  readonly namespaces: ReadonlySet<string> | null;
  /** Empty means every Service. */
  readonly serviceSelectors: readonly Selector[];
  /** What it was compiled from, so that namespaces can be resolved again while a later edit is invalid. */
  readonly input?: PoolInput | undefined;
}

/** Something wrong, or odd, in an object of the configuration. */
export interface Finding {
  readonly severity: "error" | "warning";
  /** Name of the pool or advertisement. */
  readonly object: string;
  /** Dotted path ("spec.addresses.0"). */
  readonly field: string;
  readonly message: string;
  readonly fix: string;
}

type NamespaceFacts = { readonly name: string; readonly labels: Labels | undefined };

/**
 * Turns pool objects, earliest created first, into the pools in force.
 *
 * An object that is invalid by itself, or overlaps a pool in force, keeps its
 * `previous` version and gets `error` findings; without one it is left out.
 * A pool whose ranges did not change is never pushed out by somebody else's
 * edit; between new ones the earlier wins. The pools returned never overlap.
 */
export function compilePools(
  inputs: readonly PoolInput[],
  namespaces: readonly NamespaceFacts[],
  previous: ReadonlyMap<string, PoolView> = new Map(),
): { readonly pools: readonly PoolView[]; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const settled: PoolView[] = [];
  const changed: PoolView[] = [];
  const seen = new Set<string>();
  for (const input of inputs) {
    if (seen.has(input.name)) {
      findings.push(error(input.name, "metadata.name", "another pool has the same name", "choose another name"));
      continue;
    }
    seen.add(input.name);
    const before = stillInForce(previous.get(input.name), namespaces);
    const { view, problems } = compilePool(input, namespaces);
    findings.push(...problems);
    if (view === null) {
      if (before !== undefined) settled.push(before);
    } else if (before !== undefined && sameRanges(before, view)) settled.push(view);
    else changed.push(view);
  }

  // A changed pool that is refused falls back to its previous ranges, which another change may have taken
  // meanwhile; so start over with those ranges settled. Each round settles at least one more pool.
  const refused = new Map<string, Finding>();
  for (let again = true; again; ) {
    again = false;
    const accepted = [...settled];
    for (const view of changed) {
      if (refused.has(view.name)) continue;
      const finding = overlapFinding(view, accepted);
      if (finding === null) {
        accepted.push(view);
        continue;
      }
      refused.set(view.name, finding);
      const before = stillInForce(previous.get(view.name), namespaces);
      if (before === undefined) continue;
      settled.push(before);
      again = true;
      break;
    }
    if (!again) return { pools: accepted.toSorted(byName), findings: [...findings, ...refused.values()] };
  }
  return { pools: settled, findings };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function stillInForce(view: PoolView | undefined, namespaces: readonly NamespaceFacts[]): PoolView | undefined {
  if (view?.input === undefined) return view;
  return compilePool(view.input, namespaces).view ?? view;
}

/** Compiles one pool without looking at others. `view` is null exactly when there is an error among the problems. */
export function compilePool(
  input: PoolInput,
  namespaces: readonly NamespaceFacts[],
): { readonly view: PoolView | null; readonly problems: readonly Finding[] } {
  const problems: Finding[] = [];
  const ranges: AddressRange[] = [];
  const add = (field: string, message: string, fix: string) => problems.push(error(input.name, field, message, fix));

  if (input.addresses.length === 0) {
    add("spec.addresses", "the pool has no addresses", "list at least one range, like 192.0.2.0/24");
  }
  for (const [index, text] of input.addresses.entries()) {
    try {
      const range = parseRange(text);
      const other = ranges.findIndex((earlier) => rangesOverlap(earlier, range));
      if (other >= 0) {
        const both = `${JSON.stringify(text)} overlaps ${JSON.stringify(input.addresses[other])} of the same pool`;
        add(`spec.addresses.${index}`, both, "list every address once");
      }
      ranges.push(range);
    } catch (thrown) {
      const { context, message } = Fault.from(thrown);
      add(`spec.addresses.${index}`, String(context.problem ?? message), String(context.fix ?? "correct the range"));
      // Keeps the indexes of `ranges` in step with `addresses`; the view is dropped anyway.
      ranges.push({ first: { family: 4, value: -1n }, last: { family: 4, value: -1n } });
    }
  }

  const allocation = input.serviceAllocation;
  const names = allocation?.namespaces ?? [];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    add("spec.serviceAllocation.namespaces", `${JSON.stringify(twice)} is listed twice`, "list every namespace once");
  }
  for (const field of ["namespaceSelectors", "serviceSelectors"] as const) {
    const selectors = allocation?.[field] ?? [];
    const texts = selectors.map(selectorText);
    for (const [index, selector] of selectors.entries()) {
      const at = `spec.serviceAllocation.${field}.${index}`;
      const problem = selectorProblem(selector);
      if (problem !== null) add(at, problem, "correct the selector");
      else if (texts.indexOf(texts[index] ?? "") !== index) add(at, "the selector is written twice", "remove one");
    }
  }
  if (problems.length > 0) return { view: null, problems };
  const view: PoolView = {
    name: input.name,
    labels: input.labels ?? {},
    ranges,
    autoAssign: input.autoAssign,
    avoidBuggyIPs: input.avoidBuggyIPs,
    priority: allocation?.priority ?? 0,
    pinned: allocation !== undefined,
    namespaces: resolveNamespaces(allocation, namespaces),
    serviceSelectors: allocation?.serviceSelectors ?? [],
    input,
  };
  return { view, problems };
}

function resolveNamespaces(
  allocation: PoolInput["serviceAllocation"],
  namespaces: readonly NamespaceFacts[],
): ReadonlySet<string> | null {
  const names = allocation?.namespaces ?? [];
  const selectors = allocation?.namespaceSelectors ?? [];
  if (names.length === 0 && selectors.length === 0) return null;
  const selected = namespaces.filter(({ labels }) => anySelectorMatches(selectors, labels));
  return new Set([...names, ...selected.map(({ name }) => name)]);
}

function overlapFinding(view: PoolView, accepted: readonly PoolView[]): Finding | null {
  for (const [index, range] of view.ranges.entries()) {
    for (const other of accepted) {
      const clash = other.ranges.find((theirs) => rangesOverlap(range, theirs));
      if (clash === undefined) continue;
      const message = `${formatRange(range)} overlaps ${formatRange(clash)} of pool ${other.name}`;
      return error(
        view.name,
        `spec.addresses.${index}`,
        message,
        `take ${overlapText(range, clash)} out of one of them`,
      );
    }
  }
  return null;
}

function overlapText(a: AddressRange, b: AddressRange): string {
  const first = a.first.value > b.first.value ? a.first : b.first;
  const last = a.last.value < b.last.value ? a.last : b.last;
  return formatRange({ first, last });
}

function sameRanges(a: PoolView, b: PoolView): boolean {
  return a.ranges.length === b.ranges.length && a.ranges.every((range, index) => sameRange(range, b.ranges[index]));
}

function sameRange(a: AddressRange, b: AddressRange | undefined): boolean {
  return a.first.family === b?.first.family && a.first.value === b.first.value && a.last.value === b.last.value;
}

function error(object: string, field: string, message: string, fix: string): Finding {
  return { severity: "error", object, field, message, fix };
}

/** True when the pool may give out the address: in a range, and not one that avoidBuggyIPs leaves out. */
export function poolContains(pool: PoolView, address: Address): boolean {
  if (pool.avoidBuggyIPs && isBuggy(address)) return false;
  return pool.ranges.some((range) => rangeContains(range, address));
}

/** The pool that owns an address; there is at most one. */
export function poolOf(pools: readonly PoolView[], address: Address): PoolView | undefined {
  return pools.find((pool) => poolContains(pool, address));
}

/** The pool that owns all of them (metallb.md 3.2: never two pools), or undefined; also for an empty list. */
export function poolOfAll(pools: readonly PoolView[], addresses: readonly Address[]): PoolView | undefined {
  const [first] = addresses;
  if (first === undefined) return undefined;
  const pool = poolOf(pools, first);
  return pool !== undefined && addresses.every((address) => poolContains(pool, address)) ? pool : undefined;
}

export interface FamilyCount {
  readonly total: bigint;
  readonly assigned: bigint;
  readonly available: bigint;
  /** The address that is given out next, in the order of the ranges; null when all are used. */
  readonly nextFree: Address | null;
}

/** Exact counts per family; null for a family the pool has no range of. Addresses outside the pool are not counted. */
export function countPool(
  pool: PoolView,
  used: Iterable<Address>,
): { readonly ipv4: FamilyCount | null; readonly ipv6: FamilyCount | null } {
  const taken: Record<Family, Set<bigint>> = { 4: new Set(), 6: new Set() };
  for (const address of used) if (poolContains(pool, address)) taken[address.family].add(address.value);
  return { ipv4: countFamily(pool, 4, taken[4]), ipv6: countFamily(pool, 6, taken[6]) };
}

function countFamily(pool: PoolView, family: Family, taken: ReadonlySet<bigint>): FamilyCount | null {
  const ranges = pool.ranges.filter((range) => range.first.family === family);
  if (ranges.length === 0) return null;
  const total = poolCapacity(pool, family);
  const assigned = BigInt(taken.size);
  let nextFree: Address | null = null;
  for (const range of ranges) {
    nextFree ??= firstUsable(range, pool.avoidBuggyIPs, (value) => taken.has(value));
  }
  return { total, assigned, available: total - assigned, nextFree };
}

/** At most one step per used address: the walk ends at the first that is free. */
function firstUsable(range: AddressRange, avoidBuggy: boolean, isTaken: (value: bigint) => boolean): Address | null {
  const { family } = range.first;
  for (let value = range.first.value; value <= range.last.value; value++) {
    if (isTaken(value) || (avoidBuggy && isBuggy({ family, value }))) continue;
    return { family, value };
  }
  return null;
}

/** How many addresses of a family the pool can give out; exact. */
export function poolCapacity(pool: PoolView, family: Family): bigint {
  let total = 0n;
  for (const { first, last } of pool.ranges) {
    if (first.family !== family) continue;
    total += last.value - first.value + 1n;
    if (pool.avoidBuggyIPs && family === 4) total -= buggyUpTo(last.value) - buggyUpTo(first.value - 1n);
  }
  return total;
}

/** Addresses from 0.0.0.0 to `value` that end in .0 or .255. */
function buggyUpTo(value: bigint): bigint {
  if (value < 0n) return 0n;
  return value / 256n + 1n + (value + 1n) / 256n;
}

/** The largest double that is a legal int64: what status counters say when the truth does not fit. */
const INT64_MAX = 2 ** 63 - 1024;

/** A count for an int64 field: exact up to 2^53, near beyond, never more than an int64 holds. */
export function saturateInt64(n: bigint): number {
  return n > BigInt(INT64_MAX) ? INT64_MAX : Number(n);
}
