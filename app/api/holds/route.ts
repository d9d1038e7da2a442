import { createHold, listHolds } from "#server/holds";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/holds"], (_input, on) => listHolds(on));

export const POST = route(SHAPES["POST /api/holds"], ({ body, query }, on) =>
  createHold(on, body, query.dryRun ?? false),
);
