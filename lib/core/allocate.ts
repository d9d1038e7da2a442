/** Which address a Service should hold (metallb.md 2.2 and 3, repaired). Deterministic: the same input, the same plan. */
import { type Address, compareAddresses, formatAddress, sameAddress } from "./address.ts";
import { choose, conflictAmong, heldBack, poolOfAll, type Supply } from "./choose.ts";
import type { HoldView } from "./holds.ts";
import { Ledger } from "./ledger.ts";
import { byPreference, claimFor, familiesFit, impossibleFamilies, type Plan, refuse, sameSet } from "./plan.ts";
import type { PoolView } from "./pools.ts";
import {
  badRequest,
  closedTo,
  emptyRefusal,
  familyText,
  heldRefusal,
  outsideRefusal,
  type Refusal,
  refusalOf,
  summaryOf,
} from "./refusals.ts";
import type { ServiceView } from "./service-view.ts";

type Verdict =
  | { readonly kind: "legal"; readonly pool: PoolView }
  | { readonly kind: "untouched" }
  | { readonly kind: "illegal"; readonly sentence: string };

/** What one instance is told for good. */
interface AllocatorOptions {
  /** Serve Services of this loadBalancerClass only; without it, only those without class. */
  readonly lbClass?: string | undefined;
}

/**
 * Pools, claims, and the plan for each Service. `plan` only reads; `hold` and `release` record what was decided or
 * observed, so that a decision taken and held in one step can never be given to two.
 *
 * Guarantees, in order of precedence: an address that is still legal is kept, held back meanwhile or not, but for one
 * that another machine uses and nobody asked for; no other address that is held back is given out; a requested address
 * is granted or refused, never swapped; otherwise the lowest free or shareable address of the first pool that can serve.
 */
export class Allocator {
  readonly ledger = new Ledger();
  readonly #lbClass: string | null;
  #supply: Supply = this.#supplyOf([], new Set());

  constructor(options: AllocatorOptions = {}) {
    this.#lbClass = options.lbClass || null;
  }

  get pools(): readonly PoolView[] {
    return this.#supply.order;
  }

  /**
   * `leftOut`: names of pool objects that exist but are invalid and have no valid version in force. Answers with the
   * keys of those Services that have what they ask for and whose plan may be another one now; null: of any.
   */
  setPools(pools: readonly PoolView[], leftOut: ReadonlySet<string> = new Set()): ReadonlySet<string> | null {
    // An address that no pool in force owns belongs to one of these, as far as anybody can say.
    const before = this.#supply.leftOut;
    const isSame = before.size === leftOut.size && [...before].every((name) => leftOut.has(name));
    const concerned = this.ledger.setPools(pools);
    this.#supply = this.#supplyOf(pools, leftOut);
    return isSame ? concerned : null;
  }

  /** AddressHolds that hold now: none of their addresses is given out to a Service that has it not in its status. */
  setHolds(holds: readonly HoldView[]): void {
    this.ledger.setHolds(holds);
    this.#supply = this.#supplyOf(this.#supply.order, this.#supply.leftOut);
  }

