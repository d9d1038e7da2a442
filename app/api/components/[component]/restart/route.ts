import { restart } from "#server/components";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const POST = route(SHAPES["POST /api/components/{component}/restart"], ({ params }, on) =>
  restart(on, params.component),
);
