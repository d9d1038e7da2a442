import { changeAdvertisement, deleteAdvertisement, readAdvertisement } from "#server/advertisements";
import { route } from "#server/route";
import { ADVERTISEMENT_SHAPES } from "#server/shapes/advertisements";

export const dynamic = "force-dynamic";

export const GET = route(ADVERTISEMENT_SHAPES["GET /api/l2advertisements/{name}"], ({ params }, on) =>
  readAdvertisement(on, params.name),
);

export const PUT = route(ADVERTISEMENT_SHAPES["PUT /api/l2advertisements/{name}"], ({ params, body, query }, on) =>
  changeAdvertisement(on, { name: params.name, body, dryRun: query.dryRun ?? false, whole: true }),
);

export const PATCH = route(ADVERTISEMENT_SHAPES["PATCH /api/l2advertisements/{name}"], ({ params, body, query }, on) =>
  changeAdvertisement(on, { name: params.name, body, dryRun: query.dryRun ?? false, whole: false }),
);

export const DELETE = route(ADVERTISEMENT_SHAPES["DELETE /api/l2advertisements/{name}"], ({ params, query }, on) =>
  deleteAdvertisement(on, params.name, query.dryRun ?? false),
);
