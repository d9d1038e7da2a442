import { previewPool } from "#server/preview";
import { route } from "#server/route";
import { POOL_SHAPES } from "#server/shapes/pools";

export const dynamic = "force-dynamic";

export const POST = route(POOL_SHAPES["POST /api/pools/preview"], ({ body }, on) => previewPool(on, body));
