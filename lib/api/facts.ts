/**
 * Kubernetes objects cut down to what core decides on: the one reading of them
 * that controller, speakers and dashboard share. Anything missing or of the
 * wrong type becomes something harmless; never an exception. The configuration
 * is not read here: its compiler takes objects as they are.
 */
import type { Node } from "./kubernetes/cluster.ts";
import type { EndpointSlice } from "./kubernetes/services.ts";
import type { ServiceL2Status, SpeakerState } from "./metallb.ts";
import { LABEL } from "./names.ts";
import { asList, asObject } from "./unsound.ts";

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

/** Node by MAC (lower case), of every interface that a speaker published. */
export function nodesByMac(states: readonly SpeakerState[]): ReadonlyMap<string, string> {
  const nodes = new Map<string, string>();
  for (const { metadata, status } of states) {
    for (const each of asList(status?.interfaces)) {
      const { mac } = asObject(each);
      if (typeof mac === "string") nodes.set(mac.toLowerCase(), status?.node ?? metadata.name ?? "");
    }
  }
  return nodes;
}

/** Node condition NetworkUnavailable is True. */
export function isNetworkUnavailable({ status }: Node): boolean {
  return asList(status?.conditions).some((condition) => {
    const { type, status: is } = asObject(condition);
    return type === "NetworkUnavailable" && is === "True";
  });
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
