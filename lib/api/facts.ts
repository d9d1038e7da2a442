/**
 * Kubernetes objects cut down to what core decides on: the one reading of them
 * that controller, speakers and dashboard share. Anything missing becomes
 * something harmless, and anything of the wrong type (custom resources are only
 * as sound as the CRD that happens to be installed) something that core refuses
 * with a sentence; never an exception.
 */
import type { L2Facts } from "#core/election";
import type { PoolInput } from "#core/pools";
import type { Selector } from "#core/selector";
import type { EndpointSlice, Namespace, Node } from "./kubernetes.ts";
import type { IPAddressPool, L2Advertisement, ServiceL2Status, SpeakerState } from "./metallb.ts";
import { LABEL } from "./names.ts";
import { asList, asObject, asSelectors, asTexts } from "./unsound.ts";

/** Defaults as the CRD has them: autoAssign true, avoidBuggyIPs false. */
export function toPoolInput(pool: IPAddressPool): PoolInput {
  const spec = asObject(pool.spec);
  return {
    name: pool.metadata.name ?? "",
    labels: pool.metadata.labels,
    addresses: asTexts(spec.addresses),
    autoAssign: spec.autoAssign !== false,
    avoidBuggyIPs: spec.avoidBuggyIPs === true,
    serviceAllocation: toAllocation(spec.serviceAllocation),
  };
}

function toAllocation(value: unknown): PoolInput["serviceAllocation"] {
  if (value === undefined || value === null) return undefined;
  const { priority, namespaces, namespaceSelectors, serviceSelectors } = asObject(value);
  return {
    priority: Number.isInteger(priority) ? Number(priority) : undefined,
    namespaces: asTexts(namespaces),
    namespaceSelectors: asSelectors(namespaceSelectors),
    serviceSelectors: asSelectors(serviceSelectors),
  };
}

/** An absent list is an empty one, which limits nothing. */
export function toL2Facts(advertisement: L2Advertisement): L2Facts {
  const spec = asObject(advertisement.spec);
  return {
    name: advertisement.metadata.name ?? "",
    pools: asTexts(spec.ipAddressPools),
    poolSelectors: asSelectors(spec.ipAddressPoolSelectors),
    nodeSelectors: asSelectors(spec.nodeSelectors),
    interfaces: asTexts(spec.interfaces),
    serviceSelectors: asSelectors(spec.serviceSelectors),
    preferred: asList(spec.preferredNodeSelectors).map(toPreference),
  };
}

function toPreference(value: unknown): { readonly weight: number; readonly preference: Selector } {
  const { weight, preference } = asObject(value);
  const [selector = {}] = asSelectors([preference]);
  return { weight: typeof weight === "number" ? weight : 0, preference: selector };
}

/** What pools select namespaces by. */
export function toNamespaceFacts({ metadata }: Namespace) {
  return { name: metadata.name ?? "", labels: metadata.labels };
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

/** "namespace/name" of the Service that a slice belongs to; null when it belongs to none. */
export function serviceOfSlice({ metadata }: EndpointSlice): string | null {
  const name = metadata.labels?.[LABEL.sliceService];
  return name === undefined ? null : `${metadata.namespace ?? "default"}/${name}`;
}

/** "namespace/name" of the Service that a report is about, by its status or, before that is written, by its labels. */
export function serviceOfReport({ metadata: { labels }, status }: ServiceL2Status): string | null {
  const name = status?.serviceName ?? labels?.[LABEL.serviceName];
  const namespace = status?.serviceNamespace ?? labels?.[LABEL.serviceNamespace];
  return name === undefined || namespace === undefined ? null : `${namespace}/${name}`;
}

/** Names of the interfaces that a speaker says are up; null when it does not say. */
export function interfacesUp(status: SpeakerState["status"]): readonly string[] | null {
  if (status?.interfaces === undefined) return null;
  return asList(status.interfaces).flatMap((each) => {
    const { name, up } = asObject(each);
    return up === true && typeof name === "string" ? [name] : [];
  });
}

/** Node condition NetworkUnavailable is True. */
export function isNetworkUnavailable({ status }: Node): boolean {
  return (status?.conditions ?? []).some(
    (condition) => condition.type === "NetworkUnavailable" && condition.status === "True",
  );
}

/**
 * Whether the speakers of other nodes call each node's speaker alive: at least
 * half of them do. A dead or cut-off speaker's last report is one voice among
 * others, and none about itself; a node that nobody mentions is not in the map.
 */
export function heardAlive(states: readonly SpeakerState[]): ReadonlyMap<string, boolean> {
  const votes = new Map<string, number>();
  for (const { metadata, status } of states) {
    const own = status?.node ?? metadata.name;
    for (const member of asList(status?.members)) {
      const { node, alive } = asObject(member);
      if (typeof node === "string" && node !== own) votes.set(node, (votes.get(node) ?? 0) + (alive ? 1 : -1));
    }
  }
  return new Map([...votes].map(([node, vote]) => [node, vote >= 0]));
}
