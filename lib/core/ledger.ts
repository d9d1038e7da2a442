import { type Address, type Family, isBuggy, sameAddress } from "./address.ts";
import { AddressTable } from "./address-table.ts";
import { FreeList } from "./free-list.ts";
import { KeyTable } from "./key-table.ts";
import { poolCapacity } from "./pool-count.ts";
import type { PoolView } from "./pools.ts";

/** What one Service occupies, and under which conditions others may share it (metallb.md 2.5). */
export interface Claim {
  /** "namespace/name" */
  readonly key: string;
  readonly addresses: readonly Address[];
  /** Given up, but still in the status until a write is confirmed: nobody else may have them before. */
  readonly leaving?: readonly Address[] | undefined;
  /** "TCP/80" */
  readonly ports: readonly string[];
  /** "" means not shared. */
  readonly sharingKey: string;
  readonly backendKey: string;
}

/** Why a claim does not fit beside one that is there. */
export interface Conflict {
  readonly reason: "already_assigned" | "sharing_key_conflict" | "backend_conflict" | "port_conflict";
  readonly address: Address;
  readonly holder: string;
  readonly port?: string | undefined;
}

interface Slot {
  readonly first: bigint;
  readonly last: bigint;
  readonly state: PoolState;
  /** Position among the ranges of its pool: addresses are given out in this order. */
  readonly order: number;
  readonly free: FreeList;
  /** Not to be given out: held by somebody, or left out by avoidBuggyIPs. */
  readonly isUsed: (value: bigint) => boolean;
}

interface PoolState {
  readonly view: PoolView;
  readonly slots: Record<Family, Slot[]>;
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

  /** Replaces the pools; claims stay. O(addresses in use). Pools must not overlap. */
  setPools(pools: readonly PoolView[]): void {
    const states = pools.map((view) => this.#toState(view));
    this.#pools = new Map(states.map((state) => [state.view.name, state]));
    const sorted = (family: Family) =>
      states.flatMap(({ slots }) => slots[family]).toSorted((a, b) => (a.first < b.first ? -1 : 1));
    this.#index = { 4: sorted(4), 6: sorted(6) };
    for (const entry of this.#entries.values()) {
      entry.slot = this.#slotOf(entry.address);
      if (entry.slot !== null) entry.slot.state.inUse[entry.address.family]++;
    }
  }

  /** The pool that may give out the address. */
  poolOf(address: Address): PoolView | undefined {
    return this.#slotOf(address)?.state.view;
  }

  /** What a Service ("namespace/name") occupies. */
  claimOf(key: string): Claim | undefined {
    return this.#claims.get(key);
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

  /** The first address of the pool, in its order, that is free or that the claim may share; null when there is none. */
  lowest(pool: string, family: Family, claim: Claim): Address | null {
    const state = this.#pools.get(pool);
    if (state === undefined) return null;
    const free = this.#lowestFree(state, family);
    const shared = claim.sharingKey === "" ? null : this.#lowestShared(state, family, claim);
    if (free === null || shared === null) return (free ?? shared)?.address ?? null;
    return isBefore(shared, free) ? shared.address : free.address;
  }

  #toState(view: PoolView): PoolState {
    const slots: Record<Family, Slot[]> = { 4: [], 6: [] };
    const state: PoolState = {
      view,
      slots,
      capacity: { 4: poolCapacity(view, 4), 6: poolCapacity(view, 6) },
      inUse: { 4: 0, 6: 0 },
    };
    for (const [order, { first, last }] of view.ranges.entries()) {
      const { family } = first;
      const taken = (value: bigint) => this.#entries.has(family, value);
      const isUsed = view.avoidBuggyIPs ? (value: bigint) => taken(value) || isBuggy({ family, value }) : taken;
      const free = new FreeList(first.value, last.value);
      slots[family].push({ first: first.value, last: last.value, state, order, free, isUsed });
    }
    return state;
  }

  #lowestFree(state: PoolState, family: Family): Place | null {
    for (const slot of state.slots[family]) {
      const value = slot.free.lowest(slot.isUsed);
      if (value !== null) return { address: { family, value }, order: slot.order };
    }
    return null;
  }

  #lowestShared(state: PoolState, family: Family, claim: Claim): Place | null {
    const group = this.#groups.get(claim.sharingKey);
    if (group === undefined) return null;
    // Each address of the group has a port at most once, so a port counted once per address is taken on all of them.
    if (claim.ports.some((port) => (group.ports.get(port) ?? 0) >= group.entries.size)) return null;
    let best: Place | null = null;
    for (const { address, slot } of group.entries) {
      if (slot?.state !== state || address.family !== family) continue;
      const place = { address, order: slot.order };
      if (best !== null && !isBefore(place, best)) continue;
      if (this.conflict(address, claim) === null) best = place;
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
      entry.slot.free.returned(address.value);
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

interface Place {
  readonly address: Address;
  readonly order: number;
}

function isBefore(a: Place, b: Place): boolean {
  return a.order < b.order || (a.order === b.order && a.address.value < b.address.value);
}

/** All of: same non-empty key, same backends, no common port (metallb.md 2.5). */
function conflictBetween(a: Claim, b: Claim): Pick<Conflict, "reason" | "port"> | null {
  if (a.sharingKey === "" || b.sharingKey === "") return { reason: "already_assigned" };
  if (a.sharingKey !== b.sharingKey) return { reason: "sharing_key_conflict" };
  if (a.backendKey !== b.backendKey) return { reason: "backend_conflict" };
  const port = a.ports.find((each) => b.ports.includes(each));
  return port === undefined ? null : { reason: "port_conflict", port };
}

function occupied({ addresses, leaving }: Claim): readonly Address[] {
  return leaving === undefined || leaving.length === 0 ? addresses : [...addresses, ...leaving];
}

function sameClaim(a: Claim, b: Claim): boolean {
  if (a.addresses.length !== b.addresses.length || a.ports.length !== b.ports.length) return false;
  if (a.addresses.some((address, index) => !sameAddress(address, b.addresses[index] as Address))) return false;
  return occupied(a).length === occupied(b).length && !givesUp(a, b);
}

function givesUp(before: Claim, after: Claim): boolean {
  return (
    before.sharingKey !== after.sharingKey ||
    before.backendKey !== after.backendKey ||
    occupied(before).some((address) => !occupied(after).some((other) => sameAddress(address, other))) ||
    before.ports.some((port) => !after.ports.includes(port))
  );
}
