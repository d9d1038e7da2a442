/** For `server-events.ts`: changes of every kind that a dashboard watches and a cluster never ends to make. */
import type { KubeObject } from "#api/kubernetes/objects";
import { NAMESPACE } from "#api/names";
import {
  ENDPOINT_SLICES,
  EVENTS,
  IP_ADDRESS_POOLS,
  L2_ADVERTISEMENTS,
  NODES,
  type ResourceRef,
  SERVICE_L2_STATUSES,
  SERVICES,
  SPEAKER_STATES,
} from "#api/resources";
import { HOLLOW_NAMESPACE, hollowNodeName, hollowService } from "#sandbox/hollow/objects";
import type { Objects } from "#sandbox/port";

/** Per round; of Services that come and go each is `LIFE` changes. */
const ROUND = { ports: 60, addresses: 10, slices: 10, nodes: 6, speakers: 6, lives: 5 } as const;

export class EventsSource {
  /** Changes made so far. */
  made = 0;
  readonly #objects: Objects;
  readonly #services: number;
  readonly #nodes: number;
  #turn = 0;

  constructor(objects: Objects, size: { readonly services: number; readonly nodes: number }) {
    this.#objects = objects;
    this.#services = size.services;
    this.#nodes = size.nodes;
  }

  /** What is changed later, beside the hollow cluster: a pool for every Service, endpoints of every tenth, a speaker on every node. */
  async seed(): Promise<void> {
    await this.#create(IP_ADDRESS_POOLS, "large", { spec: { addresses: ["127.78.0.0/19"] } });
    await this.#create(L2_ADVERTISEMENTS, "large", { spec: { ipAddressPools: ["large"] } });
    await this.#create(SERVICES, "marker", { spec: { ports: [{ port: 1 }] } });
    for (let index = 0; index < this.#services; index += 10) await this.#slice(nameOf(index), index);
    for (let index = 0; index < this.#services; index += 2) await this.#address(index, index);
    for (let index = 0; index < this.#nodes; index++) {
      const name = hollowNodeName(index);
      await this.#create(SPEAKER_STATES, name, {});
      await this.#speaker(name);
    }
  }

  /** Some hundred changes; no object twice at a time. */
  async round(): Promise<void> {
    const work: Promise<unknown>[] = [];
    const each = (count: number, change: (turn: number) => Promise<unknown>) => {
      for (let n = 0; n < count; n++) work.push(change(this.#turn++));
    };
    each(ROUND.ports, (turn) => this.#ports(nameOf(this.#pick(turn)), 1 + (turn % 60_000)));
    each(ROUND.addresses, (turn) => this.#address(this.#pick(turn) & ~1, turn));
    each(ROUND.slices, (turn) => this.#merge(ENDPOINT_SLICES, sliceOf((turn * 10) % this.#services), endpoints(turn)));
    each(ROUND.nodes, (turn) => {
      const type = "MemoryPressure";
      const conditions = [
        { type: "Ready", status: "True", lastHeartbeatTime: now() },
        { type, status: "False", lastHeartbeatTime: now() },
      ];
      return this.#merge(NODES, hollowNodeName(turn % this.#nodes), { status: { conditions } }, "status");
    });
    each(ROUND.speakers, (turn) => this.#speaker(hollowNodeName(turn % this.#nodes)));
    each(ROUND.lives, (turn) => this.#life(`coming-${turn}`, turn));
    await Promise.all(work);
  }

  /** A Service's only port; to be seen in its row. */
  async mark(port: number): Promise<void> {
    await this.#ports("marker", port);
  }

  /** A Service that comes, with all that names it, and goes. */
  async #life(name: string, turn: number): Promise<void> {
    const { spec } = hollowService(0);
    await this.#create(SERVICES, name, { spec });
    await this.#slice(name, turn);
    await this.#create(SERVICE_L2_STATUSES, name, {});
    const status = {
      node: hollowNodeName(turn % this.#nodes),
      serviceName: name,
      serviceNamespace: HOLLOW_NAMESPACE,
      interfaces: [{ name: "eth0" }],
    };
    await this.#merge(SERVICE_L2_STATUSES, name, { status }, "status");
    await this.#create(EVENTS, `${name}.${turn}`, {
      involvedObject: { apiVersion: "v1", kind: "Service", namespace: HOLLOW_NAMESPACE, name },
      reason: "IPAllocated",
      message: `Assigned IP ["127.78.9.${turn % 256}"]`,
      type: "Normal",
      count: 1,
      firstTimestamp: now(),
      lastTimestamp: now(),
    });
    const pool = turn % 100 === 0;
    if (pool) await this.#create(IP_ADDRESS_POOLS, name, { spec: { addresses: [`127.79.${turn % 256}.0/24`] } });
    for (const ref of [SERVICES, ENDPOINT_SLICES, SERVICE_L2_STATUSES]) await this.#remove(ref, name);
    await this.#remove(EVENTS, `${name}.${turn}`);
    if (pool) await this.#remove(IP_ADDRESS_POOLS, name);
  }

  #pick(turn: number): number {
    return (turn * 7919) % this.#services;
  }

  #ports(name: string, port: number): Promise<unknown> {
    const ports = [{ name: "http", port, protocol: "TCP", targetPort: 8080 }];
    return this.#merge(SERVICES, name, { spec: { ports } });
  }

  #address(index: number, turn: number): Promise<unknown> {
    // A range of its own for each, so that no two have the same.
    const ip = `127.78.${(index >> 8) & 31}.${(index & 254) | (turn & 1)}`;
    return this.#merge(SERVICES, nameOf(index), { status: { loadBalancer: { ingress: [{ ip }] } } }, "status");
  }

  #slice(service: string, turn: number): Promise<void> {
    const labels = { "kubernetes.io/service-name": service };
    return this.#create(ENDPOINT_SLICES, service, { labels, addressType: "IPv4", ...endpoints(turn) });
  }

  #speaker(name: string): Promise<unknown> {
    const interfaces = [{ name: "eth0", mac: "02:be:77:00:00:11", up: true }];
    const status = { node: name, ready: true, heartbeatAt: now(), memoryBytes: 7e7 + this.made, interfaces };
    return this.#merge(SPEAKER_STATES, name, { status }, "status");
  }

  async #create(ref: ResourceRef, name: string, body: { readonly labels?: object; readonly [field: string]: unknown }) {
    const { labels = {}, ...rest } = body;
    const apiVersion = ref.group === "" ? ref.version : `${ref.group}/${ref.version}`;
    const metadata = { name, labels, ...placeOf(ref) };
    await this.#objects.create(ref, { apiVersion, kind: ref.kind, metadata, ...rest } as KubeObject);
    this.made += 1;
  }

  async #merge(ref: ResourceRef, name: string, body: object, subresource?: "status"): Promise<void> {
    const patch = { kind: "merge", body, ...(subresource === undefined ? {} : { subresource }) } as const;
    await this.#objects.patch(ref, { name, ...placeOf(ref) }, patch);
    this.made += 1;
  }

  async #remove(ref: ResourceRef, name: string): Promise<void> {
    await this.#objects.remove(ref, { name, ...placeOf(ref) });
    this.made += 1;
  }
}

function placeOf({ group, namespaced }: ResourceRef): { readonly namespace?: string } {
  if (!namespaced) return {};
  return { namespace: group === "metallb.io" || group === "berth.dev" ? NAMESPACE : HOLLOW_NAMESPACE };
}

const now = () => new Date().toISOString().replace(/\.\d+Z$/, "Z");
const nameOf = (index: number) => hollowService(index).metadata.name ?? "";
const sliceOf = (index: number) => nameOf(index - (index % 10));
const endpoints = (turn: number) => ({
  endpoints: [0, 1, 2].map((pod) => ({
    addresses: [`10.160.${turn & 255}.${pod + 1}`],
    nodeName: hollowNodeName((turn + pod) % 3),
    conditions: { ready: (turn + pod) % 5 !== 0 },
    targetRef: { kind: "Pod", name: `pod-${turn % 1000}-${pod}` },
  })),
});
