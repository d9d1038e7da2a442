import { type Address, type Family, isBuggy } from "./address.ts";
import { AddressTable } from "./address-table.ts";
import { type Claim, type Conflict, conflictBetween, givesUp, occupied, sameClaim } from "./claim.ts";
import { FreeSpace, type Place } from "./free-space.ts";
import { HoldIndex, type HoldView } from "./holds.ts";
import { KeyTable } from "./key-table.ts";
import { poolCapacity } from "./pool-count.ts";
import type { PoolView } from "./pools.ts";
import { RoomIndex } from "./room-index.ts";

interface Slot {
  readonly first: bigint;
  readonly last: bigint;
  readonly state: PoolState;
  /** Position among the ranges of its pool: addresses are given out in this order. */
  readonly order: number;
}

interface PoolState {
  readonly view: PoolView;
  readonly slots: Record<Family, Slot[]>;
  /** What is neither in use, nor left out by avoidBuggyIPs, nor held back. */
  readonly free: Readonly<Record<Family, FreeSpace>>;
  readonly capacity: Readonly<Record<Family, bigint>>;
  readonly inUse: Record<Family, number>;
}

/** One address in use. */
interface Entry {
  readonly address: Address;
  readonly claims: Claim[];
  slot: Slot | null;
}

interface ShareGroup {
  readonly entries: Set<Entry>;
  /** How many claims of the group use a port. */
  readonly ports: Map<string, number>;
}

/**
 * Who holds which address, and what is free. Every question costs O(log) of the
 * number of ranges or of returned addresses, whatever the size and fill of a
 * pool; looking for an address to share walks those of the same sharing key,
 * unless one port alone already rules all of them out.
 */
export class Ledger {
  #pools = new Map<string, PoolState>();
  #index: Record<Family, readonly Slot[]> = { 4: [], 6: [] };
  readonly #entries = new AddressTable<Entry>();
  readonly #claims = new KeyTable<Claim>();
  readonly #groups = new Map<string, ShareGroup>();
  #holds = new HoldIndex([]);

