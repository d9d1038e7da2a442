import { heardAlive, interfacesUp, isNetworkUnavailable } from "#api/facts";
import type { Node } from "#api/kubernetes/cluster";
import type { SpeakerState } from "#api/metallb";
import type { NodeFacts } from "#core/election";

/**
 * Nodes as an election sees them, from what speakers publish: alive are those
 * that have a speaker which the others call alive, or which nobody mentions.
 */
export function toNodeFacts(nodes: readonly Node[], states: readonly SpeakerState[]): readonly NodeFacts[] {
  const alive = heardAlive(states);
  const stateOf = new Map(states.map((state) => [state.status?.node ?? state.metadata.name ?? "", state]));
  return nodes.map((node) => {
    const name = node.metadata.name ?? "";
    const status = stateOf.get(name)?.status;
    return {
      name,
      labels: node.metadata.labels ?? {},
      networkUnavailable: isNetworkUnavailable(node),
      alive: status !== undefined && (alive.get(name) ?? true),
      ready: status?.ready === true,
      interfaces: interfacesUp(status),
    };
  });
}
