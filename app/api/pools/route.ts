import { createPool, listPools } from "#server/pools";
import { route } from "#server/route";
import { POOL_SHAPES } from "#server/shapes/pools";

export const dynamic = "force-dynamic";

export const GET = route(POOL_SHAPES["GET /api/pools"], (_input, on) => listPools(on));

export const POST = route(POOL_SHAPES["POST /api/pools"], ({ body, query }, on) =>
  createPool(on, body, query.dryRun ?? false),
);
