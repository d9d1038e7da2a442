import { guarded } from "#server/route";

export const dynamic = "force-dynamic";

export const GET = (request: Request): Promise<Response> =>
  guarded(
    request,
    "metrics.read",
    (on) =>
      new Response(on.metrics(), {
        headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" },
      }),
  );
