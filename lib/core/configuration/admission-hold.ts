import { rangeContains } from "../address.ts";
import { compileHold, type HoldInput, type HoldView } from "../holds.ts";
import { type ServiceLike, serviceView } from "../service-view.ts";
import { bounded, remarkText, type Verdict } from "./admission.ts";

/**
 * What is to be said about a hold that is made or changed (`before` is what it said until now). Wrong holds are
 * refused, unless it was as wrong before; warned of are those that hold nothing any more, and addresses that are in use.
 */
export function admitHold(
  hold: HoldInput,
  before: HoldInput | null,
  context: { readonly services: readonly ServiceLike[]; readonly now: number },
): Verdict {
  const { view, problems } = compileHold(hold);
  if (view === null) {
    const isUntouched = before !== null && JSON.stringify(before) === JSON.stringify(hold);
    return isUntouched ? { errors: [], warnings: problems.map(remarkText) } : { errors: problems, warnings: [] };
  }
  if (view.expiresAt !== null && view.expiresAt <= context.now) {
    return { errors: [], warnings: ["spec.expiry: this time is past, so nothing is held; write a later one"] };
  }
  const uses = context.services.flatMap((service) => useOf(service, view));
  return { errors: [], warnings: bounded(uses.toSorted(), "more Services") };
}

function useOf(service: ServiceLike, { ranges }: HoldView): readonly string[] {
  if (service.spec?.type !== "LoadBalancer") return [];
  const { key, held, ingress } = serviceView(service);
  const address = held?.findIndex((one) => ranges.some((range) => rangeContains(range, one))) ?? -1;
  if (address < 0) return [];
  return [`${ingress[address]} is in use: ${key} keeps it, and nobody gets it afterwards`];
}
