import { uninstall } from "#server/components";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const POST = route(SHAPES["POST /api/components/{component}/uninstall"], ({ params, query }, on) =>
  uninstall(on, params.component, query.purge ?? false),
);
