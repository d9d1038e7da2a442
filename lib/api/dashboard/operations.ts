import { z } from "zod";

/** A thing under way whose steps are timed from the server's monotonic clock. */
const OperationStep = z.object({
  name: z.string(),
  /** "Assigned 127.77.10.1" */
  label: z.string(),
  state: z.enum(["waiting", "running", "done", "failed", "skipped"]),
  /** Milliseconds from the start of the operation until this step ended; null before. */
  elapsedMs: z.number().nullable(),
  detail: z.string().nullable(),
});

export const OperationRow = z.object({
  id: z.string(),
  kind: z.enum(["expose", "unexpose", "install", "uninstall", "restart", "fix", "demo"]),
  /** "default/nginx", "controller", "strict-arp" */
  target: z.string(),
  state: z.enum(["running", "done", "failed"]),
  startedAt: z.string(),
  steps: z.array(OperationStep),
});
export type OperationRow = z.infer<typeof OperationRow>;

export const Started = z.object({ operation: z.string() });
