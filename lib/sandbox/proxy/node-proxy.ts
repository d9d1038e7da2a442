import { connect, type Socket } from "node:net";
import type { DatagramFlow, Delivery, Flow, TcpFlow } from "#net/flow";
import type { Clock, Log } from "#net/host";
import { Affinity, backendKey } from "./affinity.ts";
import { BlackHole } from "./black-hole.ts";
import { HealthPorts } from "./health-ports.ts";
import { NodePorts } from "./node-ports.ts";
import { pipeBoth } from "./pipe.ts";
import type { PodNetwork } from "./pod-network.ts";
import { frontendKey } from "./service-frontends.ts";
import type { Backend, Frontend } from "./shapes.ts";
import { EMPTY_TABLE, type ProxyTable, usableBackends } from "./table.ts";
import { UdpFlows } from "./udp-flows.ts";

interface NodeProxyOptions {
  readonly node: string;
  /** The node's loopback address, on which its NodePorts listen. */
  readonly address: string;
  readonly network: PodNetwork;
  readonly clock: Clock;
  readonly log: Log;
  /** Uniform in [0, 1): picks the backend of each connection. */
  random(): number;
}

/** Since the start, except `active`. */
interface NodeProxyCounters {
  readonly connections: number;
  readonly datagrams: number;
  /** Connections open now. */
  readonly active: number;
  /** Reset because the Service has no endpoint, or nothing is known of address and port. */
  readonly noEndpoints: number;
  /** Left without an answer: policy Local and no endpoint here. */
  readonly dropped: number;
  /** A backend refused and another was tried; kube-proxy would have let the client see the refusal. */
  readonly retried: number;
  /** Reset because the backend (and the second one) refused. */
  readonly refused: number;
}

/** Loopback answers at once or never; a backend that does neither is not worth more. */
const CONNECT_MS = 5_000;

/**
 * The service proxy of one node, with kube-proxy's choices: a random usable
 * endpoint per connection, session affinity, external and internal traffic
 * policy, terminating endpoints when nothing is ready, NodePorts, health check ports. One thing
 * differs and is counted: a connection refused by a pod that has just gone is
 * tried once on another.
 */
export class NodeProxy {
  readonly node: string;
  readonly #options: NodeProxyOptions;
  readonly #affinity: Affinity;
  readonly #udp: UdpFlows;
  readonly #nodePorts: NodePorts;
  readonly #health: HealthPorts;
  readonly #blackHole = new BlackHole();
  /** Every connection open, and how to cut it off silently. */
  readonly #active = new Map<Socket, () => void>();
  readonly #counters = { connections: 0, datagrams: 0, noEndpoints: 0, dropped: 0, retried: 0, refused: 0 };
  #table: ProxyTable = EMPTY_TABLE;
  #on = true;

