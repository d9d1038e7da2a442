import { z } from "zod";
import { AddressPage, AddressState } from "#api/dashboard/addresses";
import { PoolPreview, PoolPreviewBody } from "#api/dashboard/pool-preview";
import { PoolCreate, PoolPatch, PoolRow } from "#api/dashboard/pools";
import { YamlText } from "#api/dashboard/yaml";
import { dryRun, name, Removed, type Shape } from "./shape.ts";

/** Pools. By "METHOD /path". */
export const POOL_SHAPES = {
  "GET /api/pools": { action: "pools.list", summary: "All pools", reply: z.array(PoolRow) },
  "POST /api/pools": {
    action: "pools.create",
    summary: "Create a pool and, when asked, its advertisement; dryRun=true only checks",
    query: dryRun,
    body: PoolCreate,
    reply: PoolRow,
    status: 201,
  },
  "POST /api/pools/preview": {
    action: "pools.preview",
    summary: "What a change of a pool does to every Service; changes nothing",
    body: PoolPreviewBody,
    reply: PoolPreview,
  },
  "GET /api/pools/{name}": { action: "pools.read", summary: "One pool", params: name, reply: PoolRow },
  "PUT /api/pools/{name}": {
    action: "pools.replace",
    summary: "Replace a pool; what is left out goes back to its default",
    params: name,
    query: dryRun,
    body: PoolPatch,
    reply: PoolRow,
  },
  "PATCH /api/pools/{name}": {
    action: "pools.patch",
    summary: "Change what is present; resourceVersion guards against overwriting another edit",
    params: name,
    query: dryRun,
    body: PoolPatch,
    reply: PoolRow,
  },
  "DELETE /api/pools/{name}": {
    action: "pools.delete",
    summary: "Delete a pool",
    params: name,
    query: dryRun,
    reply: Removed,
  },
  "GET /api/pools/{name}/addresses": {
    action: "pools.addresses",
    summary: "The addresses of a pool in order, each with its state",
    params: name,
    query: z.object({
      offset: z.coerce.number().int().min(0).default(0),
      limit: z.coerce.number().int().min(1).max(256).default(256),
      state: AddressState.optional(),
    }),
    reply: AddressPage,
  },
  "GET /api/pools/{name}/yaml": {
    action: "pools.yaml",
    summary: "The object as YAML",
    params: name,
    reply: YamlText,
  },
} as const satisfies Record<string, Shape>;
