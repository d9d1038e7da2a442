import { listActivity } from "#server/activity";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/activity"], ({ query }, on) => listActivity(on, query));
