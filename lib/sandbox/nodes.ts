import { mkdir } from "node:fs/promises";
import path from "node:path";
import { ANNOTATION } from "#api/names";
import { CONFIG_MAPS, ENDPOINT_SLICES, keyOf, NODES, PODS, SECRETS, SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import { sleep } from "#runtime/clock";
import type { Log } from "#runtime/log";
import { ChildRegistry } from "./kubelet/children.ts";
import { EventRecorder } from "./kubelet/events.ts";
import { Kubelet } from "./kubelet/kubelet.ts";
import type { NodeIdentity } from "./kubelet/node-object.ts";
import { PodAddresses } from "./kubelet/pod-addresses.ts";
import { busyboxRuntime } from "./kubelet/runtimes/busybox.ts";
import { kubeProxyRuntime } from "./kubelet/runtimes/kube-proxy.ts";
import { cachedConfiguration } from "./nodes/configuration.ts";
import { whileConnected } from "./nodes/cut-off.ts";
import { startLoopback } from "./nodes/loopback.ts";
import type { NetworkDeps, NodeNetwork, SandboxNetwork } from "./nodes/network.ts";
import { sweepPodDirectories } from "./nodes/pod-directories.ts";
import { removeRetiredNodes } from "./nodes/retired-nodes.ts";
import type { Objects } from "./port.ts";

const SYNC_MS = 60_000;
/** A Berth process has this long to hand over before it is killed; everything has to be over in 3 s. */
const CHILD_GRACE_MS = 1_800;
const CLOSE_MS = 2_800;

interface NodesOptions {
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
  /** How they are joined; the virtual LAN unless given. */
  readonly network?: "loopback" | "netns";
  readonly apiPort: number;
  readonly berthBin: string;
  readonly nodePath: string;
  readonly clock: Clock;
  readonly log: Log;
}

interface Machine {
  readonly identity: NodeIdentity;
  readonly place: NodeNetwork;
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
  const nodes = identities(nodeCount, options.network);
  const { apiPort, berthBin, nodePath } = options;
  const children = new ChildRegistry(dataDir, log);
  const network = await openNetwork(options.network ?? "loopback", {
    ...{ objects, clock, log, dataDir, apiPort, berthBin, nodePath, children },
    identities: nodes,
  });
  const caches = await openCaches(objects);
  const runtimes = {
    ...network.runtimes,
    busybox: busyboxRuntime(clock),
    "kube-proxy": kubeProxyRuntime((node, settings) => network.node(node).setProxy(settings)),
  };
  const configuration = cachedConfiguration(caches.configMaps, caches.secrets, options.ca);
  const recorders: EventRecorder[] = [];
  const machines = nodes.map((identity): Machine => {
    const nodeLog = log.with({ node: identity.name });
    const { address, name } = identity;
    const place = network.node(name);
    const own = whileConnected(objects, () => place.connected());
    const events = new EventRecorder({ objects: own, clock, log: nodeLog, node: name });
    recorders.push(events);
    const deps = {
      objects: own,
      clock,
      log: nodeLog,
      dataDir,
      configuration,
      events,
      runtimes,
      ports: network.ports,
      node: name,
      nodeAddress: address,
      apiHost: network.api.host,
      apiPort: network.api.port,
      addresses: new PodAddresses(identity.number, (uid) => network.releasePod(uid)),
      secondAddress: (podAddress: string) => network.secondAddress(podAddress),
      requestToken: ({ namespace, serviceAccount, podName, podUid }: TokenArguments) =>
        options.requestToken(namespace, serviceAccount, { name: podName, uid: podUid }),
    };
    const kubelet = new Kubelet(deps, identity, { pods: () => caches.pods.list(), node: () => caches.nodes.get(name) });
    return { identity, place, kubelet };
  });
  network.start();
  void sweepPodDirectories(dataDir, caches.pods.list());
  void removeRetiredNodes(objects, caches.nodes.list(), new Set(nodes.map(({ name }) => name)), log);
  const stops = [
    followPods(caches, machines),
    followConfiguration(caches, machines),
    followPower(caches, machines, log),
  ];

  return {
    async close() {
      for (const stop of stops) stop();
      const inOrder = async () => {
        await network.quiet();
        await Promise.all(machines.map(({ kubelet }) => kubelet.shutdown(CHILD_GRACE_MS)));
      };
      await Promise.race([inOrder(), sleep(clock, CLOSE_MS)]);
      for (const recorder of recorders) recorder.close();
      await Promise.race([network.close(), sleep(clock, 300)]);
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

async function openNetwork(kind: "loopback" | "netns", deps: NetworkDeps): Promise<SandboxNetwork> {
  if (kind === "loopback") return startLoopback(deps);
  const { startNetns } = await import("./netns/start.ts");
  return startNetns(deps);
}

/** Addresses are 127.77.0.11 and up on this machine's loopback, 10.77.0.11 and fd77::11 and up inside namespaces. */
function identities(count: number, network: NodesOptions["network"]): readonly NodeIdentity[] {
  return Array.from({ length: count }, (_unused, index) => {
    const number = index + 1;
    const identity = { number, name: `node-${String(number).padStart(2, "0")}` };
    if (network !== "netns") return { ...identity, address: `127.77.0.${10 + number}` };
    return { ...identity, address: `10.77.0.${10 + number}`, address6: `fd77::${10 + number}` };
  });
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
function followPower(caches: Caches, machines: readonly Machine[], log: Log): () => void {
  const apply = ({ identity, place, kubelet }: Machine) => {
    const off = caches.nodes.get(identity.name)?.metadata.annotations?.[ANNOTATION.power] === "off";
    if (off === !kubelet.on) return;
    log.info(off ? "node loses power" : "node has power", { node: identity.name });
    place.setPower(!off);
    if (off) void kubelet.powerOff();
    else kubelet.powerOn();
  };
  for (const machine of machines) {
    const off = caches.nodes.get(machine.identity.name)?.metadata.annotations?.[ANNOTATION.power] === "off";
    machine.place.setPower(!off);
    if (!off) machine.kubelet.powerOn();
  }
  return caches.nodes.onChange((_key, now, before) => {
    const changed = now ?? before;
    for (const machine of machines) {
      if (changed !== undefined && keyOf(changed) === machine.identity.name) apply(machine);
    }
  });
}
