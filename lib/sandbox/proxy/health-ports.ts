import { createServer, type Server } from "node:http";
import type { Log } from "#net/host";

/** What load balancers ask a node about one Service with externalTrafficPolicy Local. */
export interface HealthCheck {
  readonly port: number;
  readonly namespace: string;
  readonly name: string;
  /** Nodes of its ready endpoints, one entry per endpoint. */
  readonly nodes: readonly string[];
}

const LISTENERS_MAX = 500;

/**
 * The healthCheckNodePorts of one node, as kube-proxy serves them: 200 while the node has a ready endpoint of the
 * Service, else 503, with the count in the body and in X-Load-Balancing-Endpoint-Weight. Any path.
 */
export class HealthPorts {
  readonly #address: string;
  readonly #node: string;
  readonly #log: Log;
  readonly #open = new Map<number, { readonly server: Server; check: HealthCheck }>();

  constructor(node: string, address: string, log: Log) {
    this.#node = node;
    this.#address = address;
    this.#log = log;
  }

  /** Listens on exactly these ports. One that cannot be had is logged and tried again with the next change. */
  set(checks: ReadonlyMap<number, HealthCheck>): void {
    for (const [port, { server }] of this.#open) {
      if (checks.has(port)) continue;
      this.#open.delete(port);
      server.close();
      server.closeAllConnections();
    }
    for (const [port, check] of checks) {
      const known = this.#open.get(port);
      if (known !== undefined) known.check = check;
      else if (this.#open.size < LISTENERS_MAX) this.#listen(port, check);
    }
  }

  close(): void {
    this.set(new Map());
  }

  #listen(port: number, check: HealthCheck): void {
    const server = createServer((_request, response) => {
      const { namespace, name, nodes } = entry.check;
      const localEndpoints = nodes.filter((node) => node === this.#node).length;
      response.writeHead(localEndpoints > 0 ? 200 : 503, {
        "content-type": "application/json",
        "x-content-type-options": "nosniff",
        "x-load-balancing-endpoint-weight": String(localEndpoints),
      });
      response.end(JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy: true }));
    });
    const entry = { server, check };
    this.#open.set(port, entry);
    server.on("clientError", (_error, socket) => socket.destroy());
    server.on("error", (error) => {
      if (this.#open.get(port) === entry) this.#open.delete(port);
      this.#log.warn("health check port cannot be listened on", { port, error });
    });
    server.listen({ host: this.#address, port });
  }
}
