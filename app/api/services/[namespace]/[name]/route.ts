import { route } from "#server/route";
import { readService } from "#server/services";
import { SERVICE_SHAPES } from "#server/shapes/services";

export const dynamic = "force-dynamic";

export const GET = route(SERVICE_SHAPES["GET /api/services/{namespace}/{name}"], ({ params }, on) =>
  readService(on, params),
);
