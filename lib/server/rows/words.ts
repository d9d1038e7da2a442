import type { AllocationReason, AnnounceReason } from "#core/reasons";

/** At most four words beside the status chip. */
export const ALLOCATION_CAUSE = {
  satisfied: "",
  no_pool: "No pool",
  pool_not_found: "Unknown pool",
  auto_assign_off: "No automatic pool",
  selector_mismatch: "No matching pool",
  namespace_not_allowed: "Namespace not allowed",
  exhausted: "Pool full",
  family_unavailable: "Family not available",
  outside_pools: "Address outside pools",
  already_assigned: "Address taken",
  port_conflict: "Port taken",
  sharing_key_conflict: "Sharing key differs",
  backend_conflict: "Different pods",
  held: "Address held",
  invalid_request: "Invalid request",
  class_not_ours: "Other controller",
} as const satisfies Record<AllocationReason, string>;

export const ANNOUNCE_CAUSE = {
  announced: "",
  not_load_balancer: "Not a LoadBalancer",
  no_address: "No address",
  invalid_address: "Invalid address",
  address_not_in_pool: "Address outside pools",
  no_serving_endpoint: "No ready pods",
  no_matching_advertisement: "No advertisement",
  shared_address_with_service_selector: "Selector, shared address",
  node_not_selected: "No node selected",
  network_unavailable: "Network unavailable",
  excluded_by_label: "Nodes excluded",
  no_local_endpoint: "No local pod",
  speaker_not_ready: "No speaker ready",
  no_usable_interface: "No usable interface",
  not_elected: "Not elected",
  no_candidate: "No candidate node",
} as const satisfies Record<AnnounceReason, string>;

/** A clause of core's as a sentence. Names keep their case: only our own words begin with a capital. */
export function sentence(before: string, clause: string): string {
  return `${before}${clause.replace(/\.$/, "")}.`;
}

/** Names as one list; of more than a screen can hold, the first few. */
export function listed(names: readonly string[], most = 5): string {
  if (names.length <= most) return names.join(", ");
  return `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
