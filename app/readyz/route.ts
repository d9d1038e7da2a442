import { guarded } from "#server/route";
import { readiness } from "#server/session";

export const dynamic = "force-dynamic";

export const GET = (request: Request): Promise<Response> => guarded(request, "ready.read", (on) => readiness(on));
