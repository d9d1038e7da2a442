import { createServer, type Server, type Socket } from "node:net";
import type { TcpFlow } from "#net/flow";
import type { Log } from "#net/host";
import type { Frontend } from "./shapes.ts";

type NodePort = Frontend & { readonly port: number };

/** Listeners one node keeps at most; a Service beyond that is reached by its other addresses. */
const LISTENERS_MAX = 500;

interface Listener {
  readonly server: Server;
  frontend: Frontend;
}

/** The TCP node ports of one node, listened on at its loopback address. */
export class NodePorts {
  readonly #address: string;
  readonly #log: Log;
  readonly #accept: (flow: TcpFlow, frontend: Frontend) => void;
  readonly #listeners = new Map<number, Listener>();
  readonly #sockets = new Set<Socket>();

  constructor(address: string, log: Log, accept: (flow: TcpFlow, frontend: Frontend) => void) {
    this.#address = address;
    this.#log = log;
    this.#accept = accept;
  }

  /** Listens on exactly these ports. One that cannot be had is logged and tried again with the next change. */
  set(nodePorts: ReadonlyMap<string, NodePort>): void {
    const wanted = new Map<number, NodePort>();
    for (const frontend of nodePorts.values()) {
      if (frontend.protocol === "TCP" && wanted.size < LISTENERS_MAX) wanted.set(frontend.port, frontend);
    }
    for (const [port, { server }] of this.#listeners) {
      if (wanted.has(port)) continue;
      this.#listeners.delete(port);
      server.close();
    }
    for (const [port, frontend] of wanted) {
      const listener = this.#listeners.get(port);
      if (listener === undefined) this.#listen(port, frontend);
      else listener.frontend = frontend;
    }
  }

  async close(): Promise<void> {
    this.set(new Map());
    for (const socket of this.#sockets) socket.destroy();
  }

  #listen(port: number, frontend: Frontend): void {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      const source = { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
      const destination = { address: this.#address, port };
      this.#accept({ protocol: "TCP", source, destination, socket }, listener.frontend);
    });
    const listener: Listener = { server, frontend };
    this.#listeners.set(port, listener);
    server.on("error", (error) => {
      if (this.#listeners.get(port) === listener) this.#listeners.delete(port);
      this.#log.warn("node port cannot be listened on", { port, error });
    });
    server.listen({ host: this.#address, port });
  }
}
