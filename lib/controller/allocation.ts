import type { Service } from "#api/kubernetes/services";
import { byAge } from "#api/resources";
import type { Allocator } from "#core/allocate";
import type { HoldView } from "#core/holds";
import { restate } from "#core/observe";
import type { Plan } from "#core/plan";
import { type ServiceView, serviceView } from "#core/service-view";
import type { MoveBudget } from "./move-budget.ts";
import type { PoolConfig } from "./pool-config.ts";
import { type Waiter, Waiters } from "./waiters.ts";

interface AllocationDeps {
  readonly allocator: Allocator;
  /** The Service as we know it best: cache and own writes. */
  readonly get: (key: string) => Service | undefined;
  /** Asks for a reconcile of the Service. */
  readonly enqueue: (key: string) => void;
  /** How many may leave an address that another machine uses. */
  readonly moves: MoveBudget;
  /** What is in use changed (pool status follows). */
  readonly onUse: () => void;
}

export interface Decision {
  readonly service: Service;
  readonly view: ServiceView;
  readonly plan: Plan;
}

/**
 * Where decisions are taken and claimed, in one synchronous step each: two
 * Services can never be promised one address, however many writes are under way.
 *
 * An address is free for others when its Service is gone or no LoadBalancer
 * any more (at once), or when the status that no longer shows it is written
 * (`confirm`). Whoever waits is served then, oldest first, before any newcomer.
 */
export class Allocation {
  readonly waiters = new Waiters();
  /** Decided, and not yet known to be written. */
  readonly #inFlight = new Set<string>();
  readonly #deps: AllocationDeps;
  #somethingFree = false;
  #serving = false;

  constructor(deps: AllocationDeps) {
    this.#deps = deps;
  }

  /** Takes over what the statuses say, older Services first, before anything new is given out. */
  adopt(services: readonly Service[], config: PoolConfig): void {
    const { allocator } = this.#deps;
    allocator.setPools(config.pools, config.leftOut);
    const views = services.toSorted(byAge).map(serviceView);
    const rest = views.filter((view) => {
      if (!view.isLoadBalancer || view.ingress.length === 0) return false;
      const plan = allocator.plan(view);
      if (plan.kind !== "keep" && !(plan.kind === "assign" && plan.moved === null)) return true;
      allocator.hold(view, view.held ?? []);
      return false;
    });
    // What statuses show without right stays closed until it is taken out of them.
    for (const view of rest) allocator.holdShown(view);
    this.#deps.onUse();
  }

  /**
   * Takes over the pools in force and serves whoever waits. To be decided on again are the Services of these keys only,
   * not the others, whatever their number; null: all of them.
   */
  configure(config: PoolConfig): ReadonlySet<string> | null {
    const concerned = this.#deps.allocator.setPools(config.pools, config.leftOut);
    this.#somethingFree = true;
    this.serveWaiters();
    this.#deps.onUse();
    return concerned;
  }

  /**
   * Takes over which addresses are held back; whoever waited for one of the others is served, and whoever of `services`
   * has one that another machine uses, or no longer uses, is decided on again.
   */
  setHolds(holds: readonly HoldView[], services: readonly Service[]): void {
    const { allocator, enqueue } = this.#deps;
    const inConflict = () => services.map(serviceView).filter((view) => allocator.conflictOf(view) !== null);
    const before = inConflict();
    allocator.setHolds(holds);
    for (const { key } of [...before, ...inConflict()]) enqueue(key);
    this.#somethingFree = true;
    this.serveWaiters();
  }

  /** Decides on a Service and claims the outcome. Undefined when it is gone. */
  decide(key: string): Decision | undefined {
    this.serveWaiters();
    const service = this.#deps.get(key);
    if (service === undefined) {
      this.forget(key);
      return undefined;
    }
    const view = serviceView(service);
    const plan = this.#plan(view);
    this.#claim(view, plan);
    return { service, view, plan };
  }

