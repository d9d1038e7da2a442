import { z } from "zod";
import { Started } from "#api/dashboard/operations";
import { Session } from "#api/dashboard/session";
import type { Shape } from "./shape.ts";

/** The session, the demo workload and the description of the API itself. By "METHOD /path". */
export const SESSION_SHAPES = {
  "GET /api/session": {
    action: "session.read",
    summary: "Who, where, and which first steps are done",
    reply: Session,
  },
  "POST /api/demo": {
    action: "demo.apply",
    summary: "Apply the demo workload: three nginx pods and their Service",
    reply: Started,
    status: 202,
  },
  "DELETE /api/demo": { action: "demo.remove", summary: "Remove the demo workload", reply: Started, status: 202 },
  "GET /api/openapi.json": {
    action: "openapi.read",
    summary: "This description",
    reply: z.record(z.string(), z.unknown()),
  },
} as const satisfies Record<string, Shape>;
