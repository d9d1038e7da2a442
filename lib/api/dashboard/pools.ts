import { z } from "zod";
import { Finding, SelectorRow } from "./configuration.ts";
import { Name } from "./name.ts";

/** Of one address family. Counts are decimal strings, because an IPv6 pool does not fit a number. */
export const FamilyUse = z.object({
  assigned: z.string(),
  available: z.string(),
  total: z.string(),
  /** Usable addresses in short form for huge pools: "2⁶⁴". Equal to `total` otherwise. */
  totalText: z.string(),
  nextFree: z.string().nullable(),
  /** ux.md 2.2: warning at ≥ 75 % or ≤ 3 left, failed at ≥ 90 % or ≤ 1 left. */
  pressure: z.enum(["ready", "warning", "failed"]),
});
export type FamilyUse = z.infer<typeof FamilyUse>;

export const PoolRow = z.object({
  name: z.string(),
  addresses: z.array(z.string()),
  autoAssign: z.boolean(),
  avoidBuggyIPs: z.boolean(),
  priority: z.number().nullable(),
  namespaces: z.array(z.string()),
  namespaceSelectors: z.array(SelectorRow),
  serviceSelectors: z.array(SelectorRow),
  ipv4: FamilyUse.nullable(),
  ipv6: FamilyUse.nullable(),
  /** Services that hold an address of the pool. */
  services: z.array(z.string()),
  /** L2Advertisements that cover it; empty = nobody announces this pool. */
  advertisedBy: z.array(z.string()),
  findings: z.array(Finding),
  /** False when the object is invalid and its last valid version (if any) is in force. */
  valid: z.boolean(),
  createdAt: z.string(),
  resourceVersion: z.string(),
});
export type PoolRow = z.infer<typeof PoolRow>;

/** What the bodies of requests about a pool have in common. */
export const PoolFields = {
  addresses: z.array(z.string().trim().min(1, "an address range is needed")).min(1, "at least one range is needed"),
  autoAssign: z.boolean(),
  avoidBuggyIPs: z.boolean(),
  priority: z.int().min(0).max(2147483647).nullable(),
  namespaces: z.array(Name),
  namespaceSelectors: z.array(SelectorRow),
  serviceSelectors: z.array(SelectorRow),
};

/** `advertise` makes an L2Advertisement of this name with the pool, in the same request. */
export const PoolCreate = z.strictObject({
  name: Name,
  addresses: PoolFields.addresses,
  autoAssign: PoolFields.autoAssign.default(true),
  avoidBuggyIPs: PoolFields.avoidBuggyIPs.default(false),
  priority: PoolFields.priority.default(null),
  namespaces: PoolFields.namespaces.default([]),
  namespaceSelectors: PoolFields.namespaceSelectors.default([]),
  serviceSelectors: PoolFields.serviceSelectors.default([]),
  advertise: z
    .strictObject({
      name: Name,
      interfaces: z.array(z.string()).default([]),
      nodeSelectors: z.array(SelectorRow).default([]),
    })
    .nullable()
    .default(null),
});
export type PoolCreate = z.infer<typeof PoolCreate>;

export type PoolCreateInput = z.input<typeof PoolCreate>;

/** Only what is present changes; `resourceVersion` guards against overwriting somebody else's edit. */
export const PoolPatch = z.strictObject({ resourceVersion: z.string().optional(), ...PoolFields }).partial();
export type PoolPatch = z.infer<typeof PoolPatch>;
