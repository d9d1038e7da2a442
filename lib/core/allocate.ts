/**
 * Which address a Service should hold (metallb.md sections 2.2 and 3, its
 * quirks repaired). Deterministic: the same claims and pools give the same plan.
 */
import { type Address, compareAddresses, type Family, formatAddress, sameAddress } from "./address.ts";
import { Ledger } from "./ledger.ts";
import {
  byPreference,
  claimFor,
  familiesFit,
  impossibleFamilies,
  type Plan,
  refuse,
  sameFamilies,
  sameSet,
} from "./plan.ts";
import type { PoolView } from "./pools.ts";
import {
  badRequest,
  closedTo,
  conflictRefusal,
  emptyRefusal,
  familyText,
  outsideRefusal,
  type Refusal,
  refusalOf,
  unknownPoolRefusal,
} from "./refusals.ts";
import type { ServiceView } from "./service-view.ts";

type Verdict =
  | { readonly kind: "legal"; readonly pool: PoolView }
  | { readonly kind: "untouched" }
  | { readonly kind: "illegal"; readonly sentence: string };
type Choice =
  | { readonly kind: "chosen"; readonly addresses: readonly Address[]; readonly pool: string }
  | { readonly kind: "refused"; readonly refusals: readonly Refusal[] };

/** What one instance is told for good. */
export interface AllocatorOptions {
  /** Serve Services of this loadBalancerClass only; without it, only those without class. */
  readonly lbClass?: string | undefined;
}

/**
 * Pools, claims, and the plan for each Service. `plan` only reads; `hold` and
 * `release` record what was decided or observed, so that a decision taken and
 * held in one step can never be given to two.
 *
 * Guarantees, in order of precedence: an address that is still legal is kept;
 * a requested address is granted or refused, never swapped; otherwise the
 * lowest free or shareable address of the first pool that can serve.
 */
export class Allocator {
  readonly ledger = new Ledger();
  readonly #lbClass: string | null;
  #pools: ReadonlyMap<string, PoolView> = new Map();
  #leftOut: ReadonlySet<string> = new Set();
  /** Pinned by priority then name, then the others by name. */
  #order: readonly PoolView[] = [];

  constructor(options: AllocatorOptions = {}) {
    this.#lbClass = options.lbClass || null;
  }

  get pools(): readonly PoolView[] {
    return this.#order;
  }

  /** `leftOut`: names of pool objects that exist but are invalid and have no valid version in force. */
  setPools(pools: readonly PoolView[], leftOut: ReadonlySet<string> = new Set()): void {
    this.#pools = new Map(pools.map((pool) => [pool.name, pool]));
    this.#leftOut = leftOut;
    this.#order = pools.toSorted(byPreference);
    this.ledger.setPools(pools);
  }

  /**
   * Records that the Service holds the addresses. Those in its status that it gives up stay closed to others as
   * long as `untilWritten` says that the status is still to be written. True when something became available.
   */
  hold(
    service: ServiceView,
    addresses: readonly Address[],
    untilWritten: "confirmed" | "untilWritten" = "confirmed",
  ): boolean {
    const claim = claimFor(service, addresses);
    if (untilWritten === "confirmed" || service.held === null) return this.ledger.claim(claim);
    const leaving = service.held.filter(
      (address) =>
        !addresses.some((kept) => sameAddress(kept, address)) && this.ledger.conflict(address, claim) === null,
    );
    return this.ledger.claim({ ...claim, leaving });
  }

  /** Forgets what a Service ("namespace/name") holds. True when something became available to others. */
  release(key: string): boolean {
    return this.ledger.release(key);
  }

  plan(service: ServiceView): Plan {
    if (!service.isLoadBalancer) return { kind: "release" };
    if (service.loadBalancerClass !== this.#lbClass) {
      const facts = { loadBalancerClass: service.loadBalancerClass ?? "" };
      return { kind: "ignore", refusal: refusalOf(null, "class_not_ours", facts) };
    }
    const impossible = impossibleFamilies(service);
    if (impossible !== null) {
      const moved = service.ingress.length > 0 ? impossible.sentence : null;
      return refuse([impossible], moved);
    }

    let moved: string | null = null;
    if (service.held === null) moved = `${service.ingress.join(", ")} is not an IP address`;
    else if (service.held.length > 0) {
      const verdict = this.#judge(service, service.held);
      if (verdict.kind === "untouched") {
        return { kind: "keep", addresses: service.held, pool: service.allocatedFrom, note: null };
      }
      if (verdict.kind === "legal") return this.#keep(service, service.held, verdict.pool);
      moved = verdict.sentence;
      const part = this.#keepPart(service, service.held, moved);
      if (part !== null) return part;
    }

    // Decided before and not yet seen in the status: the same again, so that nothing moves while a write is under way.
    const inFlight = this.ledger.claimOf(service.key)?.addresses ?? [];
    if (inFlight.length > 0 && service.requestProblem === null && !sameSet(inFlight, service.held ?? [])) {
      const verdict = this.#judge(service, inFlight);
      if (verdict.kind === "legal") {
        return { kind: "assign", addresses: inFlight, pool: verdict.pool.name, note: null, moved };
      }
    }

    const choice = this.#choose(service);
    if (choice.kind === "refused") return refuse(choice.refusals, moved);
    return { kind: "assign", addresses: choice.addresses, pool: choice.pool, note: null, moved };
  }

