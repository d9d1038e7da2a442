import type { AllocationReason } from "#core/reasons";
import type { ServiceView } from "#core/service-view";

interface Waiter {
  readonly view: ServiceView;
  readonly reason: AllocationReason;
  readonly sentence: string;
  /** Equal for Services that the same pools serve or refuse alike. */
  readonly likeness: string;
}

/** Services without an address, in the order in which they are served: oldest first. */
export class Waiters {
  readonly #waiters = new Map<string, Waiter>();
  #sorted: readonly Waiter[] | null = null;

  add(view: ServiceView, reason: AllocationReason, sentence: string): void {
    const before = this.#waiters.get(view.key);
    // Only the age decides the order; a refusal that merely changed its words keeps the place.
    if (before === undefined || before.view.createdAt !== view.createdAt) this.#sorted = null;
    else if (this.#sorted !== null && before.sentence === sentence && before.view === view) return;
    else this.#sorted = null;
    this.#waiters.set(view.key, { view, reason, sentence, likeness: likenessOf(view) });
  }

  remove(key: string): void {
    if (this.#waiters.delete(key)) this.#sorted = null;
  }

  get size(): number {
    return this.#waiters.size;
  }

  oldestFirst(): readonly Waiter[] {
    this.#sorted ??= [...this.#waiters.values()].toSorted(byAge);
    return this.#sorted;
  }

  counts(): ReadonlyMap<AllocationReason, number> {
    const counts = new Map<AllocationReason, number>();
    for (const { reason } of this.#waiters.values()) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    return counts;
  }
}

function byAge(a: Waiter, b: Waiter): number {
  const [left, right] = [`${a.view.createdAt || "9"} ${a.view.key}`, `${b.view.createdAt || "9"} ${b.view.key}`];
  return left < right ? -1 : left > right ? 1 : 0;
}

function likenessOf(view: ServiceView): string {
  const { namespace, labels, requestedPool, requestedAddresses, families, dualStack, sharingKey } = view;
  const sharing = sharingKey === "" ? null : [sharingKey, view.backendKey, view.ports];
  return JSON.stringify([namespace, labels, requestedPool, requestedAddresses, families, dualStack, sharing]);
}
