import { z } from "zod";

export const Finding = z.object({
  severity: z.enum(["error", "warning"]),
  /** Dotted path in the object: "spec.addresses.0". */
  field: z.string(),
  message: z.string(),
  fix: z.string(),
});
export type Finding = z.infer<typeof Finding>;

export const SelectorRow = z.object({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).optional() }))
    .optional(),
});
export type SelectorRow = z.infer<typeof SelectorRow>;