  /** May the Service go on holding these? */
  #judge(service: ServiceView, addresses: readonly Address[]): Verdict {
    if (!familiesFit(service, addresses)) return illegal(`the Service now needs ${familyText(service.families)}`);
    if (service.requested.length > 0 && !sameSet(service.requested, addresses)) {
      return illegal(`the Service asks for ${service.requestedAddresses.join(", ")}`);
    }
    return this.#judgePlace(service, addresses);
  }

  /** The same, of whatever families. */
  #judgePlace(service: ServiceView, addresses: readonly Address[]): Verdict {
    const pool = this.#poolOfAll(addresses);
    if (pool === undefined) {
      if (this.#belongsToLeftOut(service)) return { kind: "untouched" };
      return illegal(outsideRefusal(this.ledger, this.#order, addresses).sentence);
    }
    if (service.requestedPool !== null && service.requestedPool !== pool.name) {
      const texts = addresses.map(formatAddress).join(", ");
      return illegal(`${texts} is from pool ${pool.name}, and the Service asks for pool ${service.requestedPool}`);
    }
    const refusal = closedTo(pool, service) ?? this.#conflictRefusal(service, addresses, pool.name);
    return refusal === null ? { kind: "legal", pool } : illegal(refusal.sentence);
  }

  #keep(service: ServiceView, addresses: readonly Address[], pool: PoolView): Plan {
    const kept = { kind: "keep" as const, addresses, pool: pool.name };
    if (service.requestProblem !== null) return { ...kept, note: badRequest(service.requestProblem) };
    const missing = service.families.find((family) => !addresses.some((address) => address.family === family));
    if (service.dualStack !== "prefer" || missing === undefined || service.requested.length > 0) {
      return { ...kept, note: null };
    }
    // PreferDualStack: the second family is added when its pool has it; the first stays either way.
    const both = this.#completed(service, addresses, pool);
    if (both === null) return { ...kept, note: emptyRefusal(this.ledger, pool, [missing]) };
    return { kind: "assign", addresses: both, pool: pool.name, note: null, moved: null };
  }

  /**
   * Of addresses that may not stay together (the Service got or lost a family, the pool lost one), the one that is
   * still legal stays: completed in its pool, or alone where one is enough. The primary family is tried first.
   */
  #keepPart(service: ServiceView, addresses: readonly Address[], moved: string): Plan | null {
    if (service.requested.length > 0 || service.requestProblem !== null) return null;
    for (const family of service.families) {
      const part = addresses.filter((address) => address.family === family).slice(0, 1);
      const verdict: Verdict = part.length === 0 ? illegal("") : this.#judgePlace(service, part);
      if (verdict.kind !== "legal") continue;
      const { pool } = verdict;
      const whole = this.#completed(service, part, pool) ?? (familiesFit(service, part) ? part : null);
      if (whole === null) continue;
      const lost = addresses.some((address) => !whole.some((kept) => sameAddress(kept, address)));
      return { kind: "assign", addresses: whole, pool: pool.name, note: null, moved: lost ? moved : null };
    }
    return null;
  }

  /** The addresses with one of each family they lack, of the same pool; null when the pool has none to give. */
  #completed(service: ServiceView, addresses: readonly Address[], pool: PoolView): readonly Address[] | null {
    const claim = claimFor(service, []);
    // What is decided already and perhaps written, before anything lower: or each look would add another one.
    const inFlight = this.ledger.claimOf(service.key)?.addresses ?? [];
    const whole = [...addresses];
    for (const family of service.families) {
      if (addresses.some((address) => address.family === family)) continue;
      const own = inFlight.find((one) => one.family === family && this.ledger.poolOf(one) === pool);
      const isFree = own !== undefined && this.ledger.conflict(own, claim) === null;
      const address = isFree ? own : this.ledger.lowest(pool.name, family, claim);
      if (address === null) return null;
      whole.push(address);
    }
    return whole.toSorted(compareAddresses);
  }

  #choose(service: ServiceView): Choice {
    const refused = (...refusals: Refusal[]): Choice => ({ kind: "refused", refusals });
    if (service.requestProblem !== null) return refused(badRequest(service.requestProblem));
    if (this.#pools.size === 0 && this.#leftOut.size === 0) return refused(refusalOf(null, "no_pool"));
    const named = service.requestedPool === null ? undefined : this.#pools.get(service.requestedPool);
    if (service.requestedPool !== null && named === undefined) {
      return refused(unknownPoolRefusal(service.requestedPool, this.#leftOut));
    }
    if (service.requested.length > 0) return this.#chooseExactly(service, named);
    return this.#chooseFrom(service, named === undefined ? this.#order : [named], named !== undefined);
  }

  #chooseExactly(service: ServiceView, named: PoolView | undefined): Choice {
    const { requested } = service;
    const refused = (refusal: Refusal): Choice => ({ kind: "refused", refusals: [refusal] });
    if (!sameFamilies(requested, service.families)) {
      const asked = requested.map(formatAddress).join(", ");
      return refused(badRequest(`asks for ${asked}, but needs one address of each of ${familyText(service.families)}`));
    }
    const pool = this.#poolOfAll(requested);
    if (pool === undefined) return refused(outsideRefusal(this.ledger, this.#order, requested));
    if (named !== undefined && named !== pool) {
      const asked = requested.map(formatAddress).join(", ");
      return refused(badRequest(`asks for ${asked} of pool ${pool.name}, and for pool ${named.name}`));
    }
    const refusal = closedTo(pool, service) ?? this.#conflictRefusal(service, requested, pool.name);
    return refusal === null ? { kind: "chosen", addresses: requested, pool: pool.name } : refused(refusal);
  }

  /** Tries the sets of families in order of preference, each over all pools in order. */
  #chooseFrom(service: ServiceView, pools: readonly PoolView[], byName: boolean): Choice {
    const claim = claimFor(service, []);
    const [primary, secondary] = service.families;
    const wishes: (readonly Family[])[] = [service.families];
    if (service.dualStack === "prefer" && primary !== undefined && secondary !== undefined) {
      wishes.push([primary], [secondary]);
    }
    for (const wish of wishes) {
      for (const pool of pools) {
        if ((!byName && !pool.autoAssign) || closedTo(pool, service) !== null) continue;
        const addresses: Address[] = [];
        for (const family of wish) {
          const address = this.ledger.lowest(pool.name, family, claim);
          if (address !== null) addresses.push(address);
        }
        if (addresses.length === wish.length) {
          return { kind: "chosen", addresses: addresses.toSorted(compareAddresses), pool: pool.name };
        }
      }
    }
    const refusals = pools.map((pool) => {
      if (!byName && !pool.autoAssign) return refusalOf(pool.name, "auto_assign_off");
      return closedTo(pool, service) ?? emptyRefusal(this.ledger, pool, service.families);
    });
    return { kind: "refused", refusals: refusals.length > 0 ? refusals : [refusalOf(null, "no_pool")] };
  }

  #poolOfAll(addresses: readonly Address[]): PoolView | undefined {
    const [first] = addresses;
    const pool = first === undefined ? undefined : this.ledger.poolOf(first);
    return addresses.every((address) => this.ledger.poolOf(address) === pool) ? pool : undefined;
  }

  /** An address of a pool object that is invalid now is nobody's to clear; without annotation it might be one. */
  #belongsToLeftOut({ allocatedFrom, requestedPool }: ServiceView): boolean {
    if (this.#leftOut.size === 0) return false;
    if (requestedPool !== null && requestedPool !== allocatedFrom && allocatedFrom !== null) return false;
    return allocatedFrom === null || this.#leftOut.has(allocatedFrom);
  }

  #conflictRefusal(service: ServiceView, addresses: readonly Address[], pool: string): Refusal | null {
    const claim = claimFor(service, addresses);
    for (const address of addresses) {
      const conflict = this.ledger.conflict(address, claim);
      if (conflict !== null) return conflictRefusal(conflict, pool);
    }
    return null;
  }
}

function illegal(sentence: string): Verdict {
  return { kind: "illegal", sentence };
}

/** Takes over what a Service's status says, whoever gave it. */
export function observe(allocator: Allocator, service: ServiceView): void {
  if (service.isLoadBalancer && service.held !== null && service.held.length > 0) allocator.hold(service, service.held);
}
