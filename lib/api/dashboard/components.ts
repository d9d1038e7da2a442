import { z } from "zod";

/** By which Lease replicas elect the one that works, and whether it is this one. */
const Leadership = z.object({ lease: z.string(), leads: z.boolean(), renewedAt: z.string().nullable() });

const ComponentPod = z.object({
  pod: z.string(),
  node: z.string().nullable(),
  phase: z.string(),
  ready: z.boolean(),
  restarts: z.number(),
  startedAt: z.string().nullable(),
  message: z.string().nullable(),
  configuration: z.object({ result: z.enum(["Valid", "Invalid", "Unknown"]), message: z.string() }),
  /** Of a controller that stands by: null, as it writes nothing. */
  memoryBytes: z.number().nullable(),
  /** Null where none is elected. */
  leadership: Leadership.nullable(),
});

export const ComponentRow = z.object({
  component: z.enum(["controller", "speaker"]),
  installed: z.boolean(),
  image: z.string().nullable(),
  desired: z.number(),
  ready: z.number(),
  pods: z.array(ComponentPod),
  /** Null when install, restart and uninstall may be pressed; otherwise why not. */
  actionsBlockedBy: z.string().nullable(),
});
export type ComponentRow = z.infer<typeof ComponentRow>;

export const LogText = z.object({ pod: z.string(), lines: z.array(z.string()) });
