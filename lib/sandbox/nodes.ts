import { mkdir } from "node:fs/promises";
import path from "node:path";
import { ANNOTATION } from "#api/names";
import { CONFIG_MAPS, ENDPOINT_SLICES, keyOf, NODES, PODS, SECRETS, SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import { sleep } from "#runtime/clock";
import type { Log } from "#runtime/log";
import { startEdge } from "./edge/start.ts";
import { ChildRegistry } from "./kubelet/children.ts";
import { EventRecorder } from "./kubelet/events.ts";
import { Kubelet } from "./kubelet/kubelet.ts";
import type { NodeIdentity } from "./kubelet/node-object.ts";
import { PodAddresses } from "./kubelet/pod-addresses.ts";
import { berthRuntime } from "./kubelet/runtimes/berth.ts";
import { busyboxRuntime } from "./kubelet/runtimes/busybox.ts";
import { kubeProxyRuntime } from "./kubelet/runtimes/kube-proxy.ts";
import { nginxRuntime } from "./kubelet/runtimes/nginx.ts";
import type { LanHost } from "./lan/host.ts";
import { type Lan, startLan } from "./lan/start.ts";
import { cachedConfiguration } from "./nodes/configuration.ts";
import { publishNeighbours } from "./nodes/neighbour-glue.ts";
import { sweepPodDirectories } from "./nodes/pod-directories.ts";
import { removeRetiredNodes } from "./nodes/retired-nodes.ts";
import { ServiceGlue } from "./nodes/service-glue.ts";
import type { Objects } from "./port.ts";
import { NodeProxy } from "./proxy/node-proxy.ts";
import { PodNetwork } from "./proxy/pod-network.ts";

const EDGE_MAC = "02:be:77:00:00:01";
const SYNC_MS = 60_000;
/** A Berth process has this long to hand over before it is killed; everything has to be over in 3 s. */
const CHILD_GRACE_MS = 1_800;
const CLOSE_MS = 2_800;

export interface NodesOptions {
  readonly objects: Objects;
  /** A token of a service account for one pod (TokenRequest). */
  readonly requestToken: (
    namespace: string,
    serviceAccount: string,
    pod: { readonly name: string; readonly uid: string },
  ) => Promise<string>;
  /** The cluster's CA, PEM. */
  readonly ca: string;
  readonly dataDir: string;
  /** 1 to 9. */
  readonly nodeCount: number;
  readonly apiPort: number;
  readonly berthBin: string;
  readonly nodePath: string;
  readonly clock: Clock;
  readonly log: Log;
}

interface Machine {
  readonly identity: NodeIdentity;
  readonly host: LanHost;
  readonly proxy: NodeProxy;
  readonly kubelet: Kubelet;
}

/**
 * The nodes process: kubelets, service proxies, virtual LAN and edge of the
 * sandbox. Resolves when the caches are synced and every node that has power is
 * starting its pods. Fault `unavailable` when the API server does not answer within a minute.
 */
export async function startNodes(options: NodesOptions): Promise<{ close(): Promise<void> }> {
  const { objects, clock, log, nodeCount } = options;
  const dataDir = path.resolve(options.dataDir);
  await mkdir(path.join(dataDir, "pods"), { recursive: true });
  const caches = await openCaches(objects);
  const lan = await startLan({ log });
  const network = new PodNetwork();
  const hosts = new Map<string, LanHost>();
  const runtimes = {
    nginx: nginxRuntime({ clock, ports: network }),
    busybox: busyboxRuntime(clock),
    "kube-proxy": kubeProxyRuntime((node, settings) => hosts.get(node)?.setProxy(settings)),
    berth: berthRuntime({
      nodePath: options.nodePath,
      berthBin: options.berthBin,
      apiPort: options.apiPort,
      children: new ChildRegistry(dataDir, log),
      ports: network,
      linkUrl: (node) => lan.linkUrl(node),
    }),
  };
  const configuration = cachedConfiguration(caches.configMaps, caches.secrets, options.ca);
  const recorders: EventRecorder[] = [];
  const machines = identities(nodeCount).map((identity): Machine => {
    const host = lan.addHost({ node: identity.name, mac: macOf(identity), address: identity.address });
    hosts.set(identity.name, host);
    const nodeLog = log.with({ node: identity.name });
    const { address, name } = identity;
    const proxy = new NodeProxy({ node: name, address, network, clock, log: nodeLog, random: Math.random });
    const events = new EventRecorder({ objects, clock, log: nodeLog, node: name });
    recorders.push(events);
    const deps = {
      objects,
      clock,
      log: nodeLog,
      dataDir,
      configuration,
      events,
      runtimes,
      ports: network,
      node: name,
      nodeAddress: address,
      apiPort: options.apiPort,
      addresses: new PodAddresses(identity.number),
      requestToken: ({ namespace, serviceAccount, podName, podUid }: TokenArguments) =>
        options.requestToken(namespace, serviceAccount, { name: podName, uid: podUid }),
    };
    const kubelet = new Kubelet(deps, identity, { pods: () => caches.pods.list(), node: () => caches.nodes.get(name) });
    return { identity, host, proxy, kubelet };
  });
  const byMac = new Map(machines.map((machine) => [machine.host.mac, machine]));
  const edgePort = lan.attach(EDGE_MAC);
  const edge = startEdge({
    port: edgePort,
    clock,
    log,
    deliver: (mac, flow) => byMac.get(mac)?.proxy.deliver(flow) ?? "dark",
  });
  const services = new ServiceGlue({
    objects,
    clock,
    log,
    edge,
    hosts: [...hosts.values()],
    proxies: machines.map(({ proxy }) => proxy),
  });
  services.start();
  const stopNeighbours = publishNeighbours({ objects, clock, log, edge });
  void sweepPodDirectories(dataDir, caches.pods.list());
  void removeRetiredNodes(objects, caches.nodes.list(), new Set(hosts.keys()), log);
  const stops = [
    followPods(caches, machines),
    followConfiguration(caches, machines),
    followPower(caches, machines, lan, log),
  ];

  return {
    async close() {
      for (const stop of stops) stop();
      stopNeighbours();
      services.close();
      const inOrder = async () => {
        await edge.close();
        await Promise.all(machines.map(({ kubelet }) => kubelet.shutdown(CHILD_GRACE_MS)));
        await Promise.all(machines.map(({ proxy }) => proxy.close()));
      };
      await Promise.race([inOrder(), sleep(clock, CLOSE_MS)]);
      for (const recorder of recorders) recorder.close();
      edgePort.close();
      await Promise.race([lan.close(), sleep(clock, 200)]);
    },
  };
}

interface TokenArguments {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly podName: string;
  readonly podUid: string;
}

type Caches = Awaited<ReturnType<typeof openCaches>>;

async function openCaches(objects: Objects) {
  const caches = {
    pods: objects.cache(PODS),
    nodes: objects.cache(NODES),
    configMaps: objects.cache(CONFIG_MAPS),
    secrets: objects.cache(SECRETS),
  };
  const waits = [...Object.values(caches), objects.cache(SERVICES), objects.cache(ENDPOINT_SLICES)];
  try {
    await Promise.all(waits.map((cache) => cache.whenSynced(AbortSignal.timeout(SYNC_MS))));
  } catch (cause) {
    throw new Fault("unavailable", `the sandbox's API server did not answer within ${SYNC_MS / 1000} s`, { cause });
  }
  return caches;
}

function identities(count: number): readonly NodeIdentity[] {
  return Array.from({ length: count }, (_unused, index) => {
    const number = index + 1;
    return { number, name: `node-${String(number).padStart(2, "0")}`, address: `127.77.0.${10 + number}` };
  });
}

function macOf({ number }: NodeIdentity): string {
  return `02:be:77:00:00:${10 + number}`;
}

function followPods(caches: Caches, machines: readonly Machine[]): () => void {
  return caches.pods.onChange((_key, now, before) => {
    for (const { kubelet } of machines) kubelet.podChanged(now, before);
  });
}

function followConfiguration(caches: Caches, machines: readonly Machine[]): () => void {
  const changed = (key: string) => {
    const [namespace = "", name = ""] = key.split("/");
    for (const { kubelet } of machines) kubelet.configurationChanged(namespace, name);
  };
  const stops = [caches.configMaps.onChange(changed), caches.secrets.onChange(changed)];
  return () => {
    for (const stop of stops) stop();
  };
}

/** A node without the annotation has power. Off is a pulled plug: wire and proxy go dark, processes die, in that order. */
function followPower(caches: Caches, machines: readonly Machine[], lan: Lan, log: Log): () => void {
  const apply = ({ identity, proxy, kubelet }: Machine) => {
    const off = caches.nodes.get(identity.name)?.metadata.annotations?.[ANNOTATION.power] === "off";
    if (off === !kubelet.on) return;
    log.info(off ? "node loses power" : "node has power", { node: identity.name });
    lan.setPower(identity.name, !off);
    proxy.setPower(!off);
    if (off) void kubelet.powerOff();
    else kubelet.powerOn();
  };
  for (const machine of machines) {
    const off = caches.nodes.get(machine.identity.name)?.metadata.annotations?.[ANNOTATION.power] === "off";
    lan.setPower(machine.identity.name, !off);
    machine.proxy.setPower(!off);
    if (!off) machine.kubelet.powerOn();
  }
  return caches.nodes.onChange((_key, now, before) => {
    const changed = now ?? before;
    for (const machine of machines) {
      if (changed !== undefined && keyOf(changed) === machine.identity.name) apply(machine);
    }
  });
}
