import type { Socket } from "node:net";
import type { DatagramFlow, Delivery, Flow, TcpFlow } from "#net/flow";
import type { Clock, Log } from "#net/host";
import { Listener, PENDING } from "./listener.ts";
import { listenerId, type Reachable, type Wanted } from "./mapping.ts";
import { type EthernetPort, type NeighbourRow, NeighbourTable } from "./neighbour-table.ts";

interface EdgeOptions {
  /** The edge's card on the virtual LAN. */
  readonly port: EthernetPort;
  /** The edge's own address on the LAN; 127.77.0.1 unless given. */
  readonly address?: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Hands a flow to whatever is behind `mac`. After "ok" the flow is the receiver's; "dark" leaves it here. */
  deliver(mac: string, flow: Flow): Delivery;
  /** Uniform in [0, 1); spreads the neighbours' reachable time. */
  random?(): number;
}

/** Since the start, except `waiting`. */
interface EdgeCounters {
  readonly connections: number;
  readonly datagrams: number;
  /** Connections not delivered yet. */
  readonly waiting: number;
  /** Nobody answered for the address. */
  readonly unreachable: number;
  /** A first packet that met a dark node and was sent again. */
  readonly retransmitted: number;
  /** Given up after the last retransmission, or because too many waited. */
  readonly givenUp: number;
}

export interface Edge {
  /**
   * The external addresses this machine offers from now on. Listeners that stay
   * are not touched, nor are connections of those that go. Resolves when every
   * new one has been bound, mapped or found impossible (`reachable()` tells); never rejects.
   */
  setListeners(wanted: readonly Wanted[]): Promise<void>;
  /** Where each wanted address can be reached on this machine; sorted by key, address and port. */
  reachable(): readonly Reachable[];
  onReachable(listener: (rows: readonly Reachable[]) => void): () => void;
  neighbours(): readonly NeighbourRow[];
  onNeighbours(listener: (rows: readonly NeighbourRow[]) => void): () => void;
  counters(): EdgeCounters;
  close(): Promise<void>;
}

/** When the first packet of a connection is sent again (tcp_syn_retries, cut short): after 1, 3 and 7 s. */
const RETRANSMIT_MS = [1_000, 2_000, 4_000] as const;
const WAITING_MAX = 4_096;

/**
 * The client's machine on the virtual LAN: owns the external addresses here,
 * finds the node of each by ARP and gives it the traffic. It knows nothing of
 * Kubernetes; what it knows of nodes is which MAC answered.
 */
export function startEdge(options: EdgeOptions): Edge {
  return new EdgeHost(options);
}

