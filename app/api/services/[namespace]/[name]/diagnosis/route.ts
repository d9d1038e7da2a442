import { route } from "#server/route";
import { diagnosis } from "#server/services";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/services/{namespace}/{name}/diagnosis"], ({ params }, on) =>
  diagnosis(on, params),
);
