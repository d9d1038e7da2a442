import { conditionOf } from "#api/conditions";
import type { Service } from "#api/kubernetes/services";
import { CONDITION } from "#api/names";
import { canonicalText, formatAddress } from "#core/address";
import type { Plan } from "#core/plan";
import type { ServiceView } from "#core/service-view";

interface ServiceEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

/** The Events that a write of a Service is worth, with upstream's reasons (metallb.md 2.4); none when nothing changed. */
export function serviceEvents(change: {
  readonly view: ServiceView;
  readonly plan: Plan;
  readonly before: Service;
  readonly after: Service;
}): readonly ServiceEvent[] {
  const { view, plan, before, after } = change;
  const [was, is] = [before, after].map((service) =>
    conditionOf(service.status?.conditions, CONDITION.addressAssigned),
  );
  const said = was?.status !== is?.status || was?.reason !== is?.reason || was?.message !== is?.message;
  const changed = said || ingressText(before) !== ingressText(after);
  if (plan.kind === "release" || plan.kind === "ignore" || !changed) return [];
  // A Service that has no cluster IP yet is nobody's mistake.
  if (plan.kind === "refuse" && view.families.length === 0 && view.clusterIPProblem === null) return [];
  const events: ServiceEvent[] = [];
  const unreadable = ingressProblem(view);
  if (unreadable !== null) events.push(warning("nolbIPsIPFamily", unreadable));
  if (plan.kind !== "keep" && plan.moved !== null) {
    const kept = plan.kind === "assign" ? plan.addresses.map(formatAddress) : [];
    const lost = view.ingress.filter((text) => !kept.includes(canonicalText(text)));
    events.push(normal("ClearAssignment", `${lost.join(", ")} given up: ${plan.moved}`));
  }
  if (plan.kind === "assign") {
    events.push(
      normal("IPAllocated", `Assigned IP ${JSON.stringify(plan.addresses.map(formatAddress)).replaceAll(",", " ")}`),
    );
  } else if (plan.kind === "refuse") {
    const tooFew = plan.reason === "family_unavailable" && view.dualStack === "require" && view.families.length < 2;
    const reason = tooFew
      ? "not enough clusterips"
      : view.clusterIPProblem === null
        ? "AllocationFailed"
        : "noclusterIPsIPFamily";
    const message = `Failed to allocate IP for ${JSON.stringify(view.key)}: ${plan.sentence}`;
    events.push(warning(reason, message));
  }
  if (plan.kind !== "refuse" && plan.note !== null) {
    const { reason, sentence } = plan.note;
    if (view.clusterIPProblem !== null) events.push(warning("noclusterIPsIPFamily", sentence));
    else if (reason === "held") events.push(warning("AddressConflict", sentence));
    else if (reason === "invalid_request") events.push(warning("LoadBalancerFailed", sentence));
    else events.push(normal("AdditionalAssignFailed", sentence));
  }
  if (view.deprecatedAnnotations.length > 0) {
    const keys = view.deprecatedAnnotations.join(", ");
    events.push(
      warning("deprecatedAnnotation", `Service uses deprecated annotations, write them with metallb.io/: ${keys}`),
    );
  }
  return events;
}

function ingressText(service: Service): string {
  return (service.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? "").join();
}

/** What keeps the addresses in the status from being read as one per family, in words. */
function ingressProblem({ ingress, held }: ServiceView): string | null {
  const families = new Set(held?.map(({ family }) => family));
  if (held !== null && families.size === held.length) return null;
  return `${ingress.join(", ")} in the status cannot be read as one address of each family`;
}

function normal(reason: string, message: string): ServiceEvent {
  return { type: "Normal", reason, message };
}

function warning(reason: string, message: string): ServiceEvent {
  return { type: "Warning", reason, message };
}
