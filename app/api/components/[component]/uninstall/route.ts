import { uninstall } from "#server/components";
import { route } from "#server/route";
import { COMPONENT_SHAPES } from "#server/shapes/components";

export const dynamic = "force-dynamic";

export const POST = route(COMPONENT_SHAPES["POST /api/components/{component}/uninstall"], ({ params, query }, on) =>
  uninstall(on, params.component, query.purge ?? false),
);
