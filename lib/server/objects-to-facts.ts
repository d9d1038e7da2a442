/** What the dashboard reads out of objects beyond `#api/facts`: addresses, and who holds them. */
import { serviceOfSlice } from "#api/facts";
import type { EndpointSlice, Service } from "#api/kubernetes/services";
import { keyOf } from "#api/resources";
import { canonicalText } from "#core/address";
import { perObject } from "#core/per-object";

export function groupSlices(slices: readonly EndpointSlice[]): ReadonlyMap<string, readonly EndpointSlice[]> {
  const groups = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const key = serviceOfSlice(slice);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [slice]);
    else group.push(slice);
  }
  return groups;
}

/** Canonical texts of the addresses in status; what cannot be parsed stays as it is. */
export const addressesOf: (service: Service) => readonly string[] = perObject((service: Service) => {
  if (service.spec?.type !== "LoadBalancer") return [];
  return (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) =>
    ip === undefined ? [] : [canonicalText(ip)],
  );
});

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
