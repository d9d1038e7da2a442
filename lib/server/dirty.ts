import type { ServiceRow } from "#api/dashboard/services";
import type { KubeObject } from "#api/kubernetes/objects";
import type { Pod } from "#api/kubernetes/pods";
import type { Service } from "#api/kubernetes/services";
import type { ServiceL2Status } from "#api/metallb";
import { LABEL } from "#api/names";
import { keyOf } from "#api/resources";
import type { Address } from "#core/address";
import { serviceView } from "#core/service-view";
import { addressesOf } from "./objects-to-facts.ts";
import type { View } from "./view.ts";
import type { Kind, World } from "./world.ts";

type Area = "pools" | "advertisements" | "components" | "activity";

/** What a change of one kind touches beyond Services and nodes. */
const TOUCHES: Readonly<Record<Kind, readonly Area[]>> = {
  services: [],
  slices: [],
  nodes: ["pools", "advertisements"],
  pods: ["components"],
  namespaces: ["pools"],
  events: ["activity"],
  kubeProxy: [],
  deployments: ["components"],
  daemonSets: ["components"],
  pools: ["pools", "advertisements"],
  advertisements: ["pools", "advertisements"],
  l2Statuses: [],
  configStates: ["components"],
  speakerStates: [],
  holds: ["pools"],
  leases: [],
  crds: [],
};

/** So many waiting Services are judged again at once when another's address changes; of more, that may lag by a second. */
const WAITING_AT_ONCE = 200;
/** Of the Services that are due only because something decides about all of them, so many are taken in one batch. */
const BATCH = 500;

/** Heartbeats come from every node all the time; what only shows their figures may lag by a second. */
const SLOW: readonly Area[] = ["components", "advertisements"];

/** What has to be made anew. Costs nothing until rows are asked for. */
export class Dirty {
  readonly #world: World;
  readonly #areas = new Set<Area>();
  readonly #services = new Set<string>();
  /** Due after those above, so that what changed itself never waits for a cluster full of others. */
  readonly #others = new Set<string>();
  readonly #nodes = new Set<string>();
  #allServices = false;
  #allNodes = false;
  /** What other Services hold has changed: those that wait for an address depend on it. */
  #freed = false;
  #second = false;
  #slow = false;
  /** Per node what its row last said it announces. */
  #announced = new Map<string, string>();
  /** Addresses by Service and back, so that a Service's neighbours on a shared address follow it. */
  readonly #addresses = new Map<string, readonly string[]>();
  readonly #holders = new Map<string, Set<string>>();

  constructor(world: World) {
    this.#world = world;
  }

  all(): void {
    this.#allServices = true;
    this.#allNodes = true;
    for (const area of ["pools", "advertisements", "components", "activity"] as const) this.#areas.add(area);
  }

  /** What decides about all Services changed. Of those that ask for no address nothing else decides but themselves. */
  everyBalancer(): void {
    for (const service of this.#world.services.list()) {
      if (service.spec?.type === "LoadBalancer") this.#others.add(keyOf(service));
    }
    this.#allNodes = true;
  }

  /**
   * Other pools are in force. Due are those load balancers only that hold an address of which `isChanged` is true, and
   * those that ask for something they do not have.
   */
  poolsChanged(isChanged: (address: Address) => boolean): void {
    for (const service of this.#world.services.list()) {
      if (service.spec?.type !== "LoadBalancer") continue;
      const { key, held, requestProblem, dualStack } = serviceView(service);
      const hasAll = held !== null && held.length > 0 && requestProblem === null && dualStack !== "prefer";
      if (!hasAll || held.some(isChanged)) this.#others.add(key);
    }
  }

  /** Something is due that the last batch left. */
  get more(): boolean {
    return this.#others.size > 0;
  }

  changed(kind: Kind, key: string, before: KubeObject | undefined): void {
    for (const area of TOUCHES[kind]) this.#areas.add(area);
    switch (kind) {
      case "services":
        this.#serviceChanged(key, before as Service | undefined);
        break;
      case "slices":
        this.#named(serviceOfSlice(this.#world.slices.get(key) ?? before));
        break;
      case "l2Statuses":
        this.#named(serviceOfStatus(this.#world.l2Statuses.get(key) ?? before));
        break;
      case "nodes":
        this.#nodes.add(key);
        break;
      case "pods":
        this.#nodes.add((this.#world.pods.get(key) ?? (before as Pod | undefined))?.spec?.nodeName ?? "");
        break;
      case "speakerStates":
        this.#nodes.add(key.split("/").at(-1) ?? "");
        this.#slow = true;
        break;
      case "leases":
        this.#slow = true;
        break;
      case "pools":
      case "advertisements":
        this.#allNodes = true;
        break;
      default:
        break;
    }
    if (kind === "holds") this.#freed = true;
  }

