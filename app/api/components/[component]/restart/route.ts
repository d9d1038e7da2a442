import { restart } from "#server/components";
import { route } from "#server/route";
import { COMPONENT_SHAPES } from "#server/shapes/components";

export const dynamic = "force-dynamic";

export const POST = route(COMPONENT_SHAPES["POST /api/components/{component}/restart"], ({ params }, on) =>
  restart(on, params.component),
);
