/**
 * Why a Service has, or has not, an address. The closed list of design.md
 * section 6; it reaches log, condition, metric label, Event and screen unchanged.
 */
export const ALLOCATION_REASONS = [
  "satisfied",
  "no_pool",
  "pool_not_found",
  "auto_assign_off",
  "selector_mismatch",
  "namespace_not_allowed",
  "exhausted",
  "family_unavailable",
  "outside_pools",
  "already_assigned",
  "port_conflict",
  "sharing_key_conflict",
  "backend_conflict",
  "held",
  "invalid_request",
  "class_not_ours",
] as const;
/** One of `ALLOCATION_REASONS`. */
export type AllocationReason = (typeof ALLOCATION_REASONS)[number];

/**
 * Why a node does not announce an address (metallb.md 6.1 and 6.2 in our
 * spelling, plus the facts upstream only logs). `announced` is the one success.
 */
export const ANNOUNCE_REASONS = [
  "announced",
  "not_load_balancer",
  "no_address",
  "invalid_address",
  "address_not_in_pool",
  "no_serving_endpoint",
  "no_matching_advertisement",
  "shared_address_with_service_selector",
  "node_not_selected",
  "network_unavailable",
  "excluded_by_label",
  "no_local_endpoint",
  "speaker_not_ready",
  "no_usable_interface",
  "not_elected",
  "no_candidate",
] as const;
/** One of `ANNOUNCE_REASONS`. */
export type AnnounceReason = (typeof ANNOUNCE_REASONS)[number];

/** Why a legal request or solicitation was not answered (metallb.md 6.5). */
const DROP_REASONS = [
  "arp_reply",
  "ethernet_destination",
  "not_announced",
  "interface_not_allowed",
  "no_source_link_layer",
] as const;
/** One of `DROP_REASONS`. */
export type DropReason = (typeof DROP_REASONS)[number];

/** Who holds an address back: a person, or a speaker that heard another machine answer for it. */
export const HOLD_REASONS = ["reserved", "conflict"] as const;
/** One of `HOLD_REASONS`. */
export type HoldReason = (typeof HOLD_REASONS)[number];

/** What has become of an AddressHold; only an active one holds. */
export const HOLD_STATES = ["Active", "Expired", "Invalid"] as const;

/** `pool_not_found` → `PoolNotFound`: the spelling Kubernetes asks of a condition's reason. */
export function conditionReason(reason: AllocationReason | AnnounceReason): string {
  return reason
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}
