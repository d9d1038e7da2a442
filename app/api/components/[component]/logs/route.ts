import { logs } from "#server/components";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/components/{component}/logs"], ({ params, query, signal }, on) =>
  logs(on, params.component, query, signal),
);
