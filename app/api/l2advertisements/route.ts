import { createAdvertisement, listAdvertisements } from "#server/advertisements";
import { route } from "#server/route";
import { ADVERTISEMENT_SHAPES } from "#server/shapes/advertisements";

export const dynamic = "force-dynamic";

export const GET = route(ADVERTISEMENT_SHAPES["GET /api/l2advertisements"], (_input, on) => listAdvertisements(on));

export const POST = route(ADVERTISEMENT_SHAPES["POST /api/l2advertisements"], ({ body, query }, on) =>
  createAdvertisement(on, body, query.dryRun ?? false),
);
