/** The small rules behind `Allocator`: plans, refusals and families as plain functions. */
import { type Address, type Family, formatAddress, sameAddress } from "./address.ts";
import { explain, joinSentences } from "./explain.ts";
import type { Claim, Conflict } from "./ledger.ts";
import type { PoolView } from "./pools.ts";
import type { AllocationReason } from "./reasons.ts";
import type { ServiceView } from "./service-view.ts";

/** Why one pool (null: no pool in particular) does not serve a Service. `sentence` names pool and address. */
export interface Refusal {
  readonly pool: string | null;
  readonly reason: AllocationReason;
  readonly sentence: string;
}

export interface Holding {
  /** As they belong into the status: as requested, else IPv4 first. */
  readonly addresses: readonly Address[];
  /** Null only for an address left untouched whose pool is not known. */
  readonly pool: string | null;
  /** A wish that could not be met while the addresses stay (a bad request, no second family). */
  readonly note: Refusal | null;
}

export type Plan =
  /** Not a LoadBalancer: whatever it held is free. */
  | { readonly kind: "release" }
  /** Another load balancer's: never written to. */
  | { readonly kind: "ignore"; readonly refusal: Refusal }
  /** The status is as it should be. */
  | ({ readonly kind: "keep" } & Holding)
  /** `moved`: why addresses in the status had to be given up; null when there were none or they stay. */
  | ({ readonly kind: "assign"; readonly moved: string | null } & Holding)
  | {
      readonly kind: "refuse";
      readonly reason: AllocationReason;
      readonly sentence: string;
      readonly refusals: readonly Refusal[];
      readonly moved: string | null;
    };

export function claimFor(service: ServiceView, addresses: readonly Address[]): Claim {
  const { key, ports, sharingKey, backendKey } = service;
  return { key, addresses, ports, sharingKey, backendKey };
}

export function byPreference(a: PoolView, b: PoolView): number {
  if (a.pinned !== b.pinned) return a.pinned ? -1 : 1;
  const priority = (pool: PoolView) => (pool.priority === 0 ? Number.POSITIVE_INFINITY : pool.priority);
  if (a.pinned && priority(a) !== priority(b)) return priority(a) < priority(b) ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

export function impossibleFamilies(service: ServiceView): Refusal | null {
  if (service.families.length === 0) return badRequest("has no cluster IP");
  if (service.dualStack !== "require" || service.families.length > 1) return null;
  const detail = `the Service asks for RequireDualStack but has cluster IPs of ${familyText(service.families)} only`;
  return refusalOf(null, "family_unavailable", { detail });
}

export function familiesFit({ families, dualStack }: ServiceView, addresses: readonly Address[]): boolean {
  const own = new Set(addresses.map(({ family }) => family));
  if (own.size !== addresses.length || ![...own].every((family) => families.includes(family))) return false;
  return own.size === families.length || dualStack === "prefer";
}

export function sameFamilies(addresses: readonly Address[], families: readonly Family[]): boolean {
  return addresses.length === families.length && families.every((f) => addresses.some(({ family }) => family === f));
}

export function sameSet(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every((one) => b.some((other) => sameAddress(one, other)));
}

export function familyText(families: readonly Family[]): string {
  return families
    .toSorted()
    .map((family) => `IPv${family}`)
    .join(" and ");
}

export function badRequest(problem: string): Refusal {
  return { pool: null, reason: "invalid_request", sentence: `the Service ${problem}` };
}

export function refusalOf(
  pool: string | null,
  reason: AllocationReason,
  facts: Parameters<typeof explain>[1] = {},
): Refusal {
  return { pool, reason, sentence: explain(reason, pool === null ? facts : { pool, ...facts }) };
}

export function conflictSentence({ reason, address, holder, port }: Conflict, pool: string): Refusal {
  return { pool, reason, sentence: explain(reason, { address: formatAddress(address), holder, port }) };
}

/** When pools refuse for different reasons, the one that a person can do most about stands for all. */
const WEIGHT: readonly AllocationReason[] = [
  "exhausted",
  "family_unavailable",
  "selector_mismatch",
  "namespace_not_allowed",
  "auto_assign_off",
];

export function refuse(list: readonly Refusal[], moved: string | null): Plan {
  const [first] = list;
  const chief = WEIGHT.find((reason) => list.some((refusal) => refusal.reason === reason));
  const sentence = joinSentences(list.map((refusal) => refusal.sentence));
  return { kind: "refuse", reason: chief ?? first?.reason ?? "no_pool", sentence, refusals: list, moved };
}
