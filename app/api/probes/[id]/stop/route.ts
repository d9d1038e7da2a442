import { route } from "#server/route";
import { PROBE_SHAPES } from "#server/shapes/probes";

export const dynamic = "force-dynamic";

export const POST = route(PROBE_SHAPES["POST /api/probes/{id}/stop"], ({ params }, on) => on.probes.stop(params.id));
