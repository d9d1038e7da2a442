import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/probes/{id}"], ({ params }, on) => on.probes.read(params.id));

export const DELETE = route(SHAPES["DELETE /api/probes/{id}"], ({ params }, on) => {
  on.probes.delete(params.id);
  return { removed: params.id };
});
