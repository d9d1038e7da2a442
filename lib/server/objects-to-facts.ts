/** Kubernetes objects reduced to what core's functions take. */
import type { EndpointSlice, Namespace, Service } from "#api/kubernetes";
import type { IPAddressPool, L2Advertisement } from "#api/metallb";
import { LABEL } from "#api/names";
import { keyOf } from "#api/resources";
import { formatAddress, tryParseAddress } from "#core/address";
import type { L2Facts } from "#core/election";
import type { PoolInput } from "#core/pools";
import { toServiceView } from "#core/service-view";
import { perObject } from "./last.ts";

/** Objects of a cache never change, so each is read once. */
export const serviceView = perObject(toServiceView);

export function namespacesOf({
  namespaces,
}: {
  readonly namespaces: readonly Namespace[];
}): readonly { name: string; labels: Record<string, string> }[] {
  return namespaces.map(({ metadata }) => ({ name: metadata.name ?? "", labels: metadata.labels ?? {} }));
}

export function poolInput(pool: IPAddressPool): PoolInput {
  const { addresses, autoAssign, avoidBuggyIPs, serviceAllocation } = pool.spec;
  return {
    name: pool.metadata.name ?? "",
    labels: pool.metadata.labels ?? {},
    addresses: addresses ?? [],
    autoAssign: autoAssign ?? true,
    avoidBuggyIPs: avoidBuggyIPs ?? false,
    ...(serviceAllocation !== undefined && { serviceAllocation }),
  };
}

export function advertisementFacts(ad: L2Advertisement): L2Facts {
  const spec = ad.spec ?? {};
  return {
    name: ad.metadata.name ?? "",
    pools: spec.ipAddressPools ?? [],
    poolSelectors: spec.ipAddressPoolSelectors ?? [],
    nodeSelectors: spec.nodeSelectors ?? [],
    interfaces: spec.interfaces ?? [],
    serviceSelectors: spec.serviceSelectors ?? [],
    preferred: spec.preferredNodeSelectors ?? [],
  };
}

/** Of two clashing pools the one that was there first stays valid (metallb.md section 4). */
export function byCreation<T extends { readonly metadata: { creationTimestamp?: string; name?: string } }>(
  objects: readonly T[],
): readonly T[] {
  const key = (object: T) => `${object.metadata.creationTimestamp ?? "9"} ${object.metadata.name ?? ""}`;
  const keyed = objects.map((object) => ({ object, key: key(object) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ object }) => object);
}

export function groupSlices(slices: readonly EndpointSlice[]): ReadonlyMap<string, readonly EndpointSlice[]> {
  const groups = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const service = slice.metadata.labels?.[LABEL.sliceService];
    if (service === undefined) continue;
    const key = `${slice.metadata.namespace}/${service}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [slice]);
    else group.push(slice);
  }
  return groups;
}

/** Canonical texts of the addresses in status; what cannot be parsed stays as it is. */
export const addressesOf: (service: Service) => readonly string[] = perObject((service: Service) => {
  if (service.spec?.type !== "LoadBalancer") return [];
  return (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [canonical(ip)]));
});

export function canonical(text: string): string {
  const address = tryParseAddress(text);
  return address === null ? text : formatAddress(address);
}

export function holdersOf(services: readonly Service[]): ReadonlyMap<string, readonly string[]> {
  const holders = new Map<string, string[]>();
  for (const service of services) {
    for (const address of addressesOf(service)) {
      const held = holders.get(address);
      if (held === undefined) holders.set(address, [keyOf(service)]);
      else held.push(keyOf(service));
    }
  }
  return holders;
}

/** The other way round: addresses by Service. */
export function heldBy(services: readonly Service[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    services.flatMap((service) => {
      const addresses = addressesOf(service);
      return addresses.length === 0 ? [] : [[keyOf(service), addresses] as const];
    }),
  );
}
