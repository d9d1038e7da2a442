import { z } from "zod";

export const Session = z.object({
  user: z.string(),
  cluster: z.string(),
  server: z.string(),
  version: z.string().nullable(),
  sandbox: z.boolean(),
  namespace: z.string(),
  connected: z.boolean(),
  /** Kinds the API server refuses to list for this user: "list services". */
  forbidden: z.array(z.string()),
  /** In words, when not connected. */
  problem: z.string().nullable(),
  /** First-run: which steps of design.md section 1 are done, derived from the cluster. */
  checklist: z.object({
    preflight: z.boolean(),
    install: z.boolean(),
    pool: z.boolean(),
    workload: z.boolean(),
    expose: z.boolean(),
    probe: z.boolean(),
  }),
});
export type Session = z.infer<typeof Session>;
