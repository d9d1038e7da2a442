import { advertisementYaml } from "#server/advertisements";
import { route } from "#server/route";
import { ADVERTISEMENT_SHAPES } from "#server/shapes/advertisements";

export const dynamic = "force-dynamic";

export const GET = route(ADVERTISEMENT_SHAPES["GET /api/l2advertisements/{name}/yaml"], ({ params }, on) =>
  advertisementYaml(on, params.name),
);
