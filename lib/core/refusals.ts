/** Why pools do not serve a Service: each refusal with the one sentence that people read. */
import { type Address, type Family, formatAddress, rangeContains } from "./address.ts";
import type { Conflict } from "./claim.ts";
import { explain, joinSentences } from "./explain.ts";
import type { HoldView } from "./holds.ts";
import type { Ledger } from "./ledger.ts";
import type { PoolView } from "./pools.ts";
import type { AllocationReason } from "./reasons.ts";
import { anySelectorMatches } from "./selector.ts";
import type { ServiceView } from "./service-view.ts";

/** Why one pool (null: no pool in particular) does not serve a Service. `sentence` names pool and address. */
export interface Refusal {
  readonly pool: string | null;
  readonly reason: AllocationReason;
  readonly sentence: string;
}

/** A refusal with the sentence that `explain` has for its reason. */
export function refusalOf(
  pool: string | null,
  reason: AllocationReason,
  facts: Parameters<typeof explain>[1] = {},
): Refusal {
  return { pool, reason, sentence: explain(reason, pool === null ? facts : { pool, ...facts }) };
}

/** `problem` continues "the Service …". */
export function badRequest(problem: string): Refusal {
  return { pool: null, reason: "invalid_request", sentence: `the Service ${problem}` };
}

/** An address of the pool that others hold in a way that leaves no room beside them. */
export function conflictRefusal({ reason, address, holder, port }: Conflict, pool: string): Refusal {
  return { pool, reason, sentence: explain(reason, { address: formatAddress(address), holder, port }) };
}

/** An address of the pool that is not given out anew. */
export function heldRefusal(hold: HoldView, address: Address, pool: string): Refusal {
  return { pool, reason: "held", sentence: explain("held", { address: formatAddress(address), hold }) };
}

/** What keeps the Service out of the pool altogether; null when nothing does. */
export function closedTo(pool: PoolView, service: ServiceView): Refusal | null {
  if (pool.namespaces !== null && !pool.namespaces.has(service.namespace)) {
    return refusalOf(pool.name, "namespace_not_allowed", { namespace: service.namespace });
  }
  if (pool.serviceSelectors.length > 0 && !anySelectorMatches(pool.serviceSelectors, service.labels)) {
    return refusalOf(pool.name, "selector_mismatch");
  }
  return null;
}

/** A pool that has nothing to give of these families: it lacks one, or is exhausted. */
export function emptyRefusal(ledger: Ledger, { name }: PoolView, families: readonly Family[]): Refusal {
  const absent = families.filter((family) => ledger.capacity(name, family) === 0n);
  if (absent.length > 0) return refusalOf(name, "family_unavailable", { family: familyText(absent) });
  const full = families.find((family) => ledger.isFull(name, family)) ?? families[0];
  if (full === undefined) return refusalOf(name, "exhausted");
  const [inUse, total] = [ledger.inUse(name, full), ledger.capacity(name, full)];
  // Neither free nor in use: all that is left are those that holds keep back.
  const heldBack = ledger.isFull(name, full) ? total - BigInt(inUse) : 0n;
  return refusalOf(name, "exhausted", {
    inUse,
    total,
    ...(heldBack > 0n && { heldBack }),
    ...(families.length > 1 && { family: `IPv${full}` }),
  });
}

/** Addresses that no single pool owns. `pools` are those in force, to name the one that leaves an address out. */
export function outsideRefusal(ledger: Ledger, pools: readonly PoolView[], addresses: readonly Address[]): Refusal {
  const owners = addresses.map((address) => ledger.poolOf(address));
  const address = addresses[owners.indexOf(undefined)];
  if (address === undefined) {
    const each = addresses.map((one, at) => `${formatAddress(one)} (${owners[at]?.name})`).join(" and ");
    return refusalOf(null, "outside_pools", { detail: `${each} are of different pools; one pool must own both` });
  }
  const text = formatAddress(address);
  const avoiding = pools.find(({ ranges }) => ranges.some((range) => rangeContains(range, address)));
  if (avoiding === undefined) return refusalOf(null, "outside_pools", { address: text });
  return refusalOf(avoiding.name, "outside_pools", { detail: `${avoiding.name}: leaves out ${text} (avoidBuggyIPs)` });
}

/** A pool asked for by name that is not in force: absent, or one of the invalid ones in `leftOut`. */
export function unknownPoolRefusal(name: string, leftOut: ReadonlySet<string>): Refusal {
  if (!leftOut.has(name)) return { ...refusalOf(name, "pool_not_found"), pool: null };
  return { pool: name, reason: "pool_not_found", sentence: `pool ${name} is invalid and not in force` };
}

/** "IPv4 and IPv6" */
export function familyText(families: readonly Family[]): string {
  return families
    .toSorted()
    .map((family) => `IPv${family}`)
    .join(" and ");
}

/** When pools refuse for different reasons, the one that a person can do most about stands for all. */
const WEIGHT: readonly AllocationReason[] = [
  "exhausted",
  "family_unavailable",
  "selector_mismatch",
  "namespace_not_allowed",
  "auto_assign_off",
];

/** One verdict from many: the chief reason, and every sentence. */
export function summaryOf(refusals: readonly Refusal[]): {
  readonly reason: AllocationReason;
  readonly sentence: string;
} {
  const chief = WEIGHT.find((reason) => refusals.some((refusal) => refusal.reason === reason));
  return {
    reason: chief ?? refusals[0]?.reason ?? "no_pool",
    sentence: joinSentences(refusals.map(({ sentence }) => sentence)),
  };
}
