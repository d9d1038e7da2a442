import { z } from "zod";
import { ANNOUNCE_REASONS } from "#core/reasons";

const AnnouncedAddress = z.object({
  address: z.string(),
  service: z.string(),
  pool: z.string().nullable(),
  since: z.string().nullable(),
});

export const NodeRow = z.object({
  name: z.string(),
  ready: z.boolean(),
  schedulable: z.boolean(),
  poweredOff: z.boolean(),
  addresses: z.array(z.string()),
  speaker: z
    .object({
      pod: z.string(),
      ready: z.boolean(),
      restarts: z.number(),
      interfaces: z.array(z.object({ name: z.string(), mac: z.string(), up: z.boolean() })),
      members: z.array(z.object({ node: z.string(), alive: z.boolean() })),
      heartbeatAt: z.string().nullable(),
    })
    .nullable(),
  announces: z.array(AnnouncedAddress),
  /** "announced" means eligible; anything else says why this node is no candidate. */
  eligibility: z.enum(ANNOUNCE_REASONS),
  kubeletVersion: z.string().nullable(),
  createdAt: z.string(),
});
export type NodeRow = z.infer<typeof NodeRow>;

/** `POST /api/nodes/{name}/power` (sandbox only). */
export const PowerBody = z.strictObject({ power: z.enum(["on", "off"]) });

/** One entry of the edge's neighbour table (sandbox only): `GET /api/nodes/neighbours` answers an array of these. */
export const Neighbour = z.object({
  address: z.string(),
  mac: z.string().nullable(),
  state: z.string(),
  updatedAt: z.union([z.number(), z.string()]),
});
export type Neighbour = z.infer<typeof Neighbour>;
