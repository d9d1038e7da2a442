import { route } from "#server/route";
import { HEALTH_SHAPES } from "#server/shapes/health";

export const dynamic = "force-dynamic";

export const GET = route(HEALTH_SHAPES["GET /api/operations"], (_input, on) => [...on.operations.list()]);
