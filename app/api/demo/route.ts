import { applyDemo, removeDemo } from "#server/demo";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const POST = route(SHAPES["POST /api/demo"], (_input, on) => applyDemo(on));

export const DELETE = route(SHAPES["DELETE /api/demo"], (_input, on) => removeDemo(on));
