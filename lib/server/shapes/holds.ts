import { z } from "zod";
import { HoldCreate, HoldPatch, HoldRow } from "#api/dashboard/holds";
import { dryRun, name, Removed, type Shape } from "./shape.ts";

/** Address holds. By "METHOD /path". */
export const HOLD_SHAPES = {
  "GET /api/holds": {
    action: "holds.list",
    summary: "All address holds",
    reply: z.array(HoldRow),
  },
  "POST /api/holds": {
    action: "holds.create",
    summary: "Create an address hold",
    query: dryRun,
    body: HoldCreate,
    reply: HoldRow,
    status: 201,
  },
  "GET /api/holds/{name}": {
    action: "holds.read",
    summary: "One address hold",
    params: name,
    reply: HoldRow,
  },
  "PUT /api/holds/{name}": {
    action: "holds.replace",
    summary: "Replace an address hold; what is left out goes back to its default",
    params: name,
    query: dryRun,
    body: HoldPatch,
    reply: HoldRow,
  },
  "PATCH /api/holds/{name}": {
    action: "holds.patch",
    summary: "Change what is present",
    params: name,
    query: dryRun,
    body: HoldPatch,
    reply: HoldRow,
  },
  "DELETE /api/holds/{name}": {
    action: "holds.delete",
    summary: "Delete an address hold",
    params: name,
    query: dryRun,
    reply: Removed,
  },
} as const satisfies Record<string, Shape>;
