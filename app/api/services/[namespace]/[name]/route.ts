import { route } from "#server/route";
import { readService } from "#server/services";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/services/{namespace}/{name}"], ({ params }, on) => readService(on, params));