  #plan(view: ServiceView): Plan {
    const { allocator, moves } = this.#deps;
    if (allocator.conflictOf(view) === null) return allocator.plan(view);
    const isUnderWay = this.#inFlight.has(view.key);
    const plan = allocator.plan(view, isUnderWay || moves.allows(view.key) ? "mayLeave" : "stays");
    if (plan.kind === "assign" && !isUnderWay) moves.take();
    return plan;
  }

  /** Services whose address is decided and not yet written. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** To be called the moment a Service is known to have changed: whoever is decided on before it must see that. */
  see(key: string): void {
    const service = this.#deps.get(key);
    if (service !== undefined && restate(this.#deps.allocator.ledger, serviceView(service))) this.#freed();
  }

  /** To be called the moment a Service is known to be gone, or to be no LoadBalancer. */
  forget(key: string): void {
    this.#inFlight.delete(key);
    this.waiters.remove(key);
    if (this.#deps.allocator.release(key)) this.#freed();
  }

  /** The status was written: what it no longer shows is free now. */
  confirm(service: Service): void {
    const view = serviceView(service);
    this.#inFlight.delete(view.key);
    if (!view.isLoadBalancer) return;
    const claim = this.#deps.allocator.ledger.claimOf(view.key);
    if (claim !== undefined && this.#deps.allocator.hold(view, claim.addresses)) this.#freed();
  }

  /** A write was refused for good: the claim falls back to what the status says. */
  abandon(service: Service): void {
    if (this.#deps.allocator.holdShown(serviceView(service))) this.#freed();
  }

  /** Gives what became free to those who wait. Runs before every decision, so that no newcomer overtakes. */
  serveWaiters(): void {
    if (!this.#somethingFree || this.#serving) return;
    this.#serving = true;
    this.#somethingFree = false;
    const { get, enqueue } = this.#deps;
    const refused = new Map<string, string>();
    for (const { key, likeness, sentence } of this.waiters.oldestFirst()) {
      const known = refused.get(likeness);
      if (known !== undefined) {
        if (known !== sentence) enqueue(key);
        continue;
      }
      const service = get(key);
      if (service === undefined) {
        // Its deletion is known here first.
        this.forget(key);
        continue;
      }
      const view = serviceView(service);
      const plan = this.#plan(view);
      const refusal = refusalIn(plan);
      if (refusal !== null) {
        refused.set(likeness, refusal.sentence);
        if (refusal.sentence !== sentence) enqueue(key);
        continue;
      }
      this.#claim(view, plan);
      enqueue(key);
    }
    this.#serving = false;
  }

  #claim(view: ServiceView, plan: Plan): void {
    const { allocator, onUse } = this.#deps;
    let free: boolean;
    switch (plan.kind) {
      case "release":
        free = allocator.release(view.key);
        break;
      case "ignore":
        // Not ours to change, but ours to respect: nobody else gets what it shows, unless somebody has it already.
        free = allocator.holdShown(view);
        break;
      case "keep":
        free = allocator.hold(view, plan.addresses);
        break;
      case "assign":
        free = allocator.hold(view, plan.addresses, "untilWritten");
        break;
      case "refuse":
        free = allocator.hold(view, [], "untilWritten");
        break;
    }
    const refusal = refusalIn(plan);
    if (refusal === null) this.waiters.remove(view.key);
    else this.waiters.add(view, refusal);
    if (plan.kind === "assign") this.#inFlight.add(view.key);
    else this.#inFlight.delete(view.key);
    if (free) this.#freed();
    onUse();
  }

  #freed(): void {
    this.#somethingFree = true;
    this.#deps.onUse();
    // After the step that freed it, so that several releases in a row are one round of serving.
    queueMicrotask(() => this.serveWaiters());
  }
}

/** What a Service goes on waiting for: any address, or a second one; null when it has what it asks for. */
function refusalIn(plan: Plan): Pick<Waiter, "reason" | "sentence" | "isPending"> | null {
  if (plan.kind === "refuse") return { reason: plan.reason, sentence: plan.sentence, isPending: true };
  if (plan.kind !== "keep" || plan.note === null) return null;
  return { reason: plan.note.reason, sentence: plan.note.sentence, isPending: false };
}
