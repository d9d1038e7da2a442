import { createAdvertisement, listAdvertisements } from "#server/advertisements";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/l2advertisements"], (_input, on) => listAdvertisements(on));

export const POST = route(SHAPES["POST /api/l2advertisements"], ({ body, query }, on) =>
  createAdvertisement(on, body, query.dryRun ?? false),
);
