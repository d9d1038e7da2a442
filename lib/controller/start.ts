import type { Service } from "#api/kubernetes";
import {
  byAge,
  CONFIGURATION_STATES,
  ENDPOINT_SLICES,
  IP_ADDRESS_POOLS,
  isSameSpec,
  keyOf,
  L2_ADVERTISEMENTS,
  NAMESPACES,
  NODES,
  SERVICE_L2_STATUSES,
  SERVICES,
  SPEAKER_STATES,
} from "#api/resources";
import { Allocator } from "#core/allocate";
import { errorsAmong, type Finding, findingText } from "#core/findings";
import type { Cluster } from "#kube/port";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import { runLoop } from "#runtime/loop";
import type { Metrics } from "#runtime/metrics";
import type { Runner } from "#runtime/runner";
import { WorkQueue } from "#runtime/work-queue";
import { Allocation } from "./allocation.ts";
import { AnnouncedView } from "./announced.ts";
import { Background } from "./background.ts";
import { configurationStateReconciler } from "./configuration-state.ts";
import { EventRecorder } from "./events.ts";
import { Latest } from "./latest.ts";
import { ensureMemberlistSecret } from "./memberlist-secret.ts";
import { ControllerMetrics } from "./metrics.ts";
import { PoolConfigSource } from "./pool-config.ts";
import { poolStatusReconciler } from "./pool-status.ts";
import { ServiceReconciler } from "./service-reconciler.ts";

export interface ControllerDeps {
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
}

export interface Controller {
  /** True once everything was listed and existing addresses are adopted. */
  ready(): boolean;
  healthy(): boolean;
}

/** Status writes under way at once. Decisions are not among them: each is one synchronous step. */
const WRITERS = 32;
/** Pool counters follow a burst of assignments at this pace. */
const COUNTERS_EVERY_MS = 200;

type Pools = ReturnType<typeof caches>["pools"];

/**
 * Starts the controller. Resolves at once; listing, adopting and working go on
 * under the runner, so that health can be asked for from the beginning. Nothing
 * is assigned before pools, Services and namespaces are fully listed.
 */
export async function startController(runner: Runner, deps: ControllerDeps): Promise<Controller> {
  const { signal } = runner;
  let adopted = false;
  const work = run(runner, deps, () => {
    adopted = true;
  });
  runner.watch("controller", work);
  // Lets the writes under way finish before connections close.
  runner.onStop("controller", () => work.catch(() => undefined));
  return { ready: () => adopted && !signal.aborted, healthy: () => !signal.aborted };
}

function caches({ cluster, namespace }: ControllerDeps) {
  return {
    services: cluster.cache(SERVICES),
    pools: cluster.cache(IP_ADDRESS_POOLS, { namespace }),
    namespaces: cluster.cache(NAMESPACES),
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

async function run(runner: Runner, deps: ControllerDeps, onAdopted: () => void): Promise<void> {
  const { cluster, clock, log, metrics, namespace } = deps;
  const { signal } = runner;
  const { services, pools, namespaces, states, announce } = caches(deps);
  await Promise.all([services, pools, namespaces].map((cache) => cache.whenSynced(signal)));

  const queue = new WorkQueue({ clock });
  const poolQueue = new WorkQueue({ clock });
  const onceQueue = new WorkQueue({ clock });
  const latest = new Latest(services);
  const config = new PoolConfigSource(pools, namespaces);
  const announced = new AnnouncedView(announce);
  const allocator = new Allocator({ lbClass: deps.lbClass });
  const enqueue = (key: string) => queue.add(key);
  const background = new Background({ clock, log, signal, idle: () => queue.size === 0 });
  const events = new EventRecorder({ cluster, clock, log, background });
  const onUse = paced(clock, COUNTERS_EVERY_MS, () => {
    for (const object of pools.list()) poolQueue.add(keyOf(object));
  });
  const allocation = new Allocation({ allocator, get: (key) => latest.get(key), enqueue, onUse });
  const counters = new ControllerMetrics(metrics, allocator, () => allocation.waiters.counts());
  const complain = complainer(pools, events, log);

  const everyService = () => {
    // Those that hold addresses first: they may free some, and must not wait for those who may get them.
    const list = services.list().toSorted((a, b) => held(b) - held(a) || byAge(a, b));
    for (const service of list) if (service.spec?.type === "LoadBalancer") enqueue(keyOf(service));
  };
  const configure = () => {
    const current = config.compile();
    const errors = errorsAmong(current.findings);
    counters.configured(errors.length > 0);
    complain(errors);
    onceQueue.add("configuration-state");
    return current;
  };

  allocation.adopt(services.list(), configure());
  announced.follow({ onService: enqueue, onAll: everyService });
  services.onChange((key, now) => {
    if (now === undefined || now.spec?.type !== "LoadBalancer") allocation.forget(key);
    enqueue(key);
  });
  const reconfigure = () => {
    allocation.configure(configure());
    everyService();
  };
  pools.onChange((key, now, before) => {
    if (isSameSpec(now, before)) poolQueue.add(key);
    else reconfigure();
  });
  namespaces.onChange((_key, now, before) => {
    if (!isSameSpec(now, before)) reconfigure();
  });
  states.onChange((key) => {
    if (key === `${namespace}/controller`) onceQueue.add("configuration-state");
  });
  for (const cache of Object.values(announce)) {
    // Conditions about announcing wait for these; whoever syncs last sets them going.
    void cache.whenSynced(signal).then(everyService, () => undefined);
  }
  // Services of other types too: one may still carry what it had as a LoadBalancer.
  for (const service of services.list()) if (service.spec?.type !== "LoadBalancer") enqueue(keyOf(service));
  everyService();
  onceQueue.add("memberlist-secret");
  onAdopted();
  log.info("controller ready", { services: services.list().length, pools: config.current.pools.length, namespace });

  const reconciler = new ServiceReconciler({
    cluster,
    clock,
    log,
    allocation,
    announced,
    latest,
    events,
    background,
    pool: (name) => config.current.pools.find((pool) => pool.name === name),
    enqueue,
  });
  const configurationState = configurationStateReconciler({ ...deps, states, findings: () => config.current.findings });
  const onFailure = () => counters.failed();
  await Promise.all([
    runLoop(
      queue,
      async (key, stop) => {
        counters.handled();
        const next = await reconciler.reconcile(key, stop);
        background.pump();
        return next;
      },
      { log, signal, workers: WRITERS, onFailure },
    ),
    runLoop(poolQueue, poolStatusReconciler({ cluster, pools, allocator }), { log, signal, onFailure }),
    runLoop(
      onceQueue,
      async (key, stop) => {
        if (key === "configuration-state") return configurationState(key, stop);
        await ensureMemberlistSecret(deps, stop);
        return {};
      },
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

/** A Warning Event on each invalid pool and a line in the log, once per sentence for as long as it stays true. */
function complainer(pools: Pools, events: EventRecorder, log: Log) {
  let said: ReadonlySet<string> = new Set();
  return (findings: readonly Finding[]) => {
    for (const finding of findings) {
      const text = findingText(finding);
      const object = pools.list().find(({ metadata }) => metadata.name === finding.object);
      if (object === undefined || said.has(text)) continue;
      const { apiVersion = "metallb.io/v1beta1" } = object;
      events.emit({ ...object, kind: "IPAddressPool", apiVersion }, "Warning", "ConfigurationError", text);
      log.warn("pool is invalid", { ...finding });
    }
    said = new Set(findings.map(findingText));
  };
}

function held(service: Service): number {
  return (service.status?.loadBalancer?.ingress ?? []).length > 0 ? 1 : 0;
}