  #supplyOf(pools: readonly PoolView[], leftOut: ReadonlySet<string>): Supply {
    const { ledger } = this;
    const order = pools.toSorted(byPreference);
    const roomy = { 4: ledger.roomAmong(order, 4), 6: ledger.roomAmong(order, 6) };
    return { ledger, pools: new Map(pools.map((pool) => [pool.name, pool])), leftOut, order, roomy };
  }

  /**
   * Records that the Service holds the addresses. Those it gives up, in its status or promised by a write of which
   * nobody knows yet, stay closed to others as long as `untilWritten` says that the status is still to be written.
   * True when something became available.
   */
  hold(
    service: ServiceView,
    addresses: readonly Address[],
    untilWritten: "confirmed" | "untilWritten" = "confirmed",
  ): boolean {
    if (untilWritten === "confirmed") return this.ledger.claim(claimFor(service, addresses));
    const { addresses: promised = [], leaving = [] } = this.ledger.claimOf(service.key) ?? {};
    return this.#claimAll(service, addresses, [...(service.held ?? []), ...promised, ...leaving]);
  }

  /** Records that the Service holds nothing but what its status shows, and that not for long. As `hold`. */
  holdShown(service: ServiceView): boolean {
    return this.#claimAll(service, [], service.held ?? []);
  }

  #claimAll(service: ServiceView, addresses: readonly Address[], others: readonly Address[]): boolean {
    const claim = claimFor(service, addresses);
    const leaving: Address[] = [];
    for (const address of others) {
      if ([...addresses, ...leaving].some((known) => sameAddress(known, address))) continue;
      if (this.ledger.conflict(address, claim) === null) leaving.push(address);
    }
    return this.ledger.claim(leaving.length === 0 ? claim : { ...claim, leaving });
  }

  /** Forgets what a Service ("namespace/name") holds. True when something became available to others. */
  release(key: string): boolean {
    return this.ledger.release(key);
  }

  /** The first address in its status that another machine uses, as an AddressHold says; null when there is none. */
  conflictOf({ held }: ServiceView): { readonly address: Address; readonly hold: HoldView } | null {
    for (const address of held ?? []) {
      const hold = this.ledger.holdOf(address);
      if (hold?.reason === "conflict") return { address, hold };
    }
    return null;
  }

  /** `mayLeave`: another address may be given for one that another machine uses (`conflictOf`). */
  plan(service: ServiceView, mayLeave: "mayLeave" | "stays" = "stays"): Plan {
    if (!service.isLoadBalancer) return { kind: "release" };
    if (service.loadBalancerClass !== this.#lbClass) {
      const facts = { loadBalancerClass: service.loadBalancerClass ?? "" };
      return { kind: "ignore", refusal: refusalOf(null, "class_not_ours", facts) };
    }
    if (service.clusterIPProblem !== null) return this.#unreadable(service, badRequest(service.clusterIPProblem));
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
      if (verdict.kind === "legal") {
        const { pool } = verdict;
        return this.#leave(service, service.held, pool, mayLeave) ?? this.#keep(service, service.held, pool);
      }
      moved = verdict.sentence;
      const part = this.#keepPart(service, service.held, moved);
      if (part !== null) return part;
    }

    // Decided before and not yet seen in the status: the same again, so that nothing moves while a write is under way.
    const inFlight = this.ledger.claimOf(service.key)?.addresses ?? [];
    const isNew = inFlight.length > 0 && !sameSet(inFlight, service.held ?? []);
    if (isNew && service.requestProblem === null && heldBack(this.#supply, service, inFlight) === null) {
      const verdict = this.#judge(service, inFlight);
      if (verdict.kind === "legal") {
        return { kind: "assign", addresses: inFlight, pool: verdict.pool.name, note: null, moved };
      }
    }

    const choice = choose(this.#supply, service);
    if (choice.kind === "refused") return refuse(choice.refusals, moved);
    return { kind: "assign", addresses: choice.addresses, pool: choice.pool, note: null, moved };
  }

  /**
   * What becomes of addresses of which another machine uses one; null when none does. Addresses that were asked for
   * stay; of two, the one in order stays.
   */
  #leave(service: ServiceView, held: readonly Address[], pool: PoolView, mayLeave: "mayLeave" | "stays"): Plan | null {
    const conflict = this.conflictOf(service);
    if (conflict === null || service.requestProblem !== null) return null;
    const refusal = heldRefusal(conflict.hold, conflict.address, pool.name);
    const stay = (why: string): Plan => {
      const note = { ...refusal, sentence: `${refusal.sentence}; it stays: ${why}` };
      return { kind: "keep", addresses: held, pool: pool.name, note };
    };
    if (service.requested.length > 0) return stay("the Service asks for it");
    const assign = (addresses: readonly Address[], from: string): Plan => {
      return { kind: "assign", addresses, pool: from, note: null, moved: refusal.sentence };
    };
    const inFlight = this.ledger.claimOf(service.key)?.addresses ?? [];
    const isUnderWay = !sameSet(inFlight, held) && heldBack(this.#supply, service, inFlight) === null;
    const verdict: Verdict = isUnderWay ? this.#judge(service, inFlight) : illegal("");
    if (verdict.kind === "legal") return assign(inFlight, verdict.pool.name);
    if (mayLeave === "stays") return stay("few Services may move in a minute");
    const rest = held.filter((address) => this.ledger.holdOf(address)?.reason !== "conflict");
    if (rest.length > 0) {
      const whole = this.#completed(service, rest, pool);
      return whole === null ? stay(`pool ${pool.name} has no other`) : assign(whole, pool.name);
    }
    const choice = choose(this.#supply, service);
    return choice.kind === "chosen" ? assign(choice.addresses, choice.pool) : stay(summaryOf(choice.refusals).sentence);
  }

  /** Which families it needs cannot be said: what it has stays (metallb.md 2.2, step 6). */
  #unreadable(service: ServiceView, note: Refusal): Plan {
    const { held } = service;
    if (held === null || held.length === 0) return refuse([note], null);
    return { kind: "keep", addresses: held, pool: poolOfAll(this.#supply, held)?.name ?? service.allocatedFrom, note };
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
    const pool = poolOfAll(this.#supply, addresses);
    if (pool === undefined) {
      const isOutside = addresses.some((address) => this.ledger.poolOf(address) === undefined);
      if (isOutside && this.#belongsToLeftOut(service)) return { kind: "untouched" };
      return illegal(outsideRefusal(this.ledger, this.#supply.order, addresses).sentence);
    }
    if (service.requestedPool !== null && service.requestedPool !== pool.name) {
      const texts = addresses.map(formatAddress).join(", ");
      return illegal(`${texts} is from pool ${pool.name}, and the Service asks for pool ${service.requestedPool}`);
    }
    const refusal = closedTo(pool, service) ?? conflictAmong(this.#supply, service, addresses, pool.name);
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
    if (service.requested.length > 0) return null;
    const { requestProblem } = service;
    const note = requestProblem === null ? null : badRequest(requestProblem);
    for (const family of service.families) {
      const part = addresses.filter((address) => address.family === family).slice(0, 1);
      const verdict: Verdict = part.length === 0 ? illegal("") : this.#judgePlace(service, part);
      if (verdict.kind !== "legal") continue;
      const { pool } = verdict;
      // Nothing is given to a request that cannot be read, and nothing taken from it.
      const completed = note === null ? this.#completed(service, part, pool) : null;
      const whole = completed ?? (familiesFit(service, part) ? part : null);
      if (whole === null) continue;
      const lost = addresses.some((address) => !whole.some((kept) => sameAddress(kept, address)));
      return { kind: "assign", addresses: whole, pool: pool.name, note, moved: lost ? moved : null };
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
      const isFree =
        own !== undefined && this.ledger.conflict(own, claim) === null && this.ledger.holdOf(own) === undefined;
      const address = isFree ? own : this.ledger.lowest(pool.name, family, claim);
      if (address === null) return null;
      whole.push(address);
    }
    return whole.toSorted(compareAddresses);
  }

  /** An address of a pool object that is invalid now is nobody's to clear; without annotation it might be one. */
  #belongsToLeftOut({ allocatedFrom, requestedPool }: ServiceView): boolean {
    const { leftOut } = this.#supply;
    if (leftOut.size === 0) return false;
    if (requestedPool !== null && requestedPool !== allocatedFrom && allocatedFrom !== null) return false;
    return allocatedFrom === null || leftOut.has(allocatedFrom);
  }
}

function illegal(sentence: string): Verdict {
  return { kind: "illegal", sentence };
}
