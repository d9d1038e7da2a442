import {
  CONFIG_MAPS,
  CONTROLLER_REVISIONS,
  CRDS,
  DAEMON_SETS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  ENDPOINTS,
  LEASES,
  NAMESPACES,
  NODES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from "#api/resources";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import { builtinKinds } from "#sandbox/kinds/registry";
import type { Objects } from "../port.ts";
import type { ControllerContext } from "./context.ts";
import { startDaemonSets } from "./daemon-set.ts";
import { startDeployments } from "./deployment.ts";
import { startDisruption } from "./disruption.ts";
import { startEndpointSlices } from "./endpoint-slices.ts";
import { eventRecorder } from "./events.ts";
import { startEviction } from "./eviction.ts";
import { startGarbageCollector } from "./garbage.ts";
import { startNamespaces } from "./namespaces.ts";
import { startNodeLifecycle } from "./node-lifecycle.ts";
import { startReplicaSets } from "./replica-set.ts";
import { startScheduler } from "./scheduler.ts";

export interface ControllersOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the controllers, like `close`. */
  readonly signal?: AbortSignal;
  /** How long a node's Lease may stay unrenewed before the node counts as unreachable. Default 40 s, as upstream. */
  readonly nodeGraceMs?: number;
  /** PEM of the cluster's authority, for the ConfigMap kube-root-ca.crt of every namespace. */
  readonly ca?: string;
}

export interface Controllers {
  /** Stops taking up work and resolves when what was under way has ended. */
  close(): Promise<void>;
}

const USED = [
  CONFIG_MAPS,
  CONTROLLER_REVISIONS,
  CRDS,
  DAEMON_SETS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  ENDPOINTS,
  NAMESPACES,
  NODES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  SERVICE_ACCOUNTS,
  SERVICES,
];

/**
 * Starts everything that a cluster's controller-manager and scheduler do in the sandbox: Deployments, ReplicaSets,
 * DaemonSets, EndpointSlices, scheduling, disruption budgets, namespaces, owner collection, node lifecycle. Level-triggered: what happened
 * while it was not running is caught up with.
 */
export async function startControllers(objects: Objects, options: ControllersOptions): Promise<Controllers> {
  const { clock, log, nodeGraceMs = 40_000 } = options;
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal]);
  const events = eventRecorder(objects, clock, log);
  const context: ControllerContext = { objects, clock, log, signal, events };
  const kinds = builtinKinds();
  await Promise.all([
    ...USED.map((resource) => objects.cache(resource).whenSynced(signal)),
    objects.cache(LEASES, { namespace: "kube-node-lease" }).whenSynced(signal),
  ]);
  const running = [
    startNamespaces(context, kinds, options.ca),
    startDeployments(context),
    startReplicaSets(context),
    startDaemonSets(context),
    startScheduler(context),
    startEndpointSlices(context),
    startNodeLifecycle(context, nodeGraceMs),
    startEviction(context),
    startDisruption(context),
    startGarbageCollector(context, kinds),
  ];
  log.info("cluster controllers running", { controllers: running.length });
  return {
    async close() {
      stop.abort();
      await Promise.all(running);
      await events.idle();
    },
  };
}
