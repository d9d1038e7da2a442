import { route } from "#server/route";
import { SHAPES } from "#server/shapes";
import { startProbe } from "#server/start-probe";

export const dynamic = "force-dynamic";

export const GET = route(SHAPES["GET /api/probes"], (_input, on) => on.probes.list());

export const POST = route(SHAPES["POST /api/probes"], ({ body }, on) => startProbe(on, body));
