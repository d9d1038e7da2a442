import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, isIP, type Socket } from "node:net";
import type { DatagramFlow, TcpFlow } from "#net/flow";
import { MAPPABLE, mappedPorts, type Reachable, type Wanted } from "./mapping.ts";

interface Inbound {
  connection(flow: TcpFlow): void;
  datagram(flow: DatagramFlow): void;
}

interface Bound {
  readonly port: number;
  close(): void;
}

/** Asks for `mapped` ports so that two mappings never fight for one. */
interface PortBook {
  isFree(port: number, protocol: string): boolean;
}

const BACKLOG = 1_024;
/** `why` while the first attempt to bind is under way. */
export const PENDING = "not listening yet";

/**
 * One external address and port on this machine: on that very address where
 * the system lets us, otherwise on a port of 127.0.0.1.
 */
export class Listener {
  wanted: Wanted;
  reachable: Reachable;
  readonly #inbound: Inbound;
  #bound: Bound | null = null;
  #closed = false;

  constructor(wanted: Wanted, inbound: Inbound) {
    this.wanted = wanted;
    this.#inbound = inbound;
    this.reachable = { ...identity(wanted), at: null, mapped: false, why: PENDING };
  }

  /** Never rejects; the outcome is `reachable`. */
  async open(book: PortBook): Promise<void> {
    if (this.#closed) return;
    const { address, port, protocol } = this.wanted;
    let why = address.includes(":") ? "IPv6 addresses are mapped" : `${address} is no loopback address`;
    // 0.0.0.0, or an address that this machine has on a real network, would let strangers in.
    if (address.startsWith("127.")) {
      const direct = await this.#try(address, port);
      if (typeof direct !== "string") return this.#settle(direct, address, null);
      if (!MAPPABLE.has(direct)) return this.#missing(`${address}:${port} cannot be listened on (${direct})`);
      why = describe(direct, address, port);
    }
    for (const candidate of mappedPorts(port, this.wanted.preferredPort)) {
      if (this.#closed) return;
      if (candidate !== 0 && !book.isFree(candidate, protocol)) continue;
      const mapped = await this.#try("127.0.0.1", candidate);
      if (typeof mapped !== "string") return this.#settle(mapped, "127.0.0.1", why);
    }
    this.#missing(`${why}, and no port of 127.0.0.1 is free`);
  }

  close(): void {
    this.#closed = true;
    this.#bound?.close();
    this.#bound = null;
  }

  #settle(bound: Bound, address: string, why: string | null): void {
    if (this.#closed) {
      bound.close();
      return;
    }
    this.#bound = bound;
    this.reachable = { ...identity(this.wanted), at: { address, port: bound.port }, mapped: why !== null, why };
  }

  #missing(why: string): void {
    this.reachable = { ...identity(this.wanted), at: null, mapped: false, why };
  }

  /** The error code of the system when it does not work. */
  #try(address: string, port: number): Promise<Bound | string> {
    return this.wanted.protocol === "TCP" ? this.#tryTcp(address, port) : this.#tryUdp(address, port);
  }

  #tryTcp(address: string, port: number): Promise<Bound | string> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      const source = { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
      this.#inbound.connection({ protocol: "TCP", source, destination: this.#destination(), socket: guarded(socket) });
    });
    return new Promise((resolve) => {
      server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      server.listen({ host: address, port, backlog: BACKLOG }, () => {
        server.on("error", () => undefined);
        const at = server.address();
        resolve({ port: typeof at === "object" && at !== null ? at.port : port, close: () => void server.close() });
      });
    });
  }

  #tryUdp(address: string, port: number): Promise<Bound | string> {
    const socket = createSocket({ type: "udp4", lookup: (host, _options, done) => done(null, host, isIP(host)) });
    socket.on("message", (payload, from) => {
      this.#inbound.datagram({
        protocol: "UDP",
        source: { address: from.address, port: from.port },
        destination: this.#destination(),
        payload,
        reply: (answer) => sendQuietly(socket, answer, from.port, from.address),
      });
    });
    return new Promise((resolve) => {
      socket.once("error", (error: NodeJS.ErrnoException) => {
        socket.close();
        resolve(error.code ?? error.message);
      });
      socket.bind({ address, port, exclusive: true }, () => {
        socket.removeAllListeners("error");
        socket.on("error", () => undefined);
        resolve({ port: socket.address().port, close: () => void socket.close() });
      });
    });
  }

  #destination() {
    return { address: this.wanted.address, port: this.wanted.port };
  }
}

function identity({ key, address, port, protocol }: Wanted) {
  return { key, address, port, protocol };
}

function describe(code: string, address: string, port: number): string {
  if (code === "EADDRINUSE") return `${address}:${port} is in use by another program`;
  if (code === "EADDRNOTAVAIL") return `${address} is not an address of this machine`;
  return `port ${port} needs root`;
}

function guarded(socket: Socket): Socket {
  socket.on("error", () => undefined);
  return socket;
}

function sendQuietly(socket: UdpSocket, payload: Uint8Array, port: number, address: string): void {
  try {
    socket.send(payload, port, address, () => undefined);
  } catch {
    // The listener was closed meanwhile: the reply is lost.
  }
}
