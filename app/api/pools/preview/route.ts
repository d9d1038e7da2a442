import { previewPool } from "#server/preview";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const POST = route(SHAPES["POST /api/pools/preview"], ({ body }, on) => previewPool(on, body));
