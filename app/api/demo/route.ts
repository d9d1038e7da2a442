import { applyDemo, removeDemo } from "#server/demo";
import { route } from "#server/route";
import { SESSION_SHAPES } from "#server/shapes/session";

export const dynamic = "force-dynamic";

export const POST = route(SESSION_SHAPES["POST /api/demo"], (_input, on) => applyDemo(on));

export const DELETE = route(SESSION_SHAPES["DELETE /api/demo"], (_input, on) => removeDemo(on));
