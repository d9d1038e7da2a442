/** Reason codes as the sentences people read: in `kubectl describe`, in Events and on the screen, word for word the same. */
import { unreachable } from "./errors.ts";
import type { HoldView } from "./holds.ts";
import type { AllocationReason, AnnounceReason } from "./reasons.ts";

/** What a sentence may name. Missing facts leave a sentence general, never broken. */
interface RefusalFacts {
  readonly pool?: string | undefined;
  readonly address?: string | undefined;
  readonly namespace?: string | undefined;
  /** "namespace/name" of the Service that is in the way. */
  readonly holder?: string | undefined;
  /** "TCP/80" */
  readonly port?: string | undefined;
  /** "IPv6", "IPv4 and IPv6" */
  readonly family?: string | undefined;
  readonly inUse?: bigint | number | undefined;
  readonly total?: bigint | number | undefined;
  /** Addresses held back by AddressHolds, on top of those in use. */
  readonly heldBack?: bigint | number | undefined;
  /** The AddressHold in the way. */
  readonly hold?: Pick<HoldView, "name" | "reason" | "note" | "mac" | "node"> | undefined;
  readonly loadBalancerClass?: string | undefined;
  /** Overrides the general text where only the case knows the words (invalid_request). */
  readonly detail?: string | undefined;
}

/** One sentence without full stop; begins with the pool it is about, where there is one. */
export function explain(reason: AllocationReason, facts: RefusalFacts = {}): string {
  const inPool = facts.pool === undefined ? "" : `${facts.pool}: `;
  const address = facts.address ?? "the address";
  const holder = facts.holder ?? "another Service";
  switch (reason) {
    case "satisfied":
      return facts.pool === undefined ? address : `${address} from pool ${facts.pool}`;
    case "no_pool":
      return "there is no address pool";
    case "pool_not_found":
      return `there is no pool named ${facts.pool ?? "like that"}`;
    case "auto_assign_off":
      return `${inPool}gives addresses only on request (autoAssign is off)`;
    case "selector_mismatch":
      return `${inPool}its serviceSelectors do not match the labels of the Service`;
    case "namespace_not_allowed":
      return `${inPool}${facts.namespace === undefined ? "the namespace is" : `namespace ${facts.namespace}`} not allowed`;
    case "exhausted": {
      const family = facts.family === undefined ? "" : ` of ${facts.family}`;
      if (facts.total === undefined) return `${inPool}exhausted${family}`;
      const held = facts.heldBack === undefined ? "" : `, ${facts.heldBack} held`;
      return `${inPool}exhausted${family} (${facts.inUse ?? facts.total} of ${facts.total} in use${held})`;
    }
    case "family_unavailable":
      return facts.detail ?? `${inPool}has no ${facts.family ?? "such"} addresses`;
    case "outside_pools":
      return facts.detail ?? `${address} is outside every pool`;
    case "already_assigned":
      return `${address} is already assigned to ${holder}`;
    case "port_conflict":
      return `${address} is shared with ${holder}, which already uses port ${facts.port ?? "number"}`;
    case "sharing_key_conflict":
      return `${address} is shared by ${holder} under another allow-shared-ip key`;
    case "backend_conflict":
      return `${address} is shared with ${holder}: with externalTrafficPolicy Local both must select the same pods`;
    case "held":
      return facts.hold === undefined ? `${address} is held and not given out` : `${address} ${heldBy(facts.hold)}`;
    case "invalid_request":
      return facts.detail ?? "the request cannot be read";
    case "class_not_ours":
      return `loadBalancerClass ${JSON.stringify(facts.loadBalancerClass ?? "")} belongs to another load balancer`;
    default:
      return unreachable(reason);
  }
}

/** Continues "<address> …". */
function heldBy({ name, reason, note, mac, node }: NonNullable<RefusalFacts["hold"]>): string {
  const why = note === "" ? "" : ` (${note})`;
  if (reason === "reserved") return `is reserved by AddressHold ${name}${why}`;
  const seen = node === "" ? "" : `, seen by ${node}`;
  return `is set aside by AddressHold ${name}: ${mac === "" ? "another machine" : mac} answers for it${seen}${why}`;
}

/** "production: …; spare: …": one text for a list of refusals. */
export function joinSentences(sentences: readonly string[]): string {
  return sentences.join("; ");
}

/** What a sentence about announcing may name; without `node` it speaks of the Service as a whole. */
interface AnnounceFacts {
  readonly node?: string | undefined;
  readonly address?: string | undefined;
  readonly pool?: string | undefined;
  readonly interfaces?: readonly string[] | null | undefined;
}

/** Why a node (or, without `facts.node`, nobody) announces, or that it does. */
export function explainAnnounce(reason: AnnounceReason, facts: AnnounceFacts = {}): string {
  const node = facts.node;
  const address = facts.address ?? "the address";
  const subject = node ?? "every node";
  switch (reason) {
    case "announced": {
      const on = facts.interfaces == null ? "" : ` on ${facts.interfaces.join(", ")}`;
      return `${address} is announced by ${node ?? "a node"}${on}`;
    }
    case "not_load_balancer":
      return "the Service is not of type LoadBalancer";
    case "no_address":
      return "the Service has no address yet";
    case "invalid_address":
      return `${address} is not an IP address`;
    case "address_not_in_pool":
      return `${address} belongs to no single pool`;
    case "no_serving_endpoint":
      return "no pod is ready to serve: an address is announced only while one is";
    case "no_matching_advertisement":
      return `no L2Advertisement covers ${facts.pool === undefined ? "its pool" : `pool ${facts.pool}`} for this Service`;
    case "shared_address_with_service_selector":
      return "a shared address cannot be announced by an L2Advertisement with serviceSelectors";
    case "node_not_selected":
      return node === undefined
        ? "the nodeSelectors of the L2Advertisements select no node"
        : `${node} is not selected by any L2Advertisement of the pool`;
    case "network_unavailable":
      return `${subject} has condition NetworkUnavailable`;
    case "excluded_by_label":
      return `${subject} is labelled node.kubernetes.io/exclude-from-external-load-balancers`;
    case "no_local_endpoint":
      return node === undefined
        ? "externalTrafficPolicy is Local and no candidate node runs a ready pod"
        : `externalTrafficPolicy is Local and ${node} runs no ready pod`;
    case "speaker_not_ready":
      return node === undefined ? "no speaker is ready" : `the speaker on ${node} is not ready`;
    case "no_usable_interface":
      return node === undefined
        ? "no node has a usable interface that the L2Advertisement allows"
        : `${node} has no usable interface that the L2Advertisement allows`;
    case "not_elected":
      return node === undefined ? "no node is elected" : `${node} stands by: another node is elected`;
    case "no_candidate":
      return "no node is a candidate for announcing";
    default:
      return unreachable(reason);
  }
}
