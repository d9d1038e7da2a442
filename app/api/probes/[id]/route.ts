import { route } from "#server/route";
import { PROBE_SHAPES } from "#server/shapes/probes";

export const dynamic = "force-dynamic";

export const GET = route(PROBE_SHAPES["GET /api/probes/{id}"], ({ params }, on) => on.probes.read(params.id));

export const DELETE = route(PROBE_SHAPES["DELETE /api/probes/{id}"], ({ params }, on) => {
  on.probes.delete(params.id);
  return { removed: params.id };
});
