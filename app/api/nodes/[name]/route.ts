import { readNode } from "#server/nodes";
import { route } from "#server/route";
import { NODE_SHAPES } from "#server/shapes/nodes";

export const dynamic = "force-dynamic";

export const GET = route(NODE_SHAPES["GET /api/nodes/{name}"], ({ params }, on) => readNode(on, params.name));
