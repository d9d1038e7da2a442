import { ageOf } from "#api/resources";
import type { AllocationReason } from "#core/reasons";
import type { ServiceView } from "#core/service-view";

export interface Waiter {
  readonly key: string;
  /** False for one that has an address and waits for a second. */
  readonly isPending: boolean;
  readonly reason: AllocationReason;
  readonly sentence: string;
  /** Equal for Services that the same pools serve or refuse alike. */
  readonly likeness: string;
  /** What waiters are sorted by. */
  readonly age: string;
}

/** Services without an address, or with one of two they would like, in the order in which they are served: oldest first. */
export class Waiters {
  readonly #waiters = new Map<string, Waiter>();
  /** Keys, oldest first; may name some that wait no longer. Null when somebody new came. */
  #order: readonly string[] | null = null;

  add(view: ServiceView, refusal: Pick<Waiter, "reason" | "sentence" | "isPending">): void {
    const { reason, sentence, isPending } = refusal;
    const age = ageOf(view.createdAt, view.key);
    if (this.#waiters.get(view.key)?.age !== age) this.#order = null;
    const likeness = likenessOf(view, isPending);
    this.#waiters.set(view.key, { key: view.key, isPending, reason, sentence, likeness, age });
  }

  remove(key: string): void {
    this.#waiters.delete(key);
  }

  oldestFirst(): readonly Waiter[] {
    this.#order ??= [...this.#waiters.values()].toSorted((a, b) => (a.age < b.age ? -1 : 1)).map(({ key }) => key);
    return this.#order.flatMap((key) => this.#waiters.get(key) ?? []);
  }

  /** Services without an address, by reason. */
  counts(): ReadonlyMap<AllocationReason, number> {
    const counts = new Map<AllocationReason, number>();
    for (const { reason, isPending } of this.#waiters.values())
      if (isPending) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    return counts;
  }
}

function likenessOf(view: ServiceView, isPending: boolean): string {
  const { namespace, labels, requestedPool, requestedAddresses, requestProblem, families, dualStack } = view;
  const sharing = view.sharingKey === "" ? null : [view.sharingKey, view.backendKey, view.ports];
  return JSON.stringify([
    namespace,
    labels,
    requestedPool,
    requestedAddresses,
    requestProblem,
    families,
    dualStack,
    sharing,
    isPending ? null : view.ingress,
  ]);
}
