import { route } from "#server/route";
import { serviceYaml } from "#server/services";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/services/{namespace}/{name}/yaml"], ({ params }, on) =>
  serviceYaml(on, params),
);
