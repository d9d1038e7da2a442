import { type Address, type AddressRange, type Family, isBuggy, rangeSize } from "./address.ts";
import { HoldIndex } from "./holds.ts";
import { INT64_MAX } from "./int64.ts";
import { type PoolView, poolContains } from "./pools.ts";

/** Addresses of one family of a pool. `total` leaves out what avoidBuggyIPs does. */
export interface FamilyCount {
  readonly total: bigint;
  readonly assigned: bigint;
  readonly available: bigint;
  /** The address that is given out next, in the order of the ranges; null when all are used or held. */
  readonly nextFree: Address | null;
}

const NO_HOLDS = new HoldIndex([]);

/** Exact counts per family; what is held is still available. Null for a family the pool has no range of. Addresses outside the pool are not counted. */
export function countPool(
  pool: PoolView,
  used: Iterable<Address>,
  holds: HoldIndex = NO_HOLDS,
): { readonly ipv4: FamilyCount | null; readonly ipv6: FamilyCount | null } {
  const taken: Record<Family, Set<bigint>> = { 4: new Set(), 6: new Set() };
  for (const address of used) if (poolContains(pool, address)) taken[address.family].add(address.value);
  return { ipv4: countFamily(pool, 4, taken[4], holds), ipv6: countFamily(pool, 6, taken[6], holds) };
}

function countFamily(pool: PoolView, family: Family, taken: ReadonlySet<bigint>, holds: HoldIndex): FamilyCount | null {
  const ranges = pool.ranges.filter((range) => range.first.family === family);
  if (ranges.length === 0) return null;
  const total = poolCapacity(pool, family);
  const assigned = BigInt(taken.size);
  let nextFree: Address | null = null;
  for (const range of ranges.flatMap((each) => holds.gaps(each))) {
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
  for (const range of pool.ranges) {
    const { first, last } = range;
    if (first.family !== family) continue;
    total += rangeSize(range);
    if (pool.avoidBuggyIPs && family === 4) total -= buggyUpTo(last.value) - buggyUpTo(first.value - 1n);
  }
  return total;
}

/** Addresses from 0.0.0.0 to `value` that end in .0 or .255. */
function buggyUpTo(value: bigint): bigint {
  if (value < 0n) return 0n;
  return value / 256n + 1n + (value + 1n) / 256n;
}

/** A count for an int64 field: exact up to 2^53, near beyond, and the largest int64 from there on (`jsonText` writes it). */
export function saturateInt64(n: bigint): number {
  return Math.min(Number(n), INT64_MAX);
}
