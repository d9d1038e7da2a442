import { z } from "zod";
import { AdvertisementCreate, AdvertisementPatch, AdvertisementRow } from "#api/dashboard/advertisements";
import { YamlText } from "#api/dashboard/yaml";
import { dryRun, name, Removed, type Shape } from "./shape.ts";

/** Layer 2 advertisements. By "METHOD /path". */
export const ADVERTISEMENT_SHAPES = {
  "GET /api/l2advertisements": {
    action: "l2advertisements.list",
    summary: "All layer 2 advertisements",
    reply: z.array(AdvertisementRow),
  },
  "POST /api/l2advertisements": {
    action: "l2advertisements.create",
    summary: "Create a layer 2 advertisement",
    query: dryRun,
    body: AdvertisementCreate,
    reply: AdvertisementRow,
    status: 201,
  },
  "GET /api/l2advertisements/{name}": {
    action: "l2advertisements.read",
    summary: "One layer 2 advertisement",
    params: name,
    reply: AdvertisementRow,
  },
  "PUT /api/l2advertisements/{name}": {
    action: "l2advertisements.replace",
    summary: "Replace a layer 2 advertisement; what is left out goes back to its default",
    params: name,
    query: dryRun,
    body: AdvertisementPatch,
    reply: AdvertisementRow,
  },
  "PATCH /api/l2advertisements/{name}": {
    action: "l2advertisements.patch",
    summary: "Change what is present",
    params: name,
    query: dryRun,
    body: AdvertisementPatch,
    reply: AdvertisementRow,
  },
  "DELETE /api/l2advertisements/{name}": {
    action: "l2advertisements.delete",
    summary: "Delete a layer 2 advertisement",
    params: name,
    query: dryRun,
    reply: Removed,
  },
  "GET /api/l2advertisements/{name}/yaml": {
    action: "l2advertisements.yaml",
    summary: "The object as YAML",
    params: name,
    reply: YamlText,
  },
} as const satisfies Record<string, Shape>;
