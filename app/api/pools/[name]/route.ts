import { changePool, deletePool, readPool } from "#server/pools";
import { route } from "#server/route";
import { POOL_SHAPES } from "#server/shapes/pools";

export const dynamic = "force-dynamic";

export const GET = route(POOL_SHAPES["GET /api/pools/{name}"], ({ params }, on) => readPool(on, params.name));

export const PUT = route(POOL_SHAPES["PUT /api/pools/{name}"], ({ params, body, query }, on) =>
  changePool(on, { name: params.name, body, dryRun: query.dryRun ?? false, whole: true }),
);

export const PATCH = route(POOL_SHAPES["PATCH /api/pools/{name}"], ({ params, body, query }, on) =>
  changePool(on, { name: params.name, body, dryRun: query.dryRun ?? false, whole: false }),
);

export const DELETE = route(POOL_SHAPES["DELETE /api/pools/{name}"], ({ params, query }, on) =>
  deletePool(on, params.name, query.dryRun ?? false),
);