  /** Once a second. */
  settleSlow(): void {
    this.#second = true;
    if (this.#slow) for (const area of SLOW) this.#areas.add(area);
    this.#slow = false;
  }

  takeServices(rows: () => readonly ServiceRow[]): ReadonlySet<string> | "all" {
    const everything = this.#allServices;
    const keys = everything ? new Set<string>() : this.#some(rows);
    if (everything) this.#others.clear();
    this.#services.clear();
    this.#allServices = false;
    if (everything) this.#freed = false;
    return everything ? "all" : keys;
  }

  #some(rows: () => readonly ServiceRow[]): ReadonlySet<string> {
    const keys = new Set(this.#services);
    if (this.#freed) {
      const waiting = rows().filter(isWaiting);
      if (waiting.length <= WAITING_AT_ONCE || this.#second) {
        for (const { key } of waiting) (waiting.length <= WAITING_AT_ONCE ? keys : this.#others).add(key);
        this.#freed = false;
      }
    }
    this.#second = false;
    for (const key of this.#others) {
      if (keys.size >= BATCH) break;
      keys.add(key);
      this.#others.delete(key);
    }
    return keys;
  }

  takeNodes(view: View): ReadonlySet<string> | "all" {
    const everything = this.#allNodes;
    const names = new Set(this.#nodes);
    const announced = new Map<string, string>();
    for (const { metadata } of view.facts.nodes) {
      const name = metadata.name ?? "";
      const now = view
        .announcedOn(name)
        .map((key) => `${key} ${view.addressesOf(key).join(" ")}`)
        .join(",");
      announced.set(name, now);
      if (this.#announced.get(name) !== now) names.add(name);
    }
    this.#announced = announced;
    this.#nodes.clear();
    this.#allNodes = false;
    names.delete("");
    return everything ? "all" : names;
  }

  takeAreas(): ReadonlySet<Area> {
    const areas = new Set(this.#areas);
    this.#areas.clear();
    return areas;
  }

  #serviceChanged(key: string, old: Service | undefined): void {
    this.#services.add(key);
    this.#others.delete(key);
    const service = this.#world.services.get(key);
    const now = service === undefined ? [] : addressesOf(service);
    const before = this.#addresses.get(key) ?? [];
    // One that holds nothing takes nothing from others; of one that does, its request says who may share.
    if (now.length + before.length > 0 && !(service && old && claimsAlike(service, old))) this.#freed = true;
    if (now.join() === before.join()) return;
    this.#areas.add("pools");
    this.#addresses.set(key, now);
    // Others on the same address show whether they share it.
    for (const address of new Set([...now, ...before])) {
      const holders = this.#holders.get(address) ?? new Set();
      for (const other of holders) this.#services.add(other);
      if (now.includes(address)) holders.add(key);
      else holders.delete(key);
      if (holders.size > 0) this.#holders.set(address, holders);
      else this.#holders.delete(address);
    }
    if (now.length === 0) this.#addresses.delete(key);
  }

  #named(service: string | null): void {
    if (service === null) this.#allServices = true;
    else this.#services.add(service);
  }
}

function serviceOfSlice(slice: KubeObject | undefined): string | null {
  const name = slice?.metadata.labels?.[LABEL.sliceService];
  return name === undefined ? null : `${slice?.metadata.namespace}/${name}`;
}

function serviceOfStatus(object: ServiceL2Status | KubeObject | undefined): string | null {
  const { status } = (object ?? {}) as Partial<ServiceL2Status>;
  return status?.serviceName === undefined ? null : `${status.serviceNamespace}/${status.serviceName}`;
}

function claimsAlike(one: Service, other: Service): boolean {
  return JSON.stringify(claimOf(one)) === JSON.stringify(claimOf(other));
}

/** What of a Service decides about others: heartbeats of GitOps tools and probes in annotations are no such thing. */
function claimOf(service: Service) {
  const { createdAt, isLoadBalancer, loadBalancerClass, sharingKey, ports, backendKey, ingress } = serviceView(service);
  return [createdAt, isLoadBalancer, loadBalancerClass, sharingKey, ports, backendKey, ingress];
}

/** What the others hold decides only about one that asks and has nothing. */
function isWaiting({ status, addresses }: ServiceRow): boolean {
  return addresses.length === 0 && (status === "pending" || status === "in_progress");
}
