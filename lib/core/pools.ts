import { type Address, type AddressRange, formatRange, isBuggy, parseRange } from "./address.ts";
import { Fault } from "./errors.ts";
import type { Finding } from "./findings.ts";
import { RangeIndex } from "./range-index.ts";
import { anySelectorMatches, type Labels, type Selector, selectorProblems } from "./selector.ts";

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

  const refused = new Map<string, Finding>();
  for (;;) {
    const accepted = settle(settled, changed, refused, (name) => stillInForce(previous.get(name), namespaces));
    if (accepted !== null) return { pools: accepted.toSorted(byName), findings: [...findings, ...refused.values()] };
  }
}

/**
 * Accepts the changed pools in order, beside those that are settled, and puts those that overlap into `refused`. One
 * that falls back to its previous ranges, which another change may have taken meanwhile, joins the settled ones: null, start over.
 */
function settle(
  settled: PoolView[],
  changed: readonly PoolView[],
  refused: Map<string, Finding>,
  before: (name: string) => PoolView | undefined,
): readonly PoolView[] | null {
  const accepted = [...settled];
  const taken = new RangeIndex<PoolView>();
  for (const view of settled) taken.addAll(view.ranges, view);
  for (const view of changed) {
    if (refused.has(view.name)) continue;
    const refusal = overlapFinding(view, taken);
    if (refusal === null) {
      accepted.push(view);
      taken.addAll(view.ranges, view);
      continue;
    }
    refused.set(view.name, refusal);
    const previous = before(view.name);
    if (previous === undefined) continue;
    settled.push(previous);
    return null;
  }
  return accepted;
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
  let more = 0;
  const add: Complain = (field, message, fix) => {
    if (problems.length < PROBLEMS_MAX) problems.push(error(input.name, field, message, fix));
    else more++;
  };
  const ranges = compileRanges(input.addresses, add);
  const allocation = input.serviceAllocation;
  checkAllocation(allocation, add);
  if (more > 0) problems.push(error(input.name, "spec", `${more} more problems are not listed`, "correct these first"));
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

/** Of one pool. A list of thousands of ranges may be wrong in every one: nobody reads that many sentences. */
const PROBLEMS_MAX = 20;

type Complain = (field: string, message: string, fix: string) => void;

function compileRanges(texts: readonly string[], add: Complain): readonly AddressRange[] {
  if (texts.length === 0) {
    add("spec.addresses", "the pool has no addresses", "list at least one range, like 192.0.2.0/24");
  }
  const ranges: AddressRange[] = [];
  const earlier = new RangeIndex<string>();
  for (const [index, text] of texts.entries()) {
    try {
      const range = parseRange(text);
      const other = earlier.overlap(range);
      if (other !== undefined) {
        const both = `${JSON.stringify(text)} overlaps ${JSON.stringify(other.item)} of the same pool`;
        add(`spec.addresses.${index}`, both, "list every address once");
      } else earlier.add(range, text);
      ranges.push(range);
    } catch (thrown) {
      const { context, message } = Fault.from(thrown);
      add(`spec.addresses.${index}`, String(context.problem ?? message), String(context.fix ?? "correct the range"));
    }
  }
  return ranges;
}

function checkAllocation(allocation: PoolInput["serviceAllocation"], add: Complain): void {
  const names = new Set<string>();
  const twice = allocation?.namespaces?.find((name) => names.size === names.add(name).size);
  if (twice !== undefined) {
    add("spec.serviceAllocation.namespaces", `${JSON.stringify(twice)} is listed twice`, "list every namespace once");
  }
  for (const field of ["namespaceSelectors", "serviceSelectors"] as const) {
    for (const [index, problem] of selectorProblems(allocation?.[field] ?? [])) {
      add(`spec.serviceAllocation.${field}.${index}`, problem, "correct the selector");
    }
  }
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

function overlapFinding(view: PoolView, taken: RangeIndex<PoolView>): Finding | null {
  for (const [index, range] of view.ranges.entries()) {
    const clash = taken.overlap(range);
    if (clash === undefined) continue;
    const message = `${formatRange(range)} overlaps ${formatRange(clash.range)} of pool ${clash.item.name}`;
    const fix = `take ${overlapText(range, clash.range)} out of one of them`;
    return error(view.name, `spec.addresses.${index}`, message, fix);
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
  return { severity: "error", kind: "pool", object, field, message, fix };
}

/** True when the pool may give out the address: in a range, and not one that avoidBuggyIPs leaves out. */
export function poolContains(pool: PoolView, address: Address): boolean {
  if (pool.avoidBuggyIPs && isBuggy(address)) return false;
  return indexOf(pool).overlap({ first: address, last: address }) !== undefined;
}

const indexes = new WeakMap<readonly AddressRange[], RangeIndex<null>>();

/** Asked for every Service again and again, of a list that never changes. */
function indexOf({ ranges }: PoolView): RangeIndex<null> {
  let index = indexes.get(ranges);
  if (index === undefined) {
    index = new RangeIndex();
    index.addAll(ranges, null);
    indexes.set(ranges, index);
  }
  return index;
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