  /**
   * Replaces the pools; claims stay. O(addresses in use). Pools must not overlap. Answers with the keys of those who
   * occupy an address that now is of another pool, or of one that says something else: what says the same is the same object.
   */
  setPools(pools: readonly PoolView[]): ReadonlySet<string> {
    const states = pools.map((view) => this.#toState(view));
    this.#pools = new Map(states.map((state) => [state.view.name, state]));
    const sorted = (family: Family) =>
      states.flatMap(({ slots }) => slots[family]).toSorted((a, b) => (a.first < b.first ? -1 : 1));
    this.#index = { 4: sorted(4), 6: sorted(6) };
    const concerned = new Set<string>();
    for (const entry of this.#entries.values()) {
      const before = entry.slot?.state.view;
      entry.slot = this.#slotOf(entry.address);
      if (entry.slot !== null) entry.slot.state.inUse[entry.address.family]++;
      if (entry.slot?.state.view !== before) for (const { key } of entry.claims) concerned.add(key);
    }
    return concerned;
  }

  /** Replaces the holds; claims stay. O(ranges of pools and holds), whatever their size. */
  setHolds(holds: readonly HoldView[]): void {
    this.#holds = new HoldIndex(holds);
    for (const state of this.#pools.values()) this.#openParts(state);
  }

  /** What keeps the address from being given out anew; undefined when nothing does. */
  holdOf(address: Address): HoldView | undefined {
    return this.#holds.of(address);
  }

  /** The pool that may give out the address. */
  poolOf(address: Address): PoolView | undefined {
    return this.#slotOf(address)?.state.view;
  }

  /** What a Service ("namespace/name") occupies. */
  claimOf(key: string): Claim | undefined {
    return this.#claims.get(key);
  }

  /** How many Services hold addresses. O(Services). */
  get holders(): number {
    let count = 0;
    for (const { addresses } of this.#claims.values()) if (addresses.length > 0) count++;
    return count;
  }

  /** Distinct addresses of the pool that are held; 0 for a pool that is not in force. */
  inUse(pool: string, family: Family): number {
    return this.#pools.get(pool)?.inUse[family] ?? 0;
  }

  /** Addresses that the pool can give out, held ones included; exact. */
  capacity(pool: string, family: Family): bigint {
    return this.#pools.get(pool)?.capacity[family] ?? 0n;
  }

  /**
   * Records a claim in place of the key's earlier one, without asking whether it fits (`conflict` does).
   * True when something became available to others: an address, a port, or another way of sharing.
   */
  claim(claim: Claim): boolean {
    const before = this.#claims.get(claim.key);
    if (before !== undefined && sameClaim(before, claim)) return false;
    if (before !== undefined) this.#remove(before);
    this.#claims.set(claim);
    for (const address of occupied(claim)) this.#enter(address, claim);
    return before !== undefined && givesUp(before, claim);
  }

  /** Forgets the claim of a key. True when it held an address. */
  release(key: string): boolean {
    const claim = this.#claims.get(key);
    if (claim === undefined) return false;
    this.#claims.delete(key);
    this.#remove(claim);
    return occupied(claim).length > 0;
  }

  /** What keeps the claim from holding the address beside those who do; null when nothing does. */
  conflict(address: Address, claim: Claim): Conflict | null {
    const entry = this.#entries.get(address.family, address.value);
    if (entry === undefined) return null;
    for (const other of entry.claims) {
      if (other.key === claim.key) continue;
      const found = conflictBetween(claim, other);
      if (found !== null) return { ...found, address, holder: other.key };
    }
    return null;
  }

  /** Addresses of the pool that holds keep back, in use or not; exact. */
  held(pool: string, family: Family): bigint {
    const view = this.#pools.get(pool)?.view;
    if (view === undefined) return 0n;
    const ranges = view.ranges.flatMap((range) => this.#holds.gaps(range));
    return this.capacity(pool, family) - poolCapacity({ ...view, ranges }, family);
  }

  /** True when no address of the pool is free: all are in use or held back. */
  isFull(pool: string, family: Family): boolean {
    return (this.#pools.get(pool)?.free[family].lowest() ?? null) === null;
  }

  /** An index of those of the pools that have room; good until pools or holds are replaced. */
  roomAmong(pools: readonly PoolView[], family: Family): RoomIndex {
    return new RoomIndex(pools.flatMap(({ name }) => this.#pools.get(name)?.free[family] ?? []));
  }

  /** True when nobody has an address under this sharing key. */
  isAlone(sharingKey: string): boolean {
    return sharingKey === "" || !this.#groups.has(sharingKey);
  }

  /**
   * The first address of the pool, in its order, that is free or that the claim may share; null when there is none.
   * Held addresses are neither, in use or not.
   */
  lowest(pool: string, family: Family, claim: Claim): Address | null {
    const state = this.#pools.get(pool);
    if (state === undefined) return null;
    const free = state.free[family].lowest();
    const shared = claim.sharingKey === "" ? null : this.#lowestShared(state, family, claim);
    const best = free === null || (shared !== null && isBefore(shared, free)) ? shared : free;
    return best === null ? null : { family, value: best.value };
  }

  #toState(view: PoolView): PoolState {
    const slots: Record<Family, Slot[]> = { 4: [], 6: [] };
    const spaceOf = (family: Family) => {
      const taken = (value: bigint) => this.#entries.has(family, value);
      return new FreeSpace(view.avoidBuggyIPs ? (value) => taken(value) || isBuggy({ family, value }) : taken);
    };
    const state: PoolState = {
      view,
      slots,
      free: { 4: spaceOf(4), 6: spaceOf(6) },
      capacity: { 4: poolCapacity(view, 4), 6: poolCapacity(view, 6) },
      inUse: { 4: 0, 6: 0 },
    };
    for (const [order, { first, last }] of view.ranges.entries()) {
      slots[first.family].push({ first: first.value, last: last.value, state, order });
    }
    this.#openParts(state);
    return state;
  }

  #openParts({ view, free }: PoolState): void {
    const parts = view.ranges.flatMap((range, order) => this.#holds.gaps(range).map((gap) => ({ range: gap, order })));
    for (const family of [4, 6] as const)
      free[family].setParts(parts.filter(({ range }) => range.first.family === family));
  }

  #lowestShared(state: PoolState, family: Family, claim: Claim): Place | null {
    const group = this.#groups.get(claim.sharingKey);
    if (group === undefined) return null;
    // Each address of the group has a port at most once, so a port counted once per address is taken on all of them.
    if (claim.ports.some((port) => (group.ports.get(port) ?? 0) >= group.entries.size)) return null;
    let best: Place | null = null;
    for (const { address, slot } of group.entries) {
      if (slot?.state !== state || address.family !== family) continue;
      const place = { value: address.value, order: slot.order };
      if (best !== null && !isBefore(place, best)) continue;
      if (this.conflict(address, claim) === null && this.#holds.of(address) === undefined) best = place;
    }
    return best;
  }

  #slotOf(address: Address): Slot | null {
    const slots = this.#index[address.family];
    let low = 0;
    let high = slots.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((slots[middle] as Slot).first <= address.value) low = middle + 1;
      else high = middle;
    }
    const slot = slots[low - 1];
    if (slot === undefined || slot.last < address.value) return null;
    return slot.state.view.avoidBuggyIPs && isBuggy(address) ? null : slot;
  }

  #enter(address: Address, claim: Claim): void {
    let entry = this.#entries.get(address.family, address.value);
    if (entry === undefined) {
      // Not an empty list and a push, which would reserve room for 17.
      entry = { address, claims: [claim], slot: this.#slotOf(address) };
      this.#entries.set(address, entry);
      if (entry.slot !== null) entry.slot.state.inUse[address.family]++;
    } else if (entry.claims.includes(claim)) return;
    else entry.claims.push(claim);
    if (claim.sharingKey !== "") this.#join(entry, claim);
  }

  #remove(claim: Claim): void {
    for (const address of occupied(claim)) {
      const entry = this.#entries.get(address.family, address.value);
      const index = entry?.claims.indexOf(claim) ?? -1;
      if (entry === undefined || index < 0) continue;
      entry.claims.splice(index, 1);
      if (claim.sharingKey !== "") this.#leave(entry, claim);
      if (entry.claims.length > 0) continue;
      this.#entries.delete(address);
      if (entry.slot === null) continue;
      entry.slot.state.inUse[address.family]--;
      entry.slot.state.free[address.family].returned(address.value);
    }
  }

  #join(entry: Entry, { sharingKey, ports }: Claim): void {
    const group = this.#groups.get(sharingKey) ?? { entries: new Set(), ports: new Map() };
    this.#groups.set(sharingKey, group);
    group.entries.add(entry);
    for (const port of new Set(ports)) group.ports.set(port, (group.ports.get(port) ?? 0) + 1);
  }

  #leave(entry: Entry, { sharingKey, ports }: Claim): void {
    const group = this.#groups.get(sharingKey);
    if (group === undefined) return;
    if (!entry.claims.some((other) => other.sharingKey === sharingKey)) group.entries.delete(entry);
    for (const port of new Set(ports)) {
      const left = (group.ports.get(port) ?? 0) - 1;
      if (left > 0) group.ports.set(port, left);
      else group.ports.delete(port);
    }
    if (group.entries.size === 0) this.#groups.delete(sharingKey);
  }
}

function isBefore(a: Place, b: Place): boolean {
  return a.order < b.order || (a.order === b.order && a.value < b.value);
}
