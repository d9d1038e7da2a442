import { route } from "#server/route";
import { diagnosis } from "#server/services";
import { SERVICE_SHAPES } from "#server/shapes/services";

export const dynamic = "force-dynamic";

export const GET = route(SERVICE_SHAPES["GET /api/services/{namespace}/{name}/diagnosis"], ({ params }, on) =>
  diagnosis(on, params),
);
