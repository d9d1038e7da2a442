import { neighbours } from "#server/nodes";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/nodes/neighbours"], ({ signal }, on) => neighbours(on, signal));
