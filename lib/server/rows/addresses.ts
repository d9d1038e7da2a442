import type { AddressPage, AddressRow } from "#api/dashboard/addresses";
import { type Address, canonicalText, formatAddress, isBuggy, tryParseAddress } from "#core/address";
import { explain } from "#core/explain";
import { countPool, poolCapacity } from "#core/pool-count";
import { type PoolView, poolContains } from "#core/pools";
import type { View } from "../view.ts";
import { heldIn } from "./pools.ts";

export interface PageQuestion {
  readonly offset: number;
  readonly limit: number;
  readonly state?: AddressRow["state"] | undefined;
}

/** How many addresses a filtered page looks at before it hands back what it has and where to go on. */
const SCAN_LIMIT = 65_536;

/**
 * One page of a pool's addresses in order, the buggy ones of avoidBuggyIPs
 * included as `excluded`. Cost depends on the page, never on the pool's size.
 * With `state`, `next` is where the search goes on; a page may come back short.
 */
export function addressPage(pool: PoolView, question: PageQuestion, view: View): AddressPage {
  const rows: AddressRow[] = [];
  const facts = stateFacts(pool, view);
  const total = sizeOf(pool);
  const lookAt = question.state === undefined ? question.limit : SCAN_LIMIT;
  let offset = BigInt(question.offset);
  let looked = 0;
  while (offset < total && rows.length < question.limit && looked < lookAt) {
    const address = addressAt(pool, offset);
    if (address === null) break;
    const row = addressRow(address, facts);
    if (question.state === undefined || row.state === question.state) rows.push(row);
    offset += 1n;
    looked += 1;
  }
  const counts = countPool(pool, facts.held, view.holds);
  const nextFree = counts.ipv4?.nextFree ?? counts.ipv6?.nextFree ?? null;
  return {
    pool: pool.name,
    total: (poolCapacity(pool, 4) + poolCapacity(pool, 6)).toString(),
    nextFree: nextFree === null ? null : formatAddress(nextFree),
    addresses: rows,
    next: offset < total && offset <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(offset) : null,
  };
}

interface StateFacts {
  readonly view: View;
  readonly pool: PoolView;
  readonly held: readonly Address[];
  readonly requested: ReadonlyMap<string, readonly string[]>;
}

function stateFacts(pool: PoolView, view: View): StateFacts {
  return { view, pool, held: heldIn(pool, view).addresses, requested: requestedAddresses(view) };
}

function addressRow(address: Address, { view, pool, requested }: StateFacts): AddressRow {
  const text = formatAddress(address);
  const services = view.holders.get(text) ?? [];
  const waiting = requested.get(text) ?? [];
  const announcer = services.flatMap((key) => view.announcersOf(key))[0]?.node ?? null;
  const base = { address: text, services: [...services], announcedBy: announcer };
  if (view.conflicts.has(text)) return { ...base, state: "conflict" };
  if (services.length > 1) return { ...base, state: "shared" };
  if (services.length === 1) return { ...base, state: poolContains(pool, address) ? "assigned" : "stale" };
  const hold = view.holds.of(address);
  if (hold !== undefined) {
    const note = explain("held", { address: text, hold });
    return { ...base, services: [...waiting], state: "held", note, hold: hold.name };
  }
  if (pool.avoidBuggyIPs && isBuggy(address)) return { ...base, state: "excluded" };
  if (waiting.length > 0) return { ...base, services: [...waiting], state: "requested" };
  return { ...base, state: "free" };
}

/** Addresses that pending Services ask for by annotation or spec, by canonical text. */
function requestedAddresses(view: View): ReadonlyMap<string, readonly string[]> {
  const wanted = new Map<string, string[]>();
  for (const service of view.facts.services) {
    const { metadata, spec, status } = service;
    if (spec?.type !== "LoadBalancer" || (status?.loadBalancer?.ingress ?? []).length > 0) continue;
    const annotations = metadata.annotations ?? {};
    const text =
      annotations["metallb.io/loadBalancerIPs"] ??
      annotations["metallb.universe.tf/loadBalancerIPs"] ??
      spec.loadBalancerIP ??
      "";
    for (const part of text.split(",")) {
      const address = canonicalText(part.trim());
      if (tryParseAddress(address) === null) continue;
      const key = `${metadata.namespace}/${metadata.name}`;
      wanted.set(address, [...(wanted.get(address) ?? []), key]);
    }
  }
  return wanted;
}

function sizeOf(pool: PoolView): bigint {
  return pool.ranges.reduce((sum, { first, last }) => sum + last.value - first.value + 1n, 0n);
}

function addressAt(pool: PoolView, offset: bigint): Address | null {
  let left = offset;
  for (const { first, last } of pool.ranges) {
    const size = last.value - first.value + 1n;
    if (left < size) return { family: first.family, value: first.value + left };
    left -= size;
  }
  return null;
}
