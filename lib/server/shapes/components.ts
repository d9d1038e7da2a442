import { z } from "zod";
import { ComponentRow, LogText } from "#api/dashboard/components";
import { Started } from "#api/dashboard/operations";
import { flag, type Shape } from "./shape.ts";

const component = z.object({ component: z.enum(["controller", "speaker"]) });

/** Controller and speaker. By "METHOD /path". */
export const COMPONENT_SHAPES = {
  "GET /api/components": {
    action: "components.list",
    summary: "Controller and speaker",
    reply: z.array(ComponentRow),
  },
  "GET /api/components/{component}": {
    action: "components.read",
    summary: "Controller or speaker",
    params: component,
    reply: ComponentRow,
  },
  "POST /api/components/{component}/install": {
    action: "components.install",
    summary: "Apply its manifests and wait until it is ready",
    params: component,
    reply: Started,
    status: 202,
  },
  "POST /api/components/{component}/restart": {
    action: "components.restart",
    summary: "Replace its pods one after the other",
    params: component,
    reply: Started,
    status: 202,
  },
  "POST /api/components/{component}/uninstall": {
    action: "components.uninstall",
    summary: "Delete its objects; pools and their CRDs stay unless purge=true",
    params: component,
    query: z.object({ purge: flag.optional() }),
    reply: Started,
    status: 202,
  },
  "GET /api/components/{component}/logs": {
    action: "components.logs",
    summary: "The last lines of one of its pods",
    params: component,
    query: z.object({
      pod: z.string().max(253).optional(),
      tail: z.coerce.number().int().min(1).max(2000).default(200),
      previous: flag.optional(),
    }),
    reply: LogText,
  },
} as const satisfies Record<string, Shape>;
