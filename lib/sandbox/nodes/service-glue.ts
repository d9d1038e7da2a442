import type { EndpointSlice, Service } from "#api/kubernetes/services";
import { ENDPOINT_SLICES, SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import { Coalesced } from "#runtime/coalesced";
import type { Log } from "#runtime/log";
import type { Edge } from "../edge/start.ts";
import type { LanHost } from "../lan/host.ts";
import type { Objects, ObjectView } from "../port.ts";
import type { NodeProxy } from "../proxy/node-proxy.ts";
import { buildTable } from "../proxy/table.ts";
import { ReachableAt, wantedListeners } from "./reachable-at.ts";

interface ServiceGlueDeps {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly log: Log;
  readonly edge: Edge;
  readonly hosts: readonly LanHost[];
  readonly proxies: readonly NodeProxy[];
}

/** A listener that could not be had is tried again this often. */
const RETRY_MS = 10_000;

/**
 * Carries Services and EndpointSlices into the data path: the table of every
 * node's proxy, the addresses of kube-ipvs0, the edge's listeners, and back the
 * annotation that says where a mapped address can be reached. A change is in force within milliseconds.
 */
export class ServiceGlue {
  readonly #deps: ServiceGlueDeps;
  readonly #services: ObjectView<Service>;
  readonly #slices: ObjectView<EndpointSlice>;
  readonly #apply: Coalesced;
  readonly #reachableAt: ReachableAt;
  readonly #stops: (() => void)[] = [];
  #listening = "";

  constructor(deps: ServiceGlueDeps) {
    this.#deps = deps;
    const { objects, clock, log, edge } = deps;
    this.#services = objects.cache(SERVICES);
    this.#slices = objects.cache(ENDPOINT_SLICES);
    const onError = (error: unknown) => log.error("services not applied", { error: Fault.from(error).message });
    this.#apply = new Coalesced({ clock, minGapMs: 5, task: () => this.#run(), onError });
    this.#reachableAt = new ReachableAt({ objects, clock, log, edge, services: this.#services });
  }

  /** Both caches must be synced. */
  start(): void {
    const again = () => this.#apply.request(2);
    this.#stops.push(this.#services.onChange(again), this.#slices.onChange(again));
    this.#run();
    this.#scheduleRetry();
  }

  close(): void {
    this.#apply.close();
    this.#reachableAt.close();
    for (const stop of this.#stops) stop();
  }

  #run(): void {
    const { hosts, proxies } = this.#deps;
    const services = this.#services.list();
    const table = buildTable(services, this.#slices.list());
    for (const proxy of proxies) proxy.update(table);
    for (const host of hosts) host.setLoadBalancerAddresses(table.loadBalancerAddresses);
    this.#listen(services);
    this.#reachableAt.refresh();
  }

  #listen(services: readonly Service[]): void {
    const wanted = wantedListeners(services);
    const text = JSON.stringify(wanted.map(({ address, port, protocol, key }) => [address, port, protocol, key]));
    if (text === this.#listening) return;
    this.#listening = text;
    // Never rejects; what could not be bound is told by `reachable`.
    void this.#deps.edge.setListeners(wanted).then(() => this.#reachableAt.settled());
  }

  #scheduleRetry(): void {
    const cancel = this.#deps.clock.schedule(RETRY_MS, () => {
      if (this.#deps.edge.reachable().some(({ at }) => at === null)) {
        this.#listening = "";
        this.#apply.request();
      }
      this.#reachableAt.refresh();
      this.#scheduleRetry();
    });
    this.#stops[2] = cancel;
  }
}
