/** What is decided about a Service, and the small rules about families and sets behind it. */
import { type Address, type Family, sameAddress } from "./address.ts";
import type { Claim } from "./claim.ts";
import type { PoolView } from "./pools.ts";
import type { AllocationReason } from "./reasons.ts";
import { badRequest, familyText, type Refusal, refusalOf, summaryOf } from "./refusals.ts";
import type { ServiceView } from "./service-view.ts";

/** Addresses that a Service has, or is to have. */
interface Holding {
  /** As they belong into the status: as requested, else IPv4 first. */
  readonly addresses: readonly Address[];
  /** Null only for an address left untouched whose pool is not known. */
  readonly pool: string | null;
  /** A wish that could not be met while the addresses stay (a bad request, no second family). */
  readonly note: Refusal | null;
}

/** What is to become of one Service. */
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

/** The plan that follows when every pool refused. */
export function refuse(refusals: readonly Refusal[], moved: string | null): Plan {
  return { kind: "refuse", ...summaryOf(refusals), refusals, moved };
}

/** What the Service occupies once it holds the addresses. */
export function claimFor(service: ServiceView, addresses: readonly Address[]): Claim {
  const { key, ports, sharingKey, backendKey } = service;
  return { key, addresses, ports, sharingKey, backendKey };
}

/** The order in which pools are asked: pinned before others, by priority (unset last), then by name. */
export function byPreference(a: PoolView, b: PoolView): number {
  if (a.pinned !== b.pinned) return a.pinned ? -1 : 1;
  const priority = (pool: PoolView) => (pool.priority === 0 ? Number.POSITIVE_INFINITY : pool.priority);
  if (a.pinned && priority(a) !== priority(b)) return priority(a) < priority(b) ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

/** Why no pool could ever serve the families of the Service (metallb.md 2.2, steps 3 and 5); null when one could. */
export function impossibleFamilies(service: ServiceView): Refusal | null {
  if (service.families.length === 0) return badRequest("has no cluster IP");
  if (service.dualStack !== "require" || service.families.length > 1) return null;
  const detail = `the Service asks for RequireDualStack but has cluster IPs of ${familyText(service.families)} only`;
  return refusalOf(null, "family_unavailable", { detail });
}

/** Whether the addresses, one per family, are what the Service may hold; under PreferDualStack one of two will do. */
export function familiesFit({ families, dualStack }: ServiceView, addresses: readonly Address[]): boolean {
  const own = new Set(addresses.map(({ family }) => family));
  if (own.size !== addresses.length || ![...own].every((family) => families.includes(family))) return false;
  return own.size === families.length || dualStack === "prefer";
}

/** Exactly one address of each family. */
export function sameFamilies(addresses: readonly Address[], families: readonly Family[]): boolean {
  return addresses.length === families.length && families.every((f) => addresses.some(({ family }) => family === f));
}

/** The same addresses in any order. */
export function sameSet(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every((one) => b.some((other) => sameAddress(one, other)));
}
