import { createPool, listPools } from "#server/pools";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/pools"], (_input, on) => listPools(on));

export const POST = route(SHAPES["POST /api/pools"], ({ body, query }, on) =>
  createPool(on, body, query.dryRun ?? false),
);
