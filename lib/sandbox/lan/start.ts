import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:net";
import { Fault } from "#core/errors";
import { isMac } from "#core/mac";
import type { Log } from "#net/host";
import { createLanHost, type LanHost } from "./host.ts";
import { type LanPort, NodePort, openLanPort } from "./node-port.ts";
import { type Stations, serveSpeaker } from "./speaker-socket.ts";
import { Switch } from "./switch.ts";

export interface Lan {
  /** Where links attach, on 127.0.0.1. */
  readonly port: number;
  /** What a process on that node needs to attach (`BERTH_LINK`). Throws Fault `not_found` for an unknown node. */
  linkUrl(node: string): string;
  /** Plugs a node in. Throws Fault `already_exists` for a node or MAC that is present, `invalid` for a bad MAC. */
  addHost(host: { readonly node: string; readonly mac: string; readonly address: string }): LanHost;
  /** Plugs in a host of this process that speaks for itself (the edge). Throws as `addHost` does. */
  attach(mac: string): LanPort;
  /** Off: the node's port goes dark both ways and its speakers are disconnected, at once. Unknown nodes are ignored. */
  setPower(node: string, on: boolean): void;
  /** Frames lost to full queues or malformed. */
  dropped(): number;
  close(): Promise<void>;
}

interface Station {
  readonly port: NodePort;
  readonly host: LanHost;
  readonly token: string;
}

/**
 * Starts the virtual LAN: a learning switch, and a listener on 127.0.0.1 where
 * speakers attach to their node's port. Only who holds the node's token may.
 * Throws Fault `unavailable` when nothing can be listened on.
 */
export async function startLan(options: { readonly log: Log }): Promise<Lan> {
  const { log } = options;
  const lan = new Switch();
  const stations = new Map<string, Station>();
  const macs = new Set<string>();
  const find: Stations = (node) => stations.get(node);
  const sockets = new Set<{ destroy(): void }>();

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serveSpeaker(socket, find, log);
  });
  const port = await listen(server);

  const claim = (mac: string) => {
    if (!isMac(mac))
      throw new Fault("invalid", `${mac} is not a MAC address`, { fields: { mac: "02:be:77:00:00:11" } });
    if (macs.has(mac)) throw new Fault("already_exists", `${mac} is on the virtual LAN already`);
    macs.add(mac);
  };

  return {
    port,
    linkUrl(node) {
      const station = stations.get(node);
      if (station === undefined) throw new Fault("not_found", `node ${node} is not on the virtual LAN`);
      const query = new URLSearchParams({ mac: station.port.mac, name: "eth0", token: station.token });
      return `lan://127.0.0.1:${port}/${encodeURIComponent(node)}?${query}`;
    },
    addHost({ node, mac, address }) {
      if (stations.has(node)) throw new Fault("already_exists", `node ${node} is on the virtual LAN already`);
      claim(mac);
      const nodePort = new NodePort(lan, node, mac, log);
      const host = createLanHost(nodePort, { node, address }, () => {
        nodePort.remove();
        stations.delete(node);
        macs.delete(mac);
      });
      stations.set(node, { port: nodePort, host, token: randomBytes(16).toString("hex") });
      return host;
    },
    attach(mac) {
      claim(mac);
      const hostPort = openLanPort(lan, mac, log);
      return {
        ...hostPort,
        close() {
          hostPort.close();
          macs.delete(mac);
        },
      };
    },
    setPower(node, on) {
      stations.get(node)?.port.setUp(on);
    },
    dropped: () => lan.dropped,
    close() {
      for (const { host } of [...stations.values()]) host.remove();
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new Fault("unavailable", `the virtual LAN cannot listen on 127.0.0.1: ${cause.message}`, { cause })),
    );
    server.listen({ host: "127.0.0.1", port: 0 }, () => {
      const at = server.address();
      server.on("error", () => undefined);
      resolve(typeof at === "object" && at !== null ? at.port : 0);
    });
  });
}
