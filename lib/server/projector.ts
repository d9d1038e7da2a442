import { changedAmong, type PoolView } from "#core/pools";
import type { ServerContext } from "./context.ts";
import { Dirty } from "./dirty.ts";
import { componentFacts, sessionFacts, type Views } from "./facts.ts";
import type { Hub } from "./hub.ts";
import type { Probes } from "./probes.ts";
import { activityRows } from "./rows/activity.ts";
import { advertisementRow } from "./rows/advertisements.ts";
import { componentRows } from "./rows/components.ts";
import { nodeRow } from "./rows/nodes.ts";
import { poolRow } from "./rows/pools.ts";
import { serviceRow } from "./rows/services.ts";
import { sessionRow } from "./rows/session.ts";
import type { View } from "./view.ts";
import type { World } from "./world.ts";

/** Changes are gathered this long before rows are made of them. */
const GATHER_MS = 20;
/** Health has no events: whether the cluster still answers is looked at once a second. */
const SECOND_MS = 1_000;
const VERSION_MS = 60_000;

interface Parts {
  readonly context: ServerContext;
  readonly world: World;
  readonly views: Views;
  readonly hub: Hub;
  readonly probes: Probes;
}

interface Projector {
  /** Every row is made anew with the next batch. */
  everything(): void;
  /** The same, now. */
  now(): void;
  close(): void;
}

/**
 * Turns changes of the caches into changed rows, in batches. A Service's row
 * is made anew when the Service, its endpoints or its announcement changed, or
 * when something that decides about all of them did (then a part of them per
 * batch); heartbeats are no such thing.
 */
export function startProjector({ context, world, views, hub, probes }: Parts): Projector {
  const { clock, log } = context;
  const dirty = new Dirty(world);
  let judgedBy = "";
  let pools: readonly PoolView[] = [];
  let version: string | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;
  let cancelRun: (() => void) | undefined;
  let cancelSecond: () => void;

  const run = () => {
    cancelRun?.();
    cancelRun = undefined;
    try {
      project();
    } catch (thrown) {
      log.error("rows could not be made", { error: thrown });
    }
  };
  const schedule = () => {
    cancelRun ??= clock.schedule(GATHER_MS, run);
  };

  function project(): void {
    const view = views.now();
    const judge = judgement(view);
    if (judge !== judgedBy) {
      judgedBy = judge;
      dirty.everyBalancer();
    }
    if (view.pools !== pools) {
      dirty.poolsChanged(changedAmong(pools, view.pools));
      pools = view.pools;
    }
    const services = dirty.takeServices(() => hub.rows("services"));
    if (services === "all")
      hub.replace(
        "services",
        view.facts.services.map((one) => serviceRow(one, view)),
      );
    else for (const key of services) projectService(key, view);
    const nodes = dirty.takeNodes(view);
    if (nodes === "all")
      hub.replace(
        "nodes",
        view.facts.nodes.map((node) => nodeRow(node, view)),
      );
    else for (const name of nodes) projectNode(name, view);
    const areas = dirty.takeAreas();
    if (areas.has("pools"))
      hub.replace(
        "pools",
        view.facts.pools.map((pool) => poolRow(pool, view)),
      );
    if (areas.has("advertisements")) {
      hub.replace(
        "advertisements",
        view.facts.advertisements.map((ad) => advertisementRow(ad, view)),
      );
    }
    if (areas.has("components")) hub.replace("components", componentRows(componentFacts(world, context.sandbox)));
    if (areas.has("activity")) hub.replace("activity", activityRows(world.events.list(), context.namespace));
    if (services === "all" || services.size > 0) probes.refresh();
    hub.upsert("session", sessionRow(sessionFacts(context, world, view, probes, version)));
    if (dirty.more) schedule();
  }

  function projectService(key: string, view: View): void {
    const service = world.services.get(key);
    if (service === undefined) hub.remove("services", key);
    else hub.upsert("services", serviceRow(service, view));
  }

  function projectNode(name: string, view: View): void {
    const node = world.nodes.get(name);
    if (node === undefined) hub.remove("nodes", name);
    else hub.upsert("nodes", nodeRow(node, view));
  }

  const off = world.onChange((kind, key, before) => {
    dirty.changed(kind, key, before);
    schedule();
  });
  const second = () => {
    const now = clock.monotonic();
    if (now - askedAt > (version === null ? SECOND_MS : VERSION_MS)) {
      askedAt = now;
      context.cluster.version(AbortSignal.timeout(2_000)).then(
        (text) => {
          version = text;
        },
        () => undefined,
      );
    }
    dirty.settleSlow();
    schedule();
    cancelSecond = clock.schedule(SECOND_MS, second);
  };
  const everything = () => {
    dirty.all();
    schedule();
  };
  everything();
  cancelSecond = clock.schedule(0, second);

  return {
    everything,
    now() {
      everything();
      run();
      hub.flush();
    },
    close() {
      off();
      cancelRun?.();
      cancelSecond();
    },
  };
}

/** Everything beyond a Service itself that decides what its row says, but for pools: these decide about few at a time. */
function judgement(view: View): string {
  const { controllerReady, announcersKnown, unreachable, namespaces, advertisements } = view.facts;
  return JSON.stringify([
    view.nodes,
    namespaces.map(({ metadata }) => [metadata.name, metadata.labels]),
    advertisements.map((ad) => [ad.metadata.name, ad.spec]),
    [...view.conflicts],
    [...view.wire],
    [...unreachable],
    controllerReady,
    announcersKnown,
  ]);
}
