import { route } from "#server/route";
import { PROBE_SHAPES } from "#server/shapes/probes";

export const dynamic = "force-dynamic";

export const GET = route(PROBE_SHAPES["GET /api/probes/{id}/samples"], ({ params }, on) =>
  on.probes.samples(params.id),
);
