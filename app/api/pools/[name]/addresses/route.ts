import { poolAddresses } from "#server/pools";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/pools/{name}/addresses"], ({ params, query }, on) =>
  poolAddresses(on, params.name, query),
);
