import type { ServiceRow } from "#api/dashboard/services";
import type { KubeObject } from "#api/kubernetes/objects";
import type { Pod } from "#api/kubernetes/pods";
import type { ServiceL2Status } from "#api/metallb";
import { LABEL } from "#api/names";
import { addressesOf } from "./objects-to-facts.ts";
import type { View } from "./view.ts";
import type { Kind, World } from "./world.ts";

export type Area = "pools" | "advertisements" | "components" | "activity";

/** What a change of one kind touches beyond Services and nodes. */
const TOUCHES: Readonly<Record<Kind, readonly Area[]>> = {
  services: ["pools"],
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
  crds: [],
};

/** Heartbeats come from every node all the time; what only shows their figures may lag by a second. */
const SLOW: readonly Area[] = ["components", "advertisements"];

/** What has to be made anew. Costs nothing until rows are asked for. */
export class Dirty {
  readonly #world: World;
  readonly #areas = new Set<Area>();
  readonly #services = new Set<string>();
  readonly #nodes = new Set<string>();
  #allServices = false;
  #allNodes = false;
  /** Services that are not settled depend on what the speakers and other Services do. */
  #unsettled = false;
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

  everyService(): void {
    this.#allServices = true;
    this.#allNodes = true;
  }

  changed(kind: Kind, key: string, before: KubeObject | undefined): void {
    for (const area of TOUCHES[kind]) this.#areas.add(area);
    switch (kind) {
      case "services":
        this.#serviceChanged(key);
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
      case "pools":
      case "advertisements":
        this.#allNodes = true;
        break;
      default:
        break;
    }
    if (kind === "services" || kind === "slices" || kind === "speakerStates" || kind === "holds")
      this.#unsettled = true;
  }

  /** Once a second. */
  settleSlow(): void {
    if (this.#slow) for (const area of SLOW) this.#areas.add(area);
    this.#slow = false;
  }

  takeServices(rows: readonly ServiceRow[]): ReadonlySet<string> | "all" {
    const everything = this.#allServices;
    const keys = new Set(this.#services);
    if (this.#unsettled && !everything) {
      for (const row of rows) if (!SETTLED.has(row.status)) keys.add(row.key);
    }
    this.#services.clear();
    this.#allServices = false;
    this.#unsettled = false;
    return everything ? "all" : keys;
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

  #serviceChanged(key: string): void {
    this.#services.add(key);
    const service = this.#world.services.get(key);
    const now = service === undefined ? [] : addressesOf(service);
    const before = this.#addresses.get(key) ?? [];
    if (now.join() === before.join()) return;
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

const SETTLED: ReadonlySet<string> = new Set(["ready", "not_exposed", "not_ours"]);
