import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const POST = route(SHAPES["POST /api/probes/{id}/stop"], ({ params }, on) => on.probes.stop(params.id));
