import { changePool, deletePool, readPool } from "#server/pools";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/pools/{name}"], ({ params }, on) => readPool(on, params.name));

export const PUT = route(SHAPES["PUT /api/pools/{name}"], ({ params, body, query }, on) =>
  changePool(on, { name: params.name, body, dryRun: query.dryRun ?? false, whole: true }),
);

export const PATCH = route(SHAPES["PATCH /api/pools/{name}"], ({ params, body, query }, on) =>
  changePool(on, { name: params.name, body, dryRun: query.dryRun ?? false, whole: false }),
);

export const DELETE = route(SHAPES["DELETE /api/pools/{name}"], ({ params, query }, on) =>
  deletePool(on, params.name, query.dryRun ?? false),
);
