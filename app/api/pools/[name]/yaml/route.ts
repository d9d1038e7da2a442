import { poolYaml } from "#server/pools";
import { route } from "#server/route";
import { POOL_SHAPES } from "#server/shapes/pools";

export const dynamic = "force-dynamic";

export const GET = route(POOL_SHAPES["GET /api/pools/{name}/yaml"], ({ params }, on) => poolYaml(on, params.name));
