import { z } from "zod";
import { HOLD_REASONS, HOLD_STATES } from "#core/reasons";
import { Finding } from "./configuration.ts";
import { Name } from "./name.ts";

export const HoldRow = z.object({
  name: z.string(),
  addresses: z.array(z.string()),
  reason: z.enum(HOLD_REASONS),
  /** RFC 3339; null: until it is deleted. */
  expiry: z.string().nullable(),
  note: z.string(),
  mac: z.string().nullable(),
  node: z.string().nullable(),
  /** Of the object as it is written. */
  state: z.enum(HOLD_STATES),
  /** Services that have one of the addresses, and keep it. */
  services: z.array(z.string()),
  findings: z.array(Finding),
  createdAt: z.string(),
  resourceVersion: z.string(),
});
export type HoldRow = z.infer<typeof HoldRow>;

const HoldFields = {
  addresses: z.array(z.string().trim().min(1, "an address is needed")).min(1, "at least one address is needed"),
  reason: z.enum(HOLD_REASONS),
  /** RFC 3339. */
  expiry: z.string().nullable(),
  note: z.string().max(1024),
  mac: z.string().nullable(),
  node: z.string().nullable(),
};

export const HoldCreate = z.strictObject({
  name: Name,
  addresses: HoldFields.addresses,
  reason: HoldFields.reason.default("reserved"),
  expiry: HoldFields.expiry.default(null),
  note: HoldFields.note.default(""),
  mac: HoldFields.mac.default(null),
  node: HoldFields.node.default(null),
});
export type HoldCreate = z.infer<typeof HoldCreate>;

/** Only what is present changes; null takes a field out. */
export const HoldPatch = z.strictObject({ resourceVersion: z.string().optional(), ...HoldFields }).partial();
export type HoldPatch = z.infer<typeof HoldPatch>;
