import { z } from "zod";

export const AddressState = z.enum([
  "free",
  "assigned",
  "shared",
  "requested",
  "excluded",
  "stale",
  "held",
  "conflict",
]);

export const AddressRow = z.object({
  address: z.string(),
  state: AddressState,
  services: z.array(z.string()),
  announcedBy: z.string().nullable(),
  /** Of a held address: why, in words, and the name of the AddressHold. */
  note: z.string().optional(),
  hold: z.string().optional(),
});
export type AddressRow = z.infer<typeof AddressRow>;

export const AddressPage = z.object({
  pool: z.string(),
  /** Decimal count of all usable addresses of the pool. */
  total: z.string(),
  nextFree: z.string().nullable(),
  addresses: z.array(AddressRow),
  /** Offset to ask for next, or null at the end. */
  next: z.number().nullable(),
});
export type AddressPage = z.infer<typeof AddressPage>;
