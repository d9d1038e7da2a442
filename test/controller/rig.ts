import type { AddressHold } from "#api/holds";
import type { CoreEvent, Node } from "#api/kubernetes/cluster";
import type { Service } from "#api/kubernetes/services";
import type { IPAddressPool, L2Advertisement, SpeakerState } from "#api/metallb";
import { ANNOTATION, CONDITION } from "#api/names";
import {
  ADDRESS_HOLDS,
  EVENTS,
  IP_ADDRESS_POOLS,
  L2_ADVERTISEMENTS,
  NAMESPACES,
  NODES,
  SERVICES,
  SPEAKER_STATES,
} from "#api/resources";
import { type Controller, startController } from "#controller/start";
import { silentLog } from "#runtime/log";
import { Metrics } from "#runtime/metrics";
import { Runner } from "#runtime/runner";
import { type MemoryCluster, MemoryServer } from "../support/memory-cluster.ts";
import { settle, VirtualClock } from "../support/virtual-clock.ts";

export const NS = "metallb-system";

export function pool(
  name: string,
  addresses: string | readonly string[],
  spec: Partial<IPAddressPool["spec"]> = {},
): IPAddressPool {
  return {
    metadata: { name, namespace: NS },
    spec: { addresses: [addresses].flat(), autoAssign: true, avoidBuggyIPs: false, ...spec },
  };
}

export interface ServiceOver {
  readonly annotations?: Record<string, string>;
  readonly spec?: Service["spec"];
  readonly ingress?: readonly string[];
  readonly createdAt?: string;
}

export function service(name: string, { annotations, spec, ingress = [], createdAt }: ServiceOver = {}): Service {
  return {
    metadata: {
      name,
      namespace: "default",
      ...(annotations && { annotations }),
      ...(createdAt && { creationTimestamp: createdAt }),
    },
    spec: { type: "LoadBalancer", clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.1"], ports: [{ port: 80 }], ...spec },
    status: { loadBalancer: ingress.length === 0 ? {} : { ingress: ingress.map((ip) => ({ ip })) } },
  };
}

export function node(name: string): Node {
  return { metadata: { name, labels: { "kubernetes.io/hostname": name } } };
}

export function speaker(
  name: string,
  members: readonly string[],
  over: Partial<SpeakerState["status"]> = {},
): SpeakerState {
  return {
    metadata: { name, namespace: NS },
    status: {
      node: name,
      ready: true,
      interfaces: [{ name: "eth0", mac: "02:be:77:00:00:11", up: true }],
      members: members.map((each) => ({ node: each, alive: true, ready: true })),
      ...over,
    },
  };
}

export function advertisement(name: string, spec: L2Advertisement["spec"] = {}): L2Advertisement {
  return { metadata: { name, namespace: NS }, spec };
}

export function hold(name: string, addresses: string | readonly string[], spec: Partial<AddressHold["spec"]> = {}) {
  return { metadata: { name }, spec: { addresses: [addresses].flat(), reason: "reserved", ...spec } } as AddressHold;
}

/** A controller on a server in memory, with time in the test's hands. */
export class Rig {
  readonly clock = new VirtualClock();
  readonly server = new MemoryServer(this.clock);
  cluster: MemoryCluster;
  metrics = new Metrics();
  controller: Controller | null = null;
  #runner: Runner | null = null;
  readonly #lbClass: string | undefined;

  constructor(lbClass?: string) {
    this.#lbClass = lbClass;
    this.cluster = this.server.connect();
    this.server.set(NAMESPACES, { metadata: { name: "default", labels: { team: "a" } } });
  }

  async start(): Promise<this> {
    this.cluster = this.server.connect();
    this.metrics = new Metrics();
    this.#runner = new Runner(silentLog);
    this.controller = await startController(this.#runner, {
      cluster: this.cluster,
      clock: this.clock,
      log: silentLog,
      metrics: this.metrics,
      namespace: NS,
      podName: "controller-0",
      deployment: "controller",
      lbClass: this.#lbClass,
      random: (bytes) => new Uint8Array(bytes).fill(7),
    });
    await this.calm();
    return this;
  }

  /** As `kill -9`: nothing it still had in mind happens. */
  async kill(): Promise<void> {
    await this.cluster.close();
    this.#runner?.end("killed");
    await settle();
  }

  /** Lets everything that is under way come to an end, timers of up to `ms` included. */
  async calm(ms = 1500): Promise<void> {
    await this.clock.drain(ms);
  }

  /** Puts an object, as a user would with kubectl, and waits. */
  async put(...objects: readonly (Service | IPAddressPool)[]): Promise<void> {
    for (const object of objects) {
      if ("addresses" in (object.spec ?? {})) this.server.set(IP_ADDRESS_POOLS, object as IPAddressPool);
      else this.server.set(SERVICES, object as Service);
    }
    await this.calm();
  }

  async hold(...given: Parameters<typeof hold>): Promise<void> {
    this.server.set(ADDRESS_HOLDS, hold(...given));
    await this.calm();
  }

  async unhold(name: string): Promise<void> {
    this.server.delete(ADDRESS_HOLDS, name);
    await this.calm();
  }

  async edit(name: string, change: (service: Service) => Service): Promise<void> {
    const present = this.server.at(SERVICES, `default/${name}`);
    if (present === undefined) throw new Error(`no service ${name}`);
    this.server.set(SERVICES, change(structuredClone(present)));
    await this.calm();
  }

  async delete(name: string): Promise<void> {
    this.server.delete(SERVICES, `default/${name}`);
    await this.calm();
  }

  get(name: string): Service | undefined {
    return this.server.at(SERVICES, `default/${name}`);
  }

  addresses(name: string): readonly string[] {
    return (this.get(name)?.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  }

  /** "127.77.10.1 (production)", or the reason of the refusal with its sentence. */
  says(name: string): string {
    const object = this.get(name);
    const ips = this.addresses(name).join(",");
    const condition = object?.status?.conditions?.find(({ type }) => type === CONDITION.addressAssigned);
    if (ips !== "") return `${ips} (${object?.metadata.annotations?.[ANNOTATION.allocatedFromPool] ?? "-"})`;
    return condition === undefined ? "-" : `${condition.reason}: ${condition.message}`;
  }

  announced(name: string): string {
    const condition = this.get(name)?.status?.conditions?.find(({ type }) => type === CONDITION.announced);
    return condition === undefined ? "-" : `${condition.status} ${condition.reason}: ${condition.message}`;
  }

  events(name: string): readonly CoreEvent[] {
    return this.server.of(EVENTS).filter(({ involvedObject }) => involvedObject.name === name);
  }

  eventTexts(name: string): readonly string[] {
    return this.events(name).map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
  }

  threeNodes(): void {
    const names = ["node-01", "node-02", "node-03"];
    for (const name of names) {
      this.server.set(NODES, node(name));
      this.server.set(SPEAKER_STATES, speaker(name, names));
    }
    this.server.set(L2_ADVERTISEMENTS, advertisement("external"));
  }
}
