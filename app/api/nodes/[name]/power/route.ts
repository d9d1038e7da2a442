import { setPower } from "#server/nodes";
import { route } from "#server/route";
import { NODE_SHAPES } from "#server/shapes/nodes";

export const dynamic = "force-dynamic";

export const POST = route(NODE_SHAPES["POST /api/nodes/{name}/power"], ({ params, body }, on) =>
  setPower(on, params.name, body.power),
);
