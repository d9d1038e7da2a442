import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/operations/{id}"], ({ params }, on) => on.operations.read(params.id));
