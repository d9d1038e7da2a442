import { createHold, listHolds } from "#server/holds";
import { route } from "#server/route";
import { HOLD_SHAPES } from "#server/shapes/holds";

export const dynamic = "force-dynamic";

export const GET = route(HOLD_SHAPES["GET /api/holds"], (_input, on) => listHolds(on));

export const POST = route(HOLD_SHAPES["POST /api/holds"], ({ body, query }, on) =>
  createHold(on, body, query.dryRun ?? false),
);
