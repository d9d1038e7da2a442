import { install } from "#server/components";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const POST = route(SHAPES["POST /api/components/{component}/install"], ({ params }, on) =>
  install(on, params.component),
);
