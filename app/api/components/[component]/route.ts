import { readComponent } from "#server/components";
import { route } from "#server/route";
import { COMPONENT_SHAPES } from "#server/shapes/components";

export const dynamic = "force-dynamic";

export const GET = route(COMPONENT_SHAPES["GET /api/components/{component}"], ({ params }, on) =>
  readComponent(on, params.component),
);
