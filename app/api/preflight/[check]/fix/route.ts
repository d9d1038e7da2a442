import { fixCheck } from "#server/preflight/run";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const POST = route(SHAPES["POST /api/preflight/{check}/fix"], ({ params, signal }, on) =>
  fixCheck(on, params.check, signal),
);
