import { route } from "#server/route";
import { listServices } from "#server/services";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/services"], (_input, on) => listServices(on));
