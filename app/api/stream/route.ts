import { guarded } from "#server/route";
import { openStream, STREAM_HEADERS } from "#server/stream";

export const dynamic = "force-dynamic";

export const GET = (request: Request): Promise<Response> =>
  guarded(
    request,
    "stream.open",
    (on) => new Response(openStream(on.hub, on.clock, request.signal), { headers: STREAM_HEADERS }),
  );
