import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/probes/{id}/samples"], ({ params }, on) => on.probes.samples(params.id));
