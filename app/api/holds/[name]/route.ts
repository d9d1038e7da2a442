import { changeHold, deleteHold, readHold } from "#server/holds";
import { route } from "#server/route";
import { HOLD_SHAPES } from "#server/shapes/holds";

export const dynamic = "force-dynamic";

export const GET = route(HOLD_SHAPES["GET /api/holds/{name}"], ({ params }, on) => readHold(on, params.name));

export const PUT = route(HOLD_SHAPES["PUT /api/holds/{name}"], ({ params, body, query }, on) =>
  changeHold(on, { name: params.name, body, dryRun: query.dryRun ?? false, whole: true }),
);

export const PATCH = route(HOLD_SHAPES["PATCH /api/holds/{name}"], ({ params, body, query }, on) =>
  changeHold(on, { name: params.name, body, dryRun: query.dryRun ?? false, whole: false }),
);

export const DELETE = route(HOLD_SHAPES["DELETE /api/holds/{name}"], ({ params, query }, on) =>
  deleteHold(on, params.name, query.dryRun ?? false),
);
