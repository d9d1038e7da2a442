import { z } from "zod";
import { ActivityRow } from "#api/dashboard/activity";
import { OperationRow, Started } from "#api/dashboard/operations";
import { CheckRow } from "#api/dashboard/preflight";
import { id, type Shape } from "./shape.ts";

/** Checks, events and things under way. By "METHOD /path". */
export const HEALTH_SHAPES = {
  "GET /api/preflight": { action: "preflight.run", summary: "Run every check now", reply: z.array(CheckRow) },
  "POST /api/preflight/{check}/fix": {
    action: "preflight.fix",
    summary: "Do what the check proposes",
    params: z.object({ check: z.string().max(100) }),
    reply: Started,
    status: 202,
  },
  "GET /api/activity": {
    action: "activity.list",
    summary: "Kubernetes Events about load balancing, the newest first",
    query: z.object({
      limit: z.coerce.number().int().min(1).max(500).default(200),
      object: z.string().max(600).optional(),
    }),
    reply: z.array(ActivityRow),
  },
  "GET /api/operations": {
    action: "operations.list",
    summary: "Things under way and lately ended",
    reply: z.array(OperationRow),
  },
  "GET /api/operations/{id}": {
    action: "operations.read",
    summary: "One operation",
    params: id,
    reply: OperationRow,
  },
} as const satisfies Record<string, Shape>;
