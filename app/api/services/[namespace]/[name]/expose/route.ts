import { expose, unexpose } from "#server/expose";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const POST = route(SHAPES["POST /api/services/{namespace}/{name}/expose"], ({ params, body }, on) =>
  expose(on, params, body),
);

export const DELETE = route(SHAPES["DELETE /api/services/{namespace}/{name}/expose"], ({ params }, on) =>
  unexpose(on, params),
);
