import { createSocket, type Socket } from "node:dgram";
import { isIP } from "node:net";
import type { DatagramFlow } from "#net/flow";
import type { Clock, Peer } from "#net/host";

/** nf_conntrack_udp_timeout and nf_conntrack_udp_timeout_stream of Linux. */
const UNREPLIED_MS = 30_000;
const REPLIED_MS = 120_000;
const FLOWS_MAX = 1_024;

interface UdpFlow {
  readonly socket: Socket;
  readonly backend: string;
  readonly at: Peer;
  reply: (payload: Uint8Array) => void;
  replied: boolean;
  usedAt: number;
}

/** The connection tracking of one node for UDP: a client keeps its backend while datagrams pass. */
export class UdpFlows {
  readonly #clock: Clock;
  readonly #flows = new Map<string, UdpFlow>();
  #stopSweep: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#flows.size;
  }

  /** Sends into the flow that exists for this client; false when there is none. */
  send(datagram: DatagramFlow): boolean {
    const flow = this.#flows.get(flowKey(datagram));
    if (flow === undefined) return false;
    flow.reply = (payload) => datagram.reply(payload);
    this.#transmit(flow, datagram.payload);
    return true;
  }

  /** Begins a flow to a backend (`backend` names it for `keepOnly`) and sends the first datagram. */
  open(datagram: DatagramFlow, backend: string, at: Peer): void {
    const key = flowKey(datagram);
    const socket = createSocket({
      type: at.address.includes(":") ? "udp6" : "udp4",
      lookup: (hostname, _options, callback) => callback(null, hostname, isIP(hostname)),
    });
    const flow: UdpFlow = {
      socket,
      backend,
      at,
      reply: (payload) => datagram.reply(payload),
      replied: false,
      usedAt: this.#clock.monotonic(),
    };
    socket.on("error", () => this.#end(key, flow));
    socket.on("message", (payload, from) => {
      if (from.port !== at.port || from.address !== at.address) return;
      flow.replied = true;
      flow.usedAt = this.#clock.monotonic();
      flow.reply(payload);
    });
    this.#flows.set(key, flow);
    if (this.#flows.size > FLOWS_MAX) {
      for (const [oldestKey, oldest] of this.#flows) {
        this.#end(oldestKey, oldest);
        break;
      }
    }
    this.#transmit(flow, datagram.payload);
    this.#stopSweep ??= this.#clock.schedule(UNREPLIED_MS / 3, () => this.#sweep());
  }

  /** Ends flows whose backend is gone, as kube-proxy clears their conntrack entries. */
  keepOnly(backends: (backend: string) => boolean): void {
    for (const [key, flow] of this.#flows) if (!backends(flow.backend)) this.#end(key, flow);
  }

  close(): void {
    this.#stopSweep?.();
    this.#stopSweep = null;
    for (const [key, flow] of this.#flows) this.#end(key, flow);
  }

  #transmit(flow: UdpFlow, payload: Uint8Array): void {
    flow.usedAt = this.#clock.monotonic();
    try {
      flow.socket.send(payload, flow.at.port, flow.at.address, () => undefined);
    } catch {
      // A datagram that cannot be sent is lost, as on any network.
    }
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const [key, flow] of this.#flows) {
      if (now - flow.usedAt > (flow.replied ? REPLIED_MS : UNREPLIED_MS)) this.#end(key, flow);
    }
    this.#stopSweep = this.#flows.size === 0 ? null : this.#clock.schedule(UNREPLIED_MS / 3, () => this.#sweep());
  }

  #end(key: string, flow: UdpFlow): void {
    if (this.#flows.get(key) !== flow) return;
    this.#flows.delete(key);
    flow.socket.close();
  }
}

function flowKey({ source, destination }: DatagramFlow): string {
  return `${source.address}|${source.port}|${destination.address}|${destination.port}`;
}
