import type { Service } from "#api/kubernetes/services";
import {
  ADDRESS_HOLDS,
  ageOf,
  CONFIGURATION_STATES,
  ENDPOINT_SLICES,
  isSameSpec,
  keyOf,
  L2_ADVERTISEMENTS,
  NODES,
  SERVICE_L2_STATUSES,
  SERVICES,
  SPEAKER_STATES,
} from "#api/resources";
import { Allocator } from "#core/allocate";
import type { Cluster, Election, Term } from "#kube/port";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import { type Reconcile, runLoop } from "#runtime/loop";
import type { Metrics } from "#runtime/metrics";
import type { Runner } from "#runtime/runner";
import { Allocation } from "./allocation.ts";
import { AnnouncedView } from "./announced.ts";
import { Background } from "./background.ts";
import { configurationStateReconciler } from "./configuration-state.ts";
import { EventRecorder } from "./events.ts";
import { HoldSource, holdsListed } from "./holds.ts";
import { Latest } from "./latest.ts";
import { leadInTerms, sayWhoLeads } from "./leadership.ts";
import { ensureMemberlistSecret } from "./memberlist-secret.ts";
import { ControllerMetrics } from "./metrics.ts";
import { MoveBudget } from "./move-budget.ts";
import { controllerConfiguration, controllerKinds, poolConfig } from "./pool-config.ts";
import { poolStatusReconciler } from "./pool-status.ts";
import { triedAgain } from "./refused.ts";
import { ServiceReconciler } from "./service-reconciler.ts";

interface ControllerDeps {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly namespace: string;
  readonly podName: string;
  readonly deployment: string;
  /** Serve only Services of this loadBalancerClass; unset: only those without one. */
  readonly lbClass?: string | undefined;
  readonly random: (bytes: number) => Uint8Array;
  /** Among several replicas; absent when this is the only one by other means. */
  readonly election?: Election | undefined;
}

export interface Controller {
  /** True for a leader once everything was listed and existing addresses are adopted, and for a replica that stands by. */
  ready(): boolean;
  healthy(): boolean;
}

/** Status writes under way at once. Decisions are not among them: each is one synchronous step. */
const WRITERS = 32;
/** Pool counters follow a burst of assignments at this pace. */
const COUNTERS_EVERY_MS = 200;

/**
 * Starts the controller. Resolves at once; listing, adopting and working go on
 * under the runner, so that health can be asked for from the beginning. Nothing
 * is assigned before pools, Services and namespaces are fully listed.
 */
export async function startController(runner: Runner, deps: ControllerDeps): Promise<Controller> {
  const { signal } = runner;
  const { election } = deps;
  let term: Term | null = null;
  let adopted = false;
  const leader = deps.metrics.gauge("berth_controller_leader", "1 while this replica is the one that assigns.");
  deps.metrics.onRender(() => leader.set({}, term?.holds() === true ? 1 : 0));
  const work = leadInTerms({ cluster: deps.cluster, election, signal }, async (leading) => {
    term = leading.term;
    adopted = false;
    const owned: Owned[] = [];
    try {
      await run(leading, { ...deps, cluster: leading.cluster }, owned, () => {
        adopted = true;
      });
    } finally {
      term = null;
      for (const each of owned) each();
    }
  });
  runner.watch("controller", work);
  // Lets the writes under way finish before connections close.
  runner.onStop("controller", () => work.catch(() => undefined));
  const ready = () => (term === null ? standsBy(election) : adopted);
  return { ready: () => ready() && !signal.aborted, healthy: () => !signal.aborted };
}

/** Undone at the end of a term. */
type Owned = () => void;

/** Somebody else leads, and this replica sees it: a rollout may go on to end the other. */
function standsBy(election: Election | undefined): boolean {
  return election !== undefined && election.leader !== null && election.leader !== "";
}

function caches({ cluster, namespace }: ControllerDeps) {
  return {
    services: cluster.cache(SERVICES),
    holds: cluster.cache(ADDRESS_HOLDS),
    kinds: controllerKinds(cluster, namespace),
    states: cluster.cache(CONFIGURATION_STATES, { namespace }),
    announce: {
      nodes: cluster.cache(NODES),
      slices: cluster.cache(ENDPOINT_SLICES),
      advertisements: cluster.cache(L2_ADVERTISEMENTS, { namespace }),
      l2Statuses: cluster.cache(SERVICE_L2_STATUSES, { namespace }),
      speakers: cluster.cache(SPEAKER_STATES, { namespace }),
    },
  };
}

