import { route } from "#server/route";
import { serviceYaml } from "#server/services";
import { SERVICE_SHAPES } from "#server/shapes/services";

export const dynamic = "force-dynamic";

export const GET = route(SERVICE_SHAPES["GET /api/services/{namespace}/{name}/yaml"], ({ params }, on) =>
  serviceYaml(on, params),
);
