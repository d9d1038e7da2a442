import type { Session } from "#api/dashboard/session";
import { Fault } from "#core/errors";
import type { Dashboard } from "./context.ts";
import { sessionFacts } from "./facts.ts";
import { sessionRow } from "./rows/session.ts";

export function readSession(on: Dashboard): Session {
  const held = on.hub.rows("session")[0];
  return sessionRow(sessionFacts(on, on.world, on.views.now(), on.probes, held?.version ?? null));
}

/** Ready to serve pages about this cluster: the core kinds have been listed and the API server answers. */
export function readiness(on: Dashboard): Response {
  const { world } = on;
  const missing = [world.services, world.nodes, world.slices].filter((kind) => !kind.synced);
  if (missing.length > 0) {
    throw new Fault("unavailable", `Not listed yet: ${missing.map((kind) => kind.resource.plural).join(", ")}.`);
  }
  const { connected, problem } = readSession(on);
  if (!connected) throw new Fault("unavailable", problem ?? "The API server does not answer.");
  return new Response("ok\n", { headers: { "cache-control": "no-store" } });
}