async function run(
  { term, signal }: { readonly term: Term; readonly signal: AbortSignal },
  deps: ControllerDeps,
  owned: Owned[],
  onAdopted: () => void,
): Promise<void> {
  const { cluster, clock, log, metrics, namespace } = deps;
  const { services, holds, kinds, states, announce } = caches(deps);
  const { pools, namespaces } = kinds;
  for (const cache of [services, holds, states, ...Object.values(kinds), ...Object.values(announce)]) {
    owned.push(() => cache.close());
  }
  // Caches that others keep warm may not show yet what the last leader wrote.
  await Promise.all([services, pools, namespaces].map((cache) => cache.listedSince(term.since, signal)));
  await Promise.all([services, pools, namespaces].map((cache) => cache.whenSynced(signal)));
  await holdsListed({ ...deps, holds, since: term.since, signal });

  const latest = new Latest(services);
  const allocator = new Allocator({ lbClass: deps.lbClass });
  const counters = new ControllerMetrics(metrics, clock, {
    allocator,
    waiting: () => allocation.waiters.counts(),
    inFlight: () => allocation.inFlight,
  });
  owned.push(counters.close);
  const queue = counters.queue("service");
  const poolQueue = counters.queue("pool");
  const onceQueue = counters.queue("once");
  const holdQueue = counters.queue("hold");
  const enqueue = (key: string) => queue.add(key);
  const background = new Background({ clock, log, signal, idle: () => queue.size === 0 });
  const events = new EventRecorder({ cluster, clock, log, background });
  const onUse = paced(clock, COUNTERS_EVERY_MS, () => {
    for (const object of pools.list()) poolQueue.add(keyOf(object));
  });
  const moves = new MoveBudget({ clock, again: enqueue });
  const allocation = new Allocation({ allocator, get: (key) => latest.get(key), enqueue, moves, onUse });

  const inTurn = (list: readonly Service[]) => {
    for (const key of byTurn(list)) enqueue(key);
  };
  const everyService = () => inTurn(services.list());
  const config = controllerConfiguration({
    kinds,
    namespace,
    clock,
    signal,
    log,
    events,
    onCompiled: (valid) => {
      counters.configured(!valid);
      onceQueue.add("configuration-state");
    },
    onPools: (pools) => {
      if (isAdopting) return;
      const concerned = allocation.configure(pools);
      inTurn(concerned === null ? services.list() : [...concerned].flatMap((key) => services.get(key) ?? []));
    },
    onAdvertisements: everyService,
  });
  const announced = new AnnouncedView(announce, () => config.current.configuration.l2Advertisements);

  let isAdopting = true;
  sayWhoLeads(events, deps);
  const holdSource = new HoldSource({ ...deps, holds, events, signal, onChange: () => holdsChanged() });
  const holdsChanged = () => {
    allocation.setHolds(holdSource.compile(), services.list());
    for (const object of holds.list()) holdQueue.add(keyOf(object));
  };
  holdsChanged();
  allocation.adopt(services.list(), poolConfig(config.refresh()));
  isAdopting = false;
  announced.follow({ onService: enqueue, onAll: everyService });
  services.onChange((key, now) => {
    if (now === undefined || now.spec?.type !== "LoadBalancer") allocation.forget(key);
    else if (latest.isEcho(key, now)) return;
    else allocation.see(key);
    enqueue(key);
  });
  holds.onChange((key, now, before) => {
    if (isSameSpec(now, before)) holdQueue.add(key);
    else holdsChanged();
  });
  pools.onChange((key, now) => {
    // Not only when the pools in force change: one that is deleted and made anew is the same pool without a status.
    if (now !== undefined) poolQueue.add(key);
  });
  states.onChange((key) => {
    if (key === `${namespace}/controller`) onceQueue.add("configuration-state");
  });
  // Conditions about announcing wait for all of these.
  const synced = Promise.all(Object.values(announce).map((cache) => cache.whenSynced(signal)));
  void synced.then(everyService, () => undefined);
  // Services of other types too: one may still carry what it had as a LoadBalancer.
  for (const service of services.list()) if (service.spec?.type !== "LoadBalancer") enqueue(keyOf(service));
  everyService();
  onceQueue.add("memberlist-secret");
  onAdopted();
  log.info("controller ready", { services: services.list().length, pools: allocator.pools.length, namespace });

  const reconciler = new ServiceReconciler({
    cluster,
    clock,
    log,
    allocation,
    announced,
    latest,
    events,
    background,
    pool: (name) => allocator.pools.find((pool) => pool.name === name),
    enqueue,
  });
  const configurationState = configurationStateReconciler({ ...deps, states, findings: () => config.current.findings });
  const onFailure = () => counters.failed();
  const timed = (name: string, reconcile: Reconcile) => counters.timed(name, triedAgain(reconcile, { log, onFailure }));
  await Promise.all([
    runLoop(
      queue,
      timed("service", async (key, stop) => {
        counters.handled();
        const next = await reconciler.reconcile(key, stop);
        background.pump();
        return next;
      }),
      { log, signal, workers: WRITERS, onFailure, clock },
    ),
    runLoop(poolQueue, timed("pool", poolStatusReconciler({ cluster, pools, allocator })), {
      log,
      signal,
      onFailure,
    }),
    runLoop(holdQueue, timed("hold", holdSource.reconcile), { log, signal, onFailure }),
    runLoop(
      onceQueue,
      timed("once", async (key, stop) => {
        if (key === "configuration-state") return configurationState(key, stop);
        await ensureMemberlistSecret(deps, stop);
        return {};
      }),
      { log, signal, onFailure },
    ),
  ]);
}

/** Runs `task` once, `afterMs` after the first of however many calls. */
function paced(clock: Clock, afterMs: number, task: () => void): () => void {
  let waits = false;
  return () => {
    if (waits) return;
    waits = true;
    clock.schedule(afterMs, () => {
      waits = false;
      task();
    });
  };
}

/**
 * Keys of the load balancers among them. Those that hold addresses first: they may free some, and must not wait for
 * those who may get them.
 */
function byTurn(services: readonly Service[]): readonly string[] {
  return services
    .filter(({ spec }) => spec?.type === "LoadBalancer")
    .map(({ metadata, status }) => {
      const key = keyOf({ metadata });
      const holds = (status?.loadBalancer?.ingress ?? []).length > 0;
      return { key, turn: `${holds ? 0 : 1} ${ageOf(metadata.creationTimestamp, key)}` };
    })
    .sort((a, b) => (a.turn < b.turn ? -1 : a.turn > b.turn ? 1 : 0))
    .map(({ key }) => key);
}
