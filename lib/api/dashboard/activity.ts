import { z } from "zod";

export const ActivityRow = z.object({
  id: z.string(),
  at: z.string(),
  type: z.enum(["Normal", "Warning"]),
  reason: z.string(),
  /** "Service default/nginx" */
  object: z.string(),
  message: z.string(),
  component: z.string(),
  count: z.number(),
});
export type ActivityRow = z.infer<typeof ActivityRow>;