class EdgeHost implements Edge {
  readonly #options: EdgeOptions;
  readonly #table: NeighbourTable;
  readonly #listeners = new Map<string, Listener>();
  readonly #reachableListeners = new Set<(rows: readonly Reachable[]) => void>();
  readonly #sockets = new Set<Socket>();
  readonly #waiting = new Set<TcpFlow>();
  readonly #counters = { connections: 0, datagrams: 0, unreachable: 0, retransmitted: 0, givenUp: 0 };
  #opening: Promise<void> = Promise.resolve();

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.#table = new NeighbourTable({
      port: options.port,
      address: options.address ?? "127.77.0.1",
      clock: options.clock,
      random: options.random ?? Math.random,
    });
  }

  setListeners(wanted: readonly Wanted[]): Promise<void> {
    const byId = new Map<string, Wanted>();
    for (const one of wanted) if (!byId.has(listenerId(one))) byId.set(listenerId(one), one);
    let changed = false;
    for (const [id, listener] of this.#listeners) {
      const still = byId.get(id);
      if (still === undefined) {
        listener.close();
        this.#listeners.delete(id);
        changed = true;
      } else if (still.key !== listener.wanted.key) {
        listener.wanted = still;
        listener.reachable = { ...listener.reachable, key: still.key };
        changed = true;
      }
    }
    this.#forgetUnused(byId);
    const opened: Listener[] = [];
    for (const [id, one] of byId) {
      const present = this.#listeners.get(id);
      // One that could not be bound is tried again whenever the list is set.
      if (present !== undefined && (present.reachable.at !== null || present.reachable.why === PENDING)) continue;
      const listener = new Listener(one, {
        connection: (flow) => this.#connection(flow),
        datagram: (flow) => this.#datagram(flow),
      });
      this.#listeners.set(id, listener);
      opened.push(listener);
    }
    // One after the other, so that mapped ports go out in the order of the list.
    this.#opening = this.#opening.then(async () => {
      for (const listener of opened) await listener.open({ isFree: (port, protocol) => this.#isFree(port, protocol) });
      if (changed || opened.length > 0) this.#publish();
    });
    return this.#opening;
  }

  reachable(): readonly Reachable[] {
    const order = (row: Reachable) => `${row.key} ${row.address} ${String(row.port).padStart(5, "0")} ${row.protocol}`;
    return [...this.#listeners.values()]
      .map((listener) => listener.reachable)
      .sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  onReachable(listener: (rows: readonly Reachable[]) => void): () => void {
    this.#reachableListeners.add(listener);
    return () => this.#reachableListeners.delete(listener);
  }

  neighbours(): readonly NeighbourRow[] {
    return this.#table.rows();
  }

  onNeighbours(listener: (rows: readonly NeighbourRow[]) => void): () => void {
    return this.#table.onChange(() => listener(this.#table.rows()));
  }

  counters(): EdgeCounters {
    return { ...this.#counters, waiting: this.#waiting.size };
  }

  async close(): Promise<void> {
    for (const listener of this.#listeners.values()) listener.close();
    this.#listeners.clear();
    this.#reachableListeners.clear();
    this.#table.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.#opening;
  }

  #connection(flow: TcpFlow): void {
    this.#counters.connections += 1;
    const { socket } = flow;
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    if (this.#waiting.size >= WAITING_MAX) this.#giveUp(flow);
    else this.#offer(flow, 0);
  }

  /** One first packet of the connection: to the neighbour that is current now. */
  #offer(flow: TcpFlow, attempt: number): void {
    if (flow.socket.destroyed) {
      this.#waiting.delete(flow);
      return;
    }
    const { address } = flow.destination;
    const mac = this.#table.use(address);
    if (mac !== null) {
      this.#send(mac, flow, attempt);
      return;
    }
    this.#waiting.add(flow);
    const queued = this.#table.wait(address, (found) => {
      if (found !== null) this.#send(found, flow, attempt);
      else this.#unreachable(flow);
    });
    if (!queued) this.#retransmit(flow, attempt);
  }

  #send(mac: string, flow: TcpFlow, attempt: number): void {
    if (flow.socket.destroyed) {
      this.#waiting.delete(flow);
      return;
    }
    if (this.#deliver(mac, flow) === "dark") this.#retransmit(flow, attempt);
    else {
      this.#waiting.delete(flow);
      this.#table.confirm(flow.destination.address);
    }
  }

  #retransmit(flow: TcpFlow, attempt: number): void {
    const delayMs = RETRANSMIT_MS[attempt];
    if (delayMs === undefined) {
      this.#giveUp(flow);
      return;
    }
    this.#waiting.add(flow);
    this.#counters.retransmitted += 1;
    this.#options.clock.schedule(delayMs, () => this.#offer(flow, attempt + 1));
  }

  #unreachable(flow: TcpFlow): void {
    this.#waiting.delete(flow);
    this.#counters.unreachable += 1;
    flow.socket.resetAndDestroy();
  }

  #giveUp(flow: TcpFlow): void {
    this.#waiting.delete(flow);
    this.#counters.givenUp += 1;
    flow.socket.resetAndDestroy();
  }

  /** A datagram waits only for the neighbour; one that meets a dark node is lost. */
  #datagram(flow: DatagramFlow): void {
    this.#counters.datagrams += 1;
    const { address } = flow.destination;
    const mac = this.#table.use(address);
    if (mac !== null) this.#deliver(mac, flow);
    else
      this.#table.wait(address, (found) => {
        if (found !== null) this.#deliver(found, flow);
      });
  }

  #deliver(mac: string, flow: Flow): Delivery {
    try {
      return this.#options.deliver(mac, flow);
    } catch (error) {
      this.#options.log.error("delivery to a node failed", { mac, error });
      return "dark";
    }
  }

  #forgetUnused(wanted: ReadonlyMap<string, Wanted>): void {
    const addresses = new Set([...wanted.values()].map((one) => one.address));
    for (const { address } of this.#table.rows()) if (!addresses.has(address)) this.#table.forget(address);
  }

  #isFree(port: number, protocol: string): boolean {
    for (const { reachable } of this.#listeners.values()) {
      if (reachable.protocol === protocol && reachable.mapped && reachable.at?.port === port) return false;
    }
    return true;
  }

  #publish(): void {
    const rows = this.reachable();
    for (const listener of this.#reachableListeners) listener(rows);
  }
}
