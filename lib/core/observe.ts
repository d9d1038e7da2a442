import type { Allocator } from "./allocate.ts";
import { occupied } from "./claim.ts";
import type { Ledger } from "./ledger.ts";
import { claimFor } from "./plan.ts";
import type { ServiceView } from "./service-view.ts";

/** Takes over what a Service's status says, whoever gave it. */
export function observe(allocator: Allocator, service: ServiceView): void {
  if (service.isLoadBalancer && service.held !== null && service.held.length > 0) allocator.hold(service, service.held);
}

/**
 * Takes over with whom the Service may share what it occupies, before anything is decided on it or on others: nobody is
 * to move in with what it was a moment ago. Where it does not fit beside who is there already, it stays what it was,
 * until its own plan says who goes. True when something became available to others.
 */
export function restate(ledger: Ledger, service: ServiceView): boolean {
  const before = ledger.claimOf(service.key);
  if (before === undefined) return false;
  const now = { ...claimFor(service, before.addresses), leaving: before.leaving };
  return occupied(now).every((address) => ledger.conflict(address, now) === null) && ledger.claim(now);
}
