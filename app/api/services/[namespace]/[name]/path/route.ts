import { route } from "#server/route";
import { servicePath } from "#server/services";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/services/{namespace}/{name}/path"], ({ params }, on) =>
  servicePath(on, params),
);
