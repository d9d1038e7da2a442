import { setPower } from "#server/nodes";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const POST = route(SHAPES["POST /api/nodes/{name}/power"], ({ params, body }, on) =>
  setPower(on, params.name, body.power),
);
