/**
 * Custom resources are only as sound as the CRD that happens to be installed.
 * What ours would not let in is put right here, once, so that no row, finding
 * or election behind it needs to ask. A sound object stays the same object.
 */
import type { z } from "zod";
import { toL2Facts, toPoolInput } from "#api/facts";
import type { KubeObject } from "#api/kubernetes";
import { ConfigurationState, IPAddressPool, L2Advertisement, ServiceL2Status, SpeakerState } from "#api/metallb";
import type { Selector } from "#core/selector";
import { perObject } from "./last.ts";

export const soundPool = perObject((pool: IPAddressPool): IPAddressPool => {
  if (fits(IPAddressPool, pool)) return pool;
  const { addresses, autoAssign, avoidBuggyIPs, serviceAllocation } = toPoolInput(pool);
  const { priority, namespaces = [], namespaceSelectors = [], serviceSelectors = [] } = serviceAllocation ?? {};
  const allocation = {
    priority,
    namespaces: [...namespaces],
    namespaceSelectors: namespaceSelectors.map(plain),
    serviceSelectors: serviceSelectors.map(plain),
  };
  const spec = { addresses: [...addresses], autoAssign, avoidBuggyIPs };
  const { status: _status, ...rest } = pool;
  return { ...rest, spec: serviceAllocation === undefined ? spec : { ...spec, serviceAllocation: allocation } };
});

export const soundAdvertisement = perObject((advertisement: L2Advertisement): L2Advertisement => {
  if (fits(L2Advertisement, advertisement)) return advertisement;
  const facts = toL2Facts(advertisement);
  return {
    ...advertisement,
    spec: {
      ipAddressPools: [...facts.pools],
      ipAddressPoolSelectors: facts.poolSelectors.map(plain),
      nodeSelectors: facts.nodeSelectors.map(plain),
      interfaces: [...facts.interfaces],
      serviceSelectors: facts.serviceSelectors.map(plain),
      preferredNodeSelectors: facts.preferred.map(({ weight, preference }) => ({
        weight,
        preference: plain(preference),
      })),
    },
  };
});

/** Reports are written by Berth's own processes: one that cannot be read is none. */
export const soundL2Status = perObject(withReadableStatus(ServiceL2Status));
export const soundConfigurationState = perObject(withReadableStatus(ConfigurationState));
export const soundSpeakerState = perObject(withReadableStatus(SpeakerState));

function withReadableStatus<T extends KubeObject & { status?: unknown }>(schema: z.ZodType<T>): (object: T) => T {
  return (object) => (fits(schema, object) ? object : { ...object, status: undefined });
}

function fits(schema: z.ZodType, object: unknown): boolean {
  return schema.safeParse(object).success;
}

function plain({ matchLabels, matchExpressions }: Selector) {
  return {
    ...(matchLabels !== undefined && { matchLabels: { ...matchLabels } }),
    ...(matchExpressions !== undefined && {
      matchExpressions: matchExpressions.map(({ key, operator, values }) => ({
        key,
        operator,
        ...(values !== undefined && { values: [...values] }),
      })),
    }),
  };
}
