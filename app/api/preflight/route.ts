import { runPreflight } from "#server/preflight/run";
import { route } from "#server/route";
import { SHAPES } from "#server/shapes";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/preflight"], ({ signal }, on) => runPreflight(on, signal));
