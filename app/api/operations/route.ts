import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/operations"], (_input, on) => [...on.operations.list()]);
