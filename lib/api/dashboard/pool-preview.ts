import { z } from "zod";
import { Finding } from "./configuration.ts";
import { Name } from "./name.ts";
import { FamilyUse, PoolFields } from "./pools.ts";

/** What `POST /api/pools/preview` asks: the pool as it would be, or `remove: true`. */
export const PoolPreviewBody = z.strictObject({
  name: Name,
  remove: z.boolean().default(false),
  addresses: z.array(z.string().trim()).default([]),
  autoAssign: PoolFields.autoAssign.optional(),
  avoidBuggyIPs: PoolFields.avoidBuggyIPs.optional(),
  priority: PoolFields.priority.optional(),
  namespaces: PoolFields.namespaces.optional(),
  namespaceSelectors: PoolFields.namespaceSelectors.optional(),
  serviceSelectors: PoolFields.serviceSelectors.optional(),
});
export type PoolPreviewBody = z.infer<typeof PoolPreviewBody>;

export type PoolPreviewInput = z.input<typeof PoolPreviewBody>;

export const PoolPreview = z.object({
  /** Problems of the pool as it would be; an error means that it would be refused. `field` as in the body: "addresses.0". */
  findings: z.array(Finding),
  ipv4: FamilyUse.nullable(),
  ipv6: FamilyUse.nullable(),
  services: z.array(
    z.object({
      service: z.string(),
      addresses: z.array(z.string()),
      /** `keeps` its address, `loses` it (gets another or waits), `gains` one (was waiting), `waits` on. */
      effect: z.enum(["keeps", "loses", "gains", "waits"]),
      sentence: z.string(),
    }),
  ),
});
export type PoolPreview = z.infer<typeof PoolPreview>;
