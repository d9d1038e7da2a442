import { Fault } from "#core/errors";
import { type Dashboard, fillSlot, type ServerContext } from "./context.ts";
import { Views } from "./facts.ts";
import { Hub } from "./hub.ts";
import { renderMetrics } from "./metrics.ts";
import { Operations } from "./operations.ts";
import { shareQuestion } from "./path.ts";
import { Probes } from "./probes.ts";
import { startProjector } from "./projector.ts";
import { World } from "./world.ts";

/** How long the first page may wait for the caches; a cluster that does not answer must not keep the dashboard down. */
const FIRST_SYNC_MS = 3_000;

/**
 * Starts the dashboard's server side and fills the slot that route handlers
 * read. Resolves once the first lists are in, or after 3 s without them: then
 * pages open, and say that the cluster does not answer.
 */
export async function startDashboard(context: ServerContext): Promise<{ close(): void }> {
  const { clock, log } = context;
  const world = new World(context.cluster, context.namespace, clock);
  const hub = new Hub(clock, context.version);
  let changed: () => void = () => undefined;
  const probes: Probes = new Probes({
    clock,
    prober: context.prober,
    hub,
    expectation: (key) => {
      const service = world.services.get(key);
      return service === undefined ? null : shareQuestion(service, views.now());
    },
    unreachableChanged: () => changed(),
  });
  const views = new Views(world, probes, clock);
  const operations = new Operations({
    clock,
    log,
    changed: (row) => hub.upsert("operations", row),
    forgotten: (id) => hub.remove("operations", id),
  });
  const projector = startProjector({ context, world, views, hub, probes });
  changed = () => projector.everything();
  const dashboard: Dashboard = {
    ...plain(context),
    world,
    views,
    hub,
    operations,
    probes,
    metrics: () => renderMetrics({ context, world, hub, probes, operations }),
    close() {
      fillSlot(undefined);
      projector.close();
      operations.close();
      probes.close();
      hub.close();
      world.close();
    },
  };
  fillSlot(dashboard);
  await firstSync(world, clock, log);
  projector.now();
  return dashboard;
}

/** A getter such as `prober.alive` must stay one, and methods keep their object: only the top level is copied. */
function plain(context: ServerContext): ServerContext {
  return { ...context, manifests: () => context.manifests() };
}

async function firstSync(world: World, clock: ServerContext["clock"], log: ServerContext["log"]): Promise<void> {
  const late = new AbortController();
  const cancel = clock.schedule(FIRST_SYNC_MS, () => late.abort(new Fault("unavailable", "not yet")));
  const core = [world.services, world.slices, world.nodes, world.namespaces];
  const results = await Promise.allSettled(core.map((kind) => kind.whenSynced(late.signal)));
  cancel();
  if (results.some((result) => result.status === "rejected")) log.warn("the cluster has not answered yet");
}
