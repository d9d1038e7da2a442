/** Which addresses are given to a Service that has none it may keep (metallb.md 3.2 and 3.3). */
import { type Address, compareAddresses, type Family, formatAddress, sameAddress } from "./address.ts";
import type { Ledger } from "./ledger.ts";
import { claimFor, sameFamilies } from "./plan.ts";
import type { PoolView } from "./pools.ts";
import {
  badRequest,
  closedTo,
  conflictRefusal,
  emptyRefusal,
  familyText,
  heldRefusal,
  outsideRefusal,
  type Refusal,
  refusalOf,
  unknownPoolRefusal,
} from "./refusals.ts";
import type { RoomIndex } from "./room-index.ts";
import type { ServiceView } from "./service-view.ts";

/** What there is to give. */
export interface Supply {
  readonly ledger: Ledger;
  readonly pools: ReadonlyMap<string, PoolView>;
  /** Names of pool objects that are invalid and have no valid version in force. */
  readonly leftOut: ReadonlySet<string>;
  /** Pinned by priority then name, then the others by name. */
  readonly order: readonly PoolView[];
  /** Finds, by the position in `order`, the first that may have room; of hundreds most may be full. */
  readonly roomy: Readonly<Record<Family, RoomIndex>>;
}

type Choice =
  | { readonly kind: "chosen"; readonly addresses: readonly Address[]; readonly pool: string }
  | { readonly kind: "refused"; readonly refusals: readonly Refusal[] };

/** As requested, or the first that is free or shareable; only reads. */
export function choose(supply: Supply, service: ServiceView): Choice {
  const { pools, leftOut } = supply;
  if (service.requestProblem !== null) return refused(badRequest(service.requestProblem));
  if (pools.size === 0 && leftOut.size === 0) return refused(refusalOf(null, "no_pool"));
  const named = service.requestedPool === null ? undefined : pools.get(service.requestedPool);
  if (service.requestedPool !== null && named === undefined) {
    return refused(unknownPoolRefusal(service.requestedPool, leftOut));
  }
  if (service.requested.length > 0) return chooseExactly(supply, service, named);
  if (service.families.length > 1 && service.dualStack === "single") {
    return refused(badRequest("has cluster IPs of both families, and no ipFamilyPolicy that asks for both"));
  }
  return chooseFrom(supply, service, named);
}

function refused(...refusals: readonly Refusal[]): Choice {
  return { kind: "refused", refusals };
}

function chooseExactly(supply: Supply, service: ServiceView, named: PoolView | undefined): Choice {
  const { requested } = service;
  if (!sameFamilies(requested, service.families)) {
    const asked = requested.map(formatAddress).join(", ");
    return refused(badRequest(`asks for ${asked}, but needs one address of each of ${familyText(service.families)}`));
  }
  const pool = poolOfAll(supply, requested);
  if (pool === undefined) return refused(outsideRefusal(supply.ledger, supply.order, requested));
  if (named !== undefined && named !== pool) {
    const asked = requested.map(formatAddress).join(", ");
    return refused(badRequest(`asks for ${asked} of pool ${pool.name}, and for pool ${named.name}`));
  }
  const refusal =
    closedTo(pool, service) ??
    conflictAmong(supply, service, requested, pool.name) ??
    heldBack(supply, service, requested);
  return refusal === null ? { kind: "chosen", addresses: requested, pool: pool.name } : refused(refusal);
}

/** Tries the sets of families in order of preference, each over all pools in order. */
function chooseFrom({ ledger, order, roomy }: Supply, service: ServiceView, named: PoolView | undefined): Choice {
  const claim = claimFor(service, []);
  const [pools, byName] = named === undefined ? [order, false] : [[named], true];
  const mayBeFull = byName || !ledger.isAlone(claim.sharingKey);
  const [primary, secondary] = service.families;
  const wishes: (readonly Family[])[] = [service.families];
  if (service.dualStack === "prefer" && primary !== undefined && secondary !== undefined) {
    wishes.push([primary], [secondary]);
  }
  for (const wish of wishes) {
    const [chief = 4] = wish;
    // Who asks for an address of its own need not ask those that have none.
    for (let index = mayBeFull ? 0 : roomy[chief].first(); index < pools.length; index++) {
      const pool = pools[index] as PoolView;
      if ((!byName && !pool.autoAssign) || closedTo(pool, service) !== null) continue;
      const addresses: Address[] = [];
      for (const family of wish) {
        const address = ledger.lowest(pool.name, family, claim);
        if (address !== null) addresses.push(address);
      }
      if (addresses.length === wish.length) {
        return { kind: "chosen", addresses: addresses.toSorted(compareAddresses), pool: pool.name };
      }
    }
  }
  const refusals = pools.map((pool) => {
    if (!byName && !pool.autoAssign) return refusalOf(pool.name, "auto_assign_off");
    return closedTo(pool, service) ?? emptyRefusal(ledger, pool, service.families);
  });
  return { kind: "refused", refusals: refusals.length > 0 ? refusals : [refusalOf(null, "no_pool")] };
}

/** The one pool that owns all the addresses; undefined when there is none. */
export function poolOfAll({ ledger }: Supply, addresses: readonly Address[]): PoolView | undefined {
  const [first] = addresses;
  const pool = first === undefined ? undefined : ledger.poolOf(first);
  return addresses.every((address) => ledger.poolOf(address) === pool) ? pool : undefined;
}

/** What keeps the Service from holding one of the addresses beside those who do. */
export function conflictAmong(
  { ledger }: Supply,
  service: ServiceView,
  addresses: readonly Address[],
  pool: string,
): Refusal | null {
  const claim = claimFor(service, addresses);
  for (const address of addresses) {
    const conflict = ledger.conflict(address, claim);
    if (conflict !== null) return conflictRefusal(conflict, pool);
  }
  return null;
}

/** An address among these that an AddressHold keeps back and that the Service does not have yet. */
export function heldBack({ ledger }: Supply, service: ServiceView, addresses: readonly Address[]): Refusal | null {
  for (const address of addresses) {
    const hold = ledger.holdOf(address);
    if (hold === undefined || service.held?.some((own) => sameAddress(own, address))) continue;
    return heldRefusal(hold, address, ledger.poolOf(address)?.name ?? "");
  }
  return null;
}
