/**
 * Custom resources are only as sound as the CRD that happens to be installed.
 * What ours would not let in is put right here, once, so that no row, finding
 * or election behind it needs to ask. A sound object stays the same object.
 */
import type { z } from "zod";
import type { KubeObject } from "#api/kubernetes/objects";
import { ConfigurationState, IPAddressPool, L2Advertisement, ServiceL2Status, SpeakerState } from "#api/metallb";
import { asList, asObject, asSelectors, asTexts } from "#api/unsound";
import { perObject } from "#core/per-object";
import type { Selector } from "#core/selector";

export const soundPool = perObject((pool: IPAddressPool): IPAddressPool => {
  if (fits(IPAddressPool, pool)) return pool;
  const { addresses, autoAssign, avoidBuggyIPs, serviceAllocation } = asObject(pool.spec);
  const { status: _status, ...rest } = pool;
  const spec = {
    addresses: [...asTexts(addresses)],
    autoAssign: autoAssign !== false,
    avoidBuggyIPs: avoidBuggyIPs === true,
  };
  return instead(pool, {
    ...rest,
    spec: isAbsent(serviceAllocation) ? spec : { ...spec, serviceAllocation: soundAllocation(serviceAllocation) },
  });
});

function soundAllocation(value: unknown) {
  const { priority, namespaces, namespaceSelectors, serviceSelectors } = asObject(value);
  return {
    priority: Number.isInteger(priority) ? Number(priority) : undefined,
    namespaces: [...asTexts(namespaces)],
    namespaceSelectors: asSelectors(namespaceSelectors).map(plain),
    serviceSelectors: asSelectors(serviceSelectors).map(plain),
  };
}

export const soundAdvertisement = perObject((advertisement: L2Advertisement): L2Advertisement => {
  if (fits(L2Advertisement, advertisement)) return advertisement;
  const spec = asObject(advertisement.spec);
  return instead(advertisement, {
    ...advertisement,
    spec: {
      ipAddressPools: [...asTexts(spec.ipAddressPools)],
      ipAddressPoolSelectors: asSelectors(spec.ipAddressPoolSelectors).map(plain),
      nodeSelectors: asSelectors(spec.nodeSelectors).map(plain),
      interfaces: [...asTexts(spec.interfaces)],
      serviceSelectors: asSelectors(spec.serviceSelectors).map(plain),
      preferredNodeSelectors: asList(spec.preferredNodeSelectors).map((value) => {
        const { weight, preference } = asObject(value);
        return {
          weight: typeof weight === "number" ? weight : 0,
          preference: plain(asSelectors([preference])[0] ?? {}),
        };
      }),
    },
  });
});

const written = new WeakMap<object, object>();

function instead<T extends object>(original: T, sound: T): T {
  written.set(sound, original);
  return sound;
}

/** The object as the API server has it: what the compiler judges, here as in the controller. */
export function asWritten<T extends object>(object: T): object {
  return written.get(object) ?? object;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

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