  constructor(options: NodeProxyOptions) {
    this.node = options.node;
    this.#options = options;
    this.#affinity = new Affinity(options.clock);
    this.#udp = new UdpFlows(options.clock);
    this.#health = new HealthPorts(options.node, options.address, options.log.with({ node: options.node }));
    this.#nodePorts = new NodePorts(options.address, options.log.with({ node: options.node }), (flow, frontend) =>
      this.#accept(flow, frontend),
    );
  }

  /** From now on new connections follow `table`; established ones stay where they are. */
  update(table: ProxyTable): void {
    this.#table = table;
    if (this.#on) {
      this.#nodePorts.set(table.nodePorts);
      this.#health.set(table.healthChecks);
    }
    const backends = new Set<string>();
    for (const frontend of table.frontends.values()) {
      if (frontend.protocol === "UDP") for (const backend of frontend.backends) backends.add(backendKey(backend));
    }
    this.#udp.keepOnly((backend) => backends.has(backend));
  }

  /** Traffic for a Service's address that reached this node's card. "dark" while the power is off. */
  deliver(flow: Flow): Delivery {
    if (!this.#on) return "dark";
    const { address, port } = flow.destination;
    const frontend = this.#table.frontends.get(frontendKey(address, port, flow.protocol));
    if (flow.protocol === "UDP") this.#forward(flow, frontend);
    else this.#accept(flow, frontend);
    return "ok";
  }

  /**
   * Off: connections through this node fall silent (their clients find out by
   * time-out), NodePorts stop listening, nothing new is taken. On: as after a boot.
   */
  setPower(on: boolean): void {
    if (this.#on === on) return;
    this.#on = on;
    if (on) {
      this.#nodePorts.set(this.#table.nodePorts);
      this.#health.set(this.#table.healthChecks);
      return;
    }
    this.#nodePorts.set(new Map());
    this.#health.close();
    this.#udp.close();
    for (const cut of [...this.#active.values()]) cut();
  }

  counters(): NodeProxyCounters {
    return { ...this.#counters, active: this.#active.size };
  }

  /** Ends every connection and listener. */
  async close(): Promise<void> {
    this.setPower(false);
    this.#blackHole.close();
    await this.#nodePorts.close();
  }

  #accept(flow: TcpFlow, frontend: Frontend | undefined): void {
    this.#counters.connections += 1;
    flow.socket.on("error", () => undefined);
    const usable = frontend === undefined ? "refuse" : usableBackends(frontend, this.node);
    if (frontend === undefined || usable === "refuse") {
      this.#counters.noEndpoints += 1;
      flow.socket.resetAndDestroy();
    } else if (usable === "drop") {
      this.#counters.dropped += 1;
      this.#blackHole.swallow(flow.socket);
    } else {
      this.#connect(flow, frontend, usable, 0);
    }
  }

  #connect(flow: TcpFlow, frontend: Frontend, usable: readonly Backend[], attempt: number): void {
    const client = flow.socket;
    const backend = this.#choose(frontend, flow.source.address, usable);
    const at = this.#options.network.lookup(backend.address, backend.port, "TCP");
    const others = usable.filter((other) => other !== backend);
    const refused = () => {
      if (client.destroyed || !this.#on) return;
      if (attempt === 0 && others.length > 0) {
        this.#counters.retried += 1;
        this.#connect(flow, frontend, others, 1);
      } else {
        this.#counters.refused += 1;
        client.resetAndDestroy();
      }
    };
    if (at === null) {
      this.#active.delete(client);
      refused();
      return;
    }

    const upstream = connect({ host: at.address, port: at.port, allowHalfOpen: true, noDelay: true });
    const clientGone = () => {
      this.#active.delete(client);
      upstream.destroy();
    };
    const failed = () => {
      client.off("close", clientGone);
      this.#active.delete(client);
      upstream.destroy();
      refused();
    };
    client.once("close", clientGone);
    upstream.once("error", failed);
    upstream.setTimeout(CONNECT_MS, failed);
    this.#active.set(client, () => {
      client.off("close", clientGone);
      upstream.off("error", failed);
      upstream.on("error", () => undefined);
      upstream.destroy();
      this.#silence(client);
    });
    upstream.once("connect", () => {
      upstream.off("error", failed);
      upstream.off("timeout", failed);
      upstream.setTimeout(0);
      this.#affinity.keep(frontend, flow.source.address, backend);
      const cut = pipeBoth(client, upstream);
      this.#active.set(client, () => {
        client.off("close", clientGone);
        cut();
        this.#silence(client);
      });
    });
  }

  #silence(client: Socket): void {
    this.#active.delete(client);
    this.#blackHole.swallow(client);
  }

  #choose(frontend: Frontend, client: string, usable: readonly Backend[]): Backend {
    const kept = this.#affinity.find(frontend, client, usable);
    if (kept !== null) return kept;
    const index = Math.min(Math.floor(this.#options.random() * usable.length), usable.length - 1);
    const chosen = usable[index];
    if (chosen === undefined) throw new RangeError("no backend to choose from");
    return chosen;
  }

  #forward(datagram: DatagramFlow, frontend: Frontend | undefined): void {
    this.#counters.datagrams += 1;
    if (this.#udp.send(datagram)) return;
    const usable = frontend === undefined ? "refuse" : usableBackends(frontend, this.node);
    if (frontend === undefined || usable === "refuse" || usable === "drop") {
      this.#counters[usable === "drop" ? "dropped" : "noEndpoints"] += 1;
      return;
    }
    const backend = this.#choose(frontend, datagram.source.address, usable);
    const at = this.#options.network.lookup(backend.address, backend.port, "UDP");
    if (at === null) {
      this.#counters.refused += 1;
      return;
    }
    this.#affinity.keep(frontend, datagram.source.address, backend);
    this.#udp.open(datagram, backendKey(backend), at);
  }
}
