import path from "node:path";
import { API_SOCKET, POD_SOCKET } from "#api/lab";
import { Fault } from "#core/errors";
import type { PodPorts } from "../kubelet/runtime.ts";
import { publishNeighbours } from "../nodes/neighbour-glue.ts";
import type { NetworkDeps, SandboxNetwork } from "../nodes/network.ts";
import { podAddress6 } from "../proxy/pod-network.ts";
import { Lab } from "./lab.ts";
import { ClientNeighbours } from "./neighbours.ts";
import { API_SERVICE, controlRules } from "./plan.ts";
import { servePods } from "./pod-socket.ts";
import { startRelay } from "./relay.ts";
import { berthInNamespace, nginxInNamespace } from "./runtimes.ts";
import { ServiceRules } from "./service-rules.ts";
import { runIn } from "./tools.ts";

/** Addresses of pods and nodes are their own here: nothing stands for them. */
const PORTS: PodPorts = {
  open: () => undefined,
  close: () => undefined,
  lookup: (address, port) => (address === "" ? null : { address, port }),
};

/**
 * The network `netns`: nodes, pods, a client and a router are network
 * namespaces on a bridge, with real interfaces, and nftables for the service
 * proxy. This process must be in fresh network and mount namespaces.
 */
export async function startNetns(deps: NetworkDeps): Promise<SandboxNetwork> {
  const { objects, clock, log, apiPort, dataDir, identities } = deps;
  const lab = await Lab.build(dataDir, identities.length, log);
  const relay = await startRelay({ port: apiPort, socket: path.join(dataDir, API_SOCKET) });
  const pods = await servePods(path.join(dataDir, POD_SOCKET));
  await runIn("control", "nft", ["-f", "-"], controlRules(apiPort));
  const nodes = identities.map(({ name }) => name);
  const rules = new ServiceRules({ objects, clock, log, apiPort, nodes });
  const neighbours = new ClientNeighbours(
    "client",
    () => clock.now(),
    () => rules.table().loadBalancerAddresses,
  );
  let stopNeighbours: () => void = () => undefined;
  const runtimes = { ...deps, lab };

  return {
    api: { host: API_SERVICE.address, port: API_SERVICE.port },
    ports: PORTS,
    runtimes: { nginx: nginxInNamespace(runtimes), berth: berthInNamespace(runtimes) },
    node(name) {
      if (!nodes.includes(name)) throw new Fault("not_found", `there is no node ${name} in the lab`);
      return {
        setProxy: (settings) => rules.setProxy(name, settings),
        connected: () => lab.connected(name),
        setPower(on) {
          lab.setCable(name, on).catch((error) => {
            log.error("cable not switched", { node: name, error: Fault.from(error).message });
          });
        },
      };
    },
    secondAddress: podAddress6,
    releasePod: (uid) => lab.removePod(uid),
    start() {
      rules.start();
      stopNeighbours = publishNeighbours({ objects, clock, log, edge: neighbours });
    },
    async quiet() {
      stopNeighbours();
      rules.close();
    },
    async close() {
      neighbours.close();
      relay.close();
      pods.close();
      lab.close();
    },
  };
}
