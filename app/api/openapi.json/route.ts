import { openApi } from "#server/openapi";
import { route } from "#server/route";
import { SESSION_SHAPES } from "#server/shapes/session";

export const dynamic = "force-dynamic";

export const GET = route(SESSION_SHAPES["GET /api/openapi.json"], (_input, on) => openApi(on.version));
