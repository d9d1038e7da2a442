import { Fault } from "#core/errors";
import { sleep } from "#runtime/clock";
import { startEdge } from "../edge/start.ts";
import type { NodeIdentity } from "../kubelet/node-object.ts";
import { berthRuntime } from "../kubelet/runtimes/berth.ts";
import { nginxRuntime } from "../kubelet/runtimes/nginx.ts";
import { startLan } from "../lan/start.ts";
import { NodeProxy } from "../proxy/node-proxy.ts";
import { PodNetwork, podAddress6 } from "../proxy/pod-network.ts";
import { followForeignHosts } from "./foreign-hosts.ts";
import { publishNeighbours } from "./neighbour-glue.ts";
import type { NetworkDeps, NodeNetwork, SandboxNetwork } from "./network.ts";
import { ServiceGlue } from "./service-glue.ts";

const EDGE_MAC = "02:be:77:00:00:01";

/**
 * The network `loopback`: a virtual LAN of real Ethernet frames inside this
 * process, a service proxy per node, and an edge that owns the external
 * addresses on the user's machine. Needs no rights at all.
 */
export async function startLoopback(deps: NetworkDeps): Promise<SandboxNetwork> {
  const { objects, clock, log, apiPort } = deps;
  const lan = await startLan({ log });
  const ports = new PodNetwork();
  const nodes = new Map(
    deps.identities.map((identity) => {
      const { name, address } = identity;
      const host = lan.addHost({ node: name, mac: macOf(identity), address });
      const nodeLog = log.with({ node: name });
      const proxy = new NodeProxy({ node: name, address, network: ports, clock, log: nodeLog, random: Math.random });
      return [name, { host, proxy }] as const;
    }),
  );
  const members = [...nodes.values()];
  const byMac = new Map(members.map((member) => [member.host.mac, member]));
  const edgePort = lan.attach(EDGE_MAC);
  const edge = startEdge({
    port: edgePort,
    clock,
    log,
    deliver: (mac, flow) => byMac.get(mac)?.proxy.deliver(flow) ?? "dark",
  });
  const hosts = members.map(({ host }) => host);
  const proxies = members.map(({ proxy }) => proxy);
  const services = new ServiceGlue({ objects, clock, log, edge, hosts, proxies });
  let stopNeighbours: () => void = () => undefined;
  let unplugForeignHosts: () => void = () => undefined;

  return {
    api: { host: "127.0.0.1", port: apiPort },
    ports,
    runtimes: {
      nginx: nginxRuntime({ clock, ports }),
      berth: berthRuntime({ ...deps, ports, linkUrl: (node) => lan.linkUrl(node) }),
    },
    node(name): NodeNetwork {
      const member = nodes.get(name);
      if (member === undefined) throw new Fault("not_found", `node ${name} is not on the virtual LAN`);
      return {
        setProxy: (settings) => member.host.setProxy(settings),
        setPower(on) {
          lan.setPower(name, on);
          member.proxy.setPower(on);
        },
        connected: () => true,
      };
    },
    secondAddress: podAddress6,
    releasePod: () => undefined,
    start() {
      services.start();
      stopNeighbours = publishNeighbours({ objects, clock, log, edge });
      unplugForeignHosts = followForeignHosts({ objects, lan, log });
    },
    async quiet() {
      stopNeighbours();
      unplugForeignHosts();
      services.close();
      await edge.close();
    },
    async close() {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      edgePort.close();
      await Promise.race([lan.close(), sleep(clock, 200)]);
    },
  };
}

function macOf({ number }: NodeIdentity): string {
  return `02:be:77:00:00:${10 + number}`;
}
