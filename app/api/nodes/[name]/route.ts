import { readNode } from "#server/nodes";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/nodes/{name}"], ({ params }, on) => readNode(on, params.name));
