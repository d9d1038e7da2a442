import { advertisementYaml } from "#server/advertisements";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/l2advertisements/{name}/yaml"], ({ params }, on) =>
  advertisementYaml(on, params.name),
);
