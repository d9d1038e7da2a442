import { route } from "#server/route";
import { readSession } from "#server/session";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/session"], (_input, on) => readSession(on));
