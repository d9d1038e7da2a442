import { fixCheck } from "#server/preflight/run";
import { route } from "#server/route";
import { HEALTH_SHAPES } from "#server/shapes/health";

export const dynamic = "force-dynamic";

export const POST = route(HEALTH_SHAPES["POST /api/preflight/{check}/fix"], ({ params, signal }, on) =>
  fixCheck(on, params.check, signal),
);
