/**
 * The one slot that route handlers and the process that serves them share.
 * Next bundles each side apart (style.md part 5), so nothing else that the
 * dashboard remembers may live in a module.
 */
import type { KubeObject } from "#api/kubernetes/objects";
import type { ProbeCommand, ProbeMessage } from "#api/probe";
import { Fault } from "#core/errors";
import type { Cluster } from "#kube/port";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Views } from "./facts.ts";
import type { Hub } from "./hub.ts";
import type { Operations } from "./operations.ts";
import type { Probes } from "./probes.ts";
import type { World } from "./world.ts";

/** The prober's process, seen from here. `send` never throws; what is sent while it is not alive is lost. */
export interface Prober {
  send(command: ProbeCommand): void;
  onMessage(listener: (message: ProbeMessage) => void): () => void;
  readonly alive: boolean;
}

/** What deploy/ holds, parsed, in the order in which it is applied. */
export interface Manifests {
  readonly namespace: readonly KubeObject[];
  readonly crds: readonly KubeObject[];
  readonly rbac: readonly KubeObject[];
  readonly controller: readonly KubeObject[];
  readonly speaker: readonly KubeObject[];
  readonly demo: readonly KubeObject[];
}

/** What `lib/main/dashboard.ts` builds and hands to `startDashboard`. */
export interface ServerContext {
  readonly cluster: Cluster;
  readonly sandbox: boolean;
  readonly clusterName: string;
  /** URL of the API server, for people. */
  readonly server: string;
  readonly user: string;
  /** Where the controller and the speakers live: "metallb-system". */
  readonly namespace: string;
  readonly prober: Prober;
  manifests(): Manifests;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Further host names (without port) by which browsers may reach this server; loopback is always one. */
  readonly hosts?: readonly string[];
}

/** The running dashboard: what route handlers get. */
export interface Dashboard extends ServerContext {
  readonly world: World;
  readonly views: Views;
  readonly hub: Hub;
  readonly operations: Operations;
  readonly probes: Probes;
  /** Prometheus text of the dashboard's own counters. */
  metrics(): string;
  close(): void;
}

const SLOT = Symbol.for("berth.context");

export function fillSlot(dashboard: Dashboard | undefined): void {
  Reflect.set(globalThis, SLOT, dashboard);
}

/** The running dashboard. Throws `unavailable` while the process is still starting. */
export function dashboard(): Dashboard {
  const found: unknown = Reflect.get(globalThis, SLOT);
  if (typeof found === "object" && found !== null && "hub" in found) return found as Dashboard;
  throw new Fault("unavailable", "The dashboard is still starting. Try again in a moment.");
}
