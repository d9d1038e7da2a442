import { expose, unexpose } from "#server/expose";
import { route } from "#server/route";
import { SERVICE_SHAPES } from "#server/shapes/services";

export const dynamic = "force-dynamic";

export const POST = route(SERVICE_SHAPES["POST /api/services/{namespace}/{name}/expose"], ({ params, body }, on) =>
  expose(on, params, body),
);

export const DELETE = route(SERVICE_SHAPES["DELETE /api/services/{namespace}/{name}/expose"], ({ params }, on) =>
  unexpose(on, params),
);
