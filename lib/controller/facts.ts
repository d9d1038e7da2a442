import type { EndpointSlice, Node } from "#api/kubernetes";
import type { IPAddressPool, L2Advertisement, SpeakerState } from "#api/metallb";
import type { L2Facts, NodeFacts } from "#core/election";
import type { PoolInput } from "#core/pools";

/** Objects cut down to what core decides on; anything malformed becomes something harmless, never an exception. */
export function toPoolInput(pool: IPAddressPool): PoolInput {
  const spec: Partial<IPAddressPool["spec"]> = pool.spec ?? {};
  return {
    name: pool.metadata.name ?? "",
    labels: pool.metadata.labels,
    addresses: spec.addresses ?? [],
    autoAssign: spec.autoAssign ?? true,
    avoidBuggyIPs: spec.avoidBuggyIPs ?? false,
    serviceAllocation: spec.serviceAllocation,
  };
}

export function toL2Facts(advertisement: L2Advertisement): L2Facts {
  const spec = advertisement.spec ?? {};
  return {
    name: advertisement.metadata.name ?? "",
    pools: spec.ipAddressPools ?? [],
    poolSelectors: spec.ipAddressPoolSelectors ?? [],
    nodeSelectors: spec.nodeSelectors ?? [],
    interfaces: spec.interfaces ?? [],
    serviceSelectors: spec.serviceSelectors ?? [],
    preferred: spec.preferredNodeSelectors ?? [],
  };
}

/**
 * Nodes as an election sees them, from what speakers publish. A node is alive
 * when more of the other speakers call it alive than dead, or none mentions it:
 * a dead speaker's last words must not outvote the living.
 */
export function toNodeFacts(nodes: readonly Node[], states: readonly SpeakerState[]): readonly NodeFacts[] {
  const votes = new Map<string, number>();
  const stateOf = new Map<string, SpeakerState>();
  for (const state of states) {
    const own = state.status?.node ?? state.metadata.name ?? "";
    stateOf.set(own, state);
    for (const { node, alive } of state.status?.members ?? []) {
      if (node !== own) votes.set(node, (votes.get(node) ?? 0) + (alive ? 1 : -1));
    }
  }
  return nodes.map((node) => {
    const name = node.metadata.name ?? "";
    const status = stateOf.get(name)?.status;
    const vote = votes.get(name);
    return {
      name,
      labels: node.metadata.labels ?? {},
      networkUnavailable: (node.status?.conditions ?? []).some(
        ({ type, status: value }) => type === "NetworkUnavailable" && value === "True",
      ),
      alive: status !== undefined && (vote === undefined || vote > 0),
      ready: status?.ready === true,
      interfaces: status?.interfaces?.filter(({ up }) => up).map(({ name: each }) => each) ?? null,
    };
  });
}

/** Serving as metallb.md 6.2: `ready` unset or true, or `serving` true. */
export function toEndpointFacts(slices: readonly EndpointSlice[]) {
  return slices.flatMap(({ endpoints }) =>
    (endpoints ?? []).map(({ nodeName, conditions }) => ({
      nodeName: nodeName ?? null,
      serving: (conditions?.ready ?? true) || conditions?.serving === true,
    })),
  );
}
