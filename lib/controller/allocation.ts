import type { Service } from "#api/kubernetes";
import { byAge } from "#api/resources";
import type { Allocator } from "#core/allocate";
import type { Plan } from "#core/plan";
import { type ServiceView, toServiceView } from "#core/service-view";
import type { PoolConfig } from "./pool-config.ts";
import { Waiters } from "./waiters.ts";

export interface AllocationDeps {
  readonly allocator: Allocator;
  /** The Service as we know it best: cache and own writes. */
  readonly get: (key: string) => Service | undefined;
  /** Asks for a reconcile of the Service. */
  readonly enqueue: (key: string) => void;
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
    const views = services.toSorted(byAge).map(viewOf);
    const rest = views.filter((view) => {
      if (!view.isLoadBalancer || view.ingress.length === 0) return false;
      const plan = allocator.plan(view);
      if (plan.kind !== "keep" && !(plan.kind === "assign" && plan.moved === null)) return true;
      allocator.hold(view, view.held ?? []);
      return false;
    });
    // What statuses show without right stays closed until it is taken out of them.
    for (const view of rest) allocator.hold(view, [], "untilWritten");
    this.#deps.onUse();
  }

  configure(config: PoolConfig): void {
    this.#deps.allocator.setPools(config.pools, config.leftOut);
    this.#somethingFree = true;
    this.serveWaiters();
    this.#deps.onUse();
  }

  /** Decides on a Service and claims the outcome. Undefined when it is gone. */
  decide(key: string): Decision | undefined {
    this.serveWaiters();
    const service = this.#deps.get(key);
    if (service === undefined) {
      this.forget(key);
      return undefined;
    }
    const view = viewOf(service);
    const plan = this.#deps.allocator.plan(view);
    this.#claim(view, plan);
    return { service, view, plan };
  }

  /** To be called the moment a Service is known to be gone, or to be no LoadBalancer. */
  forget(key: string): void {
    this.waiters.remove(key);
    if (this.#deps.allocator.release(key)) this.#freed();
  }

  /** The status was written: what it no longer shows is free now. */
  confirm(service: Service): void {
    const view = viewOf(service);
    if (!view.isLoadBalancer) return;
    const claim = this.#deps.allocator.ledger.claimOf(view.key);
    if (claim !== undefined && this.#deps.allocator.hold(view, claim.addresses)) this.#freed();
  }

  /** A write was refused for good: the claim falls back to what the status says. */
  abandon(service: Service): void {
    if (this.#deps.allocator.hold(viewOf(service), [], "untilWritten")) this.#freed();
  }

  /** Gives what became free to those who wait. Runs before every decision, so that no newcomer overtakes. */
  serveWaiters(): void {
    if (!this.#somethingFree || this.#serving) return;
    this.#serving = true;
    this.#somethingFree = false;
    const { allocator, get, enqueue } = this.#deps;
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
      const view = viewOf(service);
      const plan = allocator.plan(view);
      if (plan.kind === "refuse") {
        refused.set(likeness, plan.sentence);
        if (plan.sentence !== sentence) enqueue(key);
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
        free = allocator.hold(view, [], "untilWritten");
        break;
      case "keep":
        free = allocator.hold(view, plan.addresses);
        break;
      case "assign":
        free = allocator.hold(view, plan.addresses, "untilWritten");
        break;
      case "refuse":
        free = allocator.hold(view, [], "untilWritten");
        this.waiters.add(view, plan.reason, plan.sentence);
        break;
    }
    if (plan.kind !== "refuse") this.waiters.remove(view.key);
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

const views = new WeakMap<Service, ServiceView>();

/** Objects of a cache never change, so each is read once. */
function viewOf(service: Service): ServiceView {
  const known = views.get(service);
  if (known !== undefined) return known;
  const view = toServiceView(service);
  views.set(service, view);
  return view;
}
