import { route } from "#server/route";
import { PROBE_SHAPES } from "#server/shapes/probes";
import { startProbe } from "#server/start-probe";

export const dynamic = "force-dynamic";

export const GET = route(PROBE_SHAPES["GET /api/probes"], (_input, on) => on.probes.list());

export const POST = route(PROBE_SHAPES["POST /api/probes"], ({ body }, on) => startProbe(on, body));
