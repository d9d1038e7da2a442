import { listActivity } from "#server/activity";
import { route } from "#server/route";
import { HEALTH_SHAPES } from "#server/shapes/health";

export const dynamic = "force-dynamic";

export const GET = route(HEALTH_SHAPES["GET /api/activity"], ({ query }, on) => listActivity(on, query));
