import { z } from "zod";
import { Finding, SelectorRow } from "./configuration.ts";
import { Name } from "./name.ts";

export const AdvertisementRow = z.object({
  name: z.string(),
  kind: z.literal("L2"),
  ipAddressPools: z.array(z.string()),
  ipAddressPoolSelectors: z.array(SelectorRow),
  nodeSelectors: z.array(SelectorRow),
  serviceSelectors: z.array(SelectorRow),
  interfaces: z.array(z.string()),
  /** Pools it covers in effect. */
  covers: z.array(z.string()),
  /** Nodes that may announce for it. */
  nodes: z.array(z.string()),
  findings: z.array(Finding),
  createdAt: z.string(),
  resourceVersion: z.string(),
});
export type AdvertisementRow = z.infer<typeof AdvertisementRow>;

const AdvertisementFields = {
  ipAddressPools: z.array(Name),
  ipAddressPoolSelectors: z.array(SelectorRow),
  nodeSelectors: z.array(SelectorRow),
  serviceSelectors: z.array(SelectorRow),
  interfaces: z.array(z.string().min(1)),
};

export const AdvertisementCreate = z.strictObject({
  name: Name,
  ipAddressPools: AdvertisementFields.ipAddressPools.default([]),
  ipAddressPoolSelectors: AdvertisementFields.ipAddressPoolSelectors.default([]),
  nodeSelectors: AdvertisementFields.nodeSelectors.default([]),
  serviceSelectors: AdvertisementFields.serviceSelectors.default([]),
  interfaces: AdvertisementFields.interfaces.default([]),
});
export type AdvertisementCreate = z.infer<typeof AdvertisementCreate>;

export type AdvertisementCreateInput = z.input<typeof AdvertisementCreate>;

export const AdvertisementPatch = z
  .strictObject({ resourceVersion: z.string().optional(), ...AdvertisementFields })
  .partial();
export type AdvertisementPatch = z.infer<typeof AdvertisementPatch>;
