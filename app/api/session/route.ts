import { route } from "#server/route";
import { readSession } from "#server/session";
import { SESSION_SHAPES } from "#server/shapes/session";

export const dynamic = "force-dynamic";

export const GET = route(SESSION_SHAPES["GET /api/session"], (_input, on) => readSession(on));
