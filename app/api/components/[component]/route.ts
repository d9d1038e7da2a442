import { readComponent } from "#server/components";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/components/{component}"], ({ params }, on) =>
  readComponent(on, params.component),
);
