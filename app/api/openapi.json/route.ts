import { openApi } from "#server/openapi";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/openapi.json"], (_input, on) => openApi(on.version));
