import { type Address, type AddressRange, isBuggy } from "./address.ts";
import { perObject } from "./per-object.ts";
import { RangeIndex } from "./range-index.ts";
import type { Labels, Selector } from "./selector.ts";

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

/** True when the pool may give out the address: in a range, and not one that avoidBuggyIPs leaves out. */
export function poolContains(pool: PoolView, address: Address): boolean {
  if (pool.avoidBuggyIPs && isBuggy(address)) return false;
  return indexOf(pool).overlap({ first: address, last: address }) !== undefined;
}

/**
 * True when every Service that may hold an address of `before` may hold it of `after` too. Costs what the pools' ranges
 * do, whatever the number of Services. False may be wrong: where a range was cut into parts that lie side by side, say.
 */
export function covers(after: PoolView, before: PoolView): boolean {
  if (after === before) return true;
  if (after.avoidBuggyIPs && !before.avoidBuggyIPs) return false;
  if (!isWithin(before.namespaces, after.namespaces)) return false;
  const selectors = (pool: PoolView) => JSON.stringify(pool.serviceSelectors);
  if (after.serviceSelectors.length > 0 && selectors(after) !== selectors(before)) return false;
  return before.ranges.every((range) => {
    const found = indexOf(after).overlap(range)?.range;
    return found !== undefined && found.first.value <= range.first.value && found.last.value >= range.last.value;
  });
}

/** Whether whoever `some` names is named by `all` too; null names everybody. */
function isWithin(some: ReadonlySet<string> | null, all: ReadonlySet<string> | null): boolean {
  return all === null || (some !== null && [...some].every((name) => all.has(name)));
}

/**
 * Of two sets of pools in force, whether an address is, or was, in the ranges of a pool that the other set has not, or
 * has as something else: what says the same is the same object. Any other address is where it was.
 */
export function changedAmong(before: readonly PoolView[], after: readonly PoolView[]): (address: Address) => boolean {
  const only = (these: readonly PoolView[], those: readonly PoolView[]) => {
    const known = new Set(those);
    return these.filter((pool) => !known.has(pool)).map(indexOf);
  };
  const changed = [...only(before, after), ...only(after, before)];
  return (address) => changed.some((index) => index.overlap({ first: address, last: address }) !== undefined);
}

/** Asked for every Service again and again, of a list that never changes. */
const indexOfRanges = perObject((ranges: readonly AddressRange[]) => {
  const index = new RangeIndex<null>();
  index.addAll(ranges, null);
  return index;
});

function indexOf({ ranges }: PoolView): RangeIndex<null> {
  return indexOfRanges(ranges);
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
