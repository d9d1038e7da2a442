import type { AddressHold } from "#api/holds";
import type { ConfigMap, CoreEvent, Lease, Namespace, Node } from "#api/kubernetes/cluster";
import type { KubeObject } from "#api/kubernetes/objects";
import type { Pod } from "#api/kubernetes/pods";
import type { EndpointSlice, Service } from "#api/kubernetes/services";
import type { DaemonSet, Deployment } from "#api/kubernetes/workloads";
import type { ConfigurationState, IPAddressPool, L2Advertisement, ServiceL2Status, SpeakerState } from "#api/metallb";
import { KUBE_PROXY } from "#api/names";
import type { ResourceRef } from "#api/resources";
import * as resources from "#api/resources";
import type { CacheHealth, Cluster, ObjectCache } from "#kube/port";
import { type Clock, sleep } from "#runtime/clock";
import { last } from "./last.ts";
import { soundAdvertisement, soundConfigurationState, soundL2Status, soundPool, soundSpeakerState } from "./sound.ts";

type Scope = { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string };

/**
 * One watched kind. `revision` grows with every change, so that whatever was
 * derived from it can be kept until then. A kind whose CRD came later is
 * opened again, rather than waiting for the watch's own back-off.
 */
export class Watched<T extends KubeObject> {
  readonly resource: ResourceRef<T>;
  readonly #open: () => ObjectCache<T>;
  readonly #changed: (key: string, before: KubeObject | undefined) => void;
  readonly #list: () => readonly T[];
  readonly #get: (key: string) => T | undefined;
  #cache: ObjectCache<T>;
  #off: () => void;
  #revision = 0;

  constructor(
    cluster: Cluster,
    resource: ResourceRef<T>,
    scope: Scope | undefined,
    changed: (key: string, before: KubeObject | undefined) => void,
    sound: (object: T) => T = (object) => object,
  ) {
    this.resource = resource;
    const soundList = last((list: readonly T[]) => list.map(sound));
    this.#list = () => soundList(this.#cache.list());
    this.#get = (key) => {
      const object = this.#cache.get(key);
      return object === undefined ? undefined : sound(object);
    };
    this.#open = () => cluster.cache(resource, scope);
    this.#changed = changed;
    this.#cache = this.#open();
    this.#off = this.#listen();
  }

  get revision(): number {
    return this.#revision;
  }
  get synced(): boolean {
    return this.#cache.synced;
  }
  get health(): CacheHealth {
    return this.#cache.health;
  }
  list(): readonly T[] {
    return this.#list();
  }
  get(key: string): T | undefined {
    return this.#get(key);
  }
  whenSynced(signal?: AbortSignal): Promise<void> {
    return this.#cache.whenSynced(signal);
  }

  reopen(): void {
    this.#off();
    this.#cache.close();
    this.#cache = this.#open();
    this.#off = this.#listen();
  }

  close(): void {
    this.#off();
    this.#cache.close();
  }

  #listen(): () => void {
    return this.#cache.onChange((key, _now, before) => {
      this.#revision += 1;
      this.#changed(key, before);
    });
  }
}

export type Kind =
  | "services"
  | "slices"
  | "nodes"
  | "pods"
  | "namespaces"
  | "events"
  | "kubeProxy"
  | "deployments"
  | "daemonSets"
  | "pools"
  | "advertisements"
  | "l2Statuses"
  | "configStates"
  | "speakerStates"
  | "holds"
  | "leases"
  | "crds";

/** `before`: the object as it was, undefined when it is new. */
type WorldListener = (kind: Kind, key: string, before: KubeObject | undefined) => void;

/** Every object the dashboard looks at, kept current: one watch per kind, each failing by itself. */
export class World {
  readonly services: Watched<Service>;
  readonly slices: Watched<EndpointSlice>;
  readonly nodes: Watched<Node>;
  /** Of the system namespace only: workloads are seen through EndpointSlices. */
  readonly pods: Watched<Pod>;
  readonly namespaces: Watched<Namespace>;
  readonly events: Watched<CoreEvent>;
  readonly kubeProxy: Watched<ConfigMap>;
  readonly deployments: Watched<Deployment>;
  readonly daemonSets: Watched<DaemonSet>;
  readonly pools: Watched<IPAddressPool>;
  readonly advertisements: Watched<L2Advertisement>;
  readonly l2Statuses: Watched<ServiceL2Status>;
  readonly configStates: Watched<ConfigurationState>;
  readonly speakerStates: Watched<SpeakerState>;
  readonly holds: Watched<AddressHold>;
  readonly leases: Watched<Lease>;
  readonly crds: Watched<KubeObject>;
  readonly all: readonly Watched<KubeObject>[];
  readonly #listeners = new Set<WorldListener>();
  readonly #clock: Clock;

  constructor(cluster: Cluster, namespace: string, clock: Clock) {
    this.#clock = clock;
    const watch = <T extends KubeObject>(
      kind: Kind,
      resource: ResourceRef<T>,
      scope?: Scope,
      sound?: (object: T) => T,
    ) => new Watched<T>(cluster, resource, scope, (key, before) => this.#tell(kind, key, before), sound);
    const own = { namespace };
    this.services = watch("services", resources.SERVICES);
    this.slices = watch("slices", resources.ENDPOINT_SLICES);
    this.nodes = watch("nodes", resources.NODES);
    this.pods = watch("pods", resources.PODS, own);
    this.namespaces = watch("namespaces", resources.NAMESPACES);
    this.events = watch("events", resources.EVENTS);
    this.kubeProxy = watch("kubeProxy", resources.CONFIG_MAPS, {
      namespace: KUBE_PROXY.namespace,
      fieldSelector: `metadata.name=${KUBE_PROXY.name}`,
    });
    this.deployments = watch("deployments", resources.DEPLOYMENTS, own);
    this.daemonSets = watch("daemonSets", resources.DAEMON_SETS, own);
    this.pools = watch("pools", resources.IP_ADDRESS_POOLS, own, soundPool);
    this.advertisements = watch("advertisements", resources.L2_ADVERTISEMENTS, own, soundAdvertisement);
    this.l2Statuses = watch("l2Statuses", resources.SERVICE_L2_STATUSES, own, soundL2Status);
    this.configStates = watch("configStates", resources.CONFIGURATION_STATES, own, soundConfigurationState);
    this.speakerStates = watch("speakerStates", resources.SPEAKER_STATES, own, soundSpeakerState);
    this.holds = watch("holds", resources.ADDRESS_HOLDS);
    this.leases = watch("leases", resources.LEASES, own);
    this.crds = watch("crds", resources.CRDS);
    this.all = [
      this.services,
      this.slices,
      this.nodes,
      this.pods,
      this.namespaces,
      this.events,
      this.kubeProxy,
      this.deployments,
      this.daemonSets,
      this.pools,
      this.advertisements,
      this.l2Statuses,
      this.configStates,
      this.speakerStates,
      this.holds,
      this.leases,
      this.crds,
    ];
  }

  /** Grows with every change of any kind. */
  get revision(): number {
    return this.all.reduce((sum, kind) => sum + kind.revision, 0);
  }

  onChange(listener: WorldListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Waits until `test` holds, looking again after every change and at least
   * every 250 ms. Returns whether it came true within `withinMs`.
   */
  async until(test: () => boolean, withinMs: number, signal?: AbortSignal): Promise<boolean> {
    const deadline = this.#clock.monotonic() + withinMs;
    while (!test()) {
      const left = deadline - this.#clock.monotonic();
      if (left <= 0) return false;
      await this.#nextChange(Math.min(left, 250), signal);
    }
    return true;
  }

  /** Waits (at most 1 s) for a cache to show what this process has just written, so that a read after it sees it. */
  seen<T extends KubeObject>(kind: Watched<T>, key: string, written: T | undefined): Promise<boolean> {
    const version = written?.metadata.resourceVersion;
    return this.until(() => {
      const held = kind.get(key);
      if (written === undefined) return held === undefined;
      return held !== undefined && atLeast(held.metadata.resourceVersion, version);
    }, 1_000);
  }

  close(): void {
    this.#listeners.clear();
    for (const kind of this.all) kind.close();
  }

  #nextChange(withinMs: number, signal: AbortSignal | undefined): Promise<void> {
    const woken = new AbortController();
    const off = this.onChange(() => woken.abort());
    const stop = signal === undefined ? woken.signal : AbortSignal.any([woken.signal, signal]);
    return sleep(this.#clock, withinMs, stop).then(
      () => off(),
      () => {
        off();
        if (signal?.aborted) throw signal.reason;
      },
    );
  }

  #tell(kind: Kind, key: string, before: KubeObject | undefined): void {
    if (kind === "crds") this.#reopen(key);
    for (const listener of this.#listeners) listener(kind, key, before);
  }

  /** A CRD ("ipaddresspools.metallb.io") appeared or changed: its kind, if still unlisted, is tried again now. */
  #reopen(crd: string): void {
    for (const watched of this.all) {
      const { group, plural } = watched.resource;
      if (crd === `${plural}.${group}` && !watched.synced) watched.reopen();
    }
  }
}

/** resourceVersions are opaque; where both are numbers (every real server) newer counts, else equality. */
function atLeast(held: string | undefined, wanted: string | undefined): boolean {
  if (held === undefined || wanted === undefined || held === wanted) return true;
  if (!/^\d+$/.test(held) || !/^\d+$/.test(wanted)) return false;
  return BigInt(held) >= BigInt(wanted);
}
