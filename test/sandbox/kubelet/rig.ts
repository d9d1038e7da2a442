import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Pod } from "#api/kubernetes/pods";
import { CONFIG_MAPS, EVENTS, NODES, PODS, SECRETS } from "#api/resources";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { ChildRegistry } from "#sandbox/kubelet/children";
import { EventRecorder } from "#sandbox/kubelet/events";
import { Kubelet } from "#sandbox/kubelet/kubelet";
import { PodAddresses } from "#sandbox/kubelet/pod-addresses";
import { berthRuntime } from "#sandbox/kubelet/runtimes/berth";
import { busyboxRuntime } from "#sandbox/kubelet/runtimes/busybox";
import { kubeProxyRuntime, type ProxySettings } from "#sandbox/kubelet/runtimes/kube-proxy";
import { nginxRuntime } from "#sandbox/kubelet/runtimes/nginx";
import type { TokenRequest } from "#sandbox/kubelet/volumes";
import { cachedConfiguration } from "#sandbox/nodes/configuration";
import { PodNetwork } from "#sandbox/proxy/pod-network";
import { MemoryObjects } from "../../support/memory-objects.ts";

/** Stands in for `bin/berth.mjs`: says what it was started with, then waits for SIGTERM or the end of its lifeline. */
const CHILD = `
import { readFileSync } from "node:fs";
import { Socket } from "node:net";
console.log("args " + process.argv.slice(2).join(" "));
console.log("bind " + process.env.BERTH_BIND_ADDRESS + " link " + process.env.BERTH_LINK);
const account = process.env.BERTH_ROOT + "/var/run/secrets/kubernetes.io/serviceaccount/";
console.log("token " + readFileSync(account + "token", "utf8") + " in " + readFileSync(account + "namespace", "utf8"));
process.on("SIGTERM", () => { console.log("bye"); process.exit(0); });
new Socket({ fd: 3 }).on("close", () => process.exit(7)).on("error", () => undefined).resume();
`;

/** One kubelet on real files and sockets, over an API in memory. Every rig takes a node number of its own. */
export class Rig {
  readonly objects = new MemoryObjects();
  readonly network = new PodNetwork();
  readonly dataDir = mkdtempSync(path.join(tmpdir(), "berth-kubelet-"));
  readonly proxies: [string, ProxySettings][] = [];
  readonly node: string;
  readonly number: number;
  kubelet: Kubelet;
  #stop: () => void = () => undefined;

  constructor(number: number) {
    this.number = number;
    this.node = `node-${number}`;
    writeFileSync(path.join(this.dataDir, "berth.mjs"), CHILD);
    this.kubelet = this.#boot();
  }

  #boot(): Kubelet {
    const { objects, network: ports, dataDir, node } = this;
    const clock = systemClock;
    const configuration = cachedConfiguration(objects.cache(CONFIG_MAPS), objects.cache(SECRETS), "CA");
    const deps = {
      objects,
      clock,
      log: silentLog,
      dataDir,
      node,
      nodeAddress: `127.77.0.${this.number}`,
      apiPort: 1,
      addresses: new PodAddresses(this.number),
      ports,
      configuration,
      requestToken: async ({ namespace, serviceAccount, podName }: TokenRequest) =>
        `${namespace}/${serviceAccount}/${podName}`,
      events: new EventRecorder({ objects, clock, log: silentLog, node }),
      runtimes: {
        nginx: nginxRuntime({ clock, ports }),
        busybox: busyboxRuntime(clock),
        "kube-proxy": kubeProxyRuntime((name, settings) => void this.proxies.push([name, settings])),
        berth: berthRuntime({
          nodePath: process.execPath,
          berthBin: path.join(dataDir, "berth.mjs"),
          apiPort: 1,
          children: new ChildRegistry(dataDir, silentLog),
          ports,
          linkUrl: (name) => `lan://${name}`,
        }),
      },
    };
    const identity = { number: this.number, name: node, address: deps.nodeAddress };
    const kubelet = new Kubelet(deps, identity, {
      pods: () => objects.all(PODS),
      node: () => objects.cache(NODES).get(node),
    });
    this.#stop = objects.cache(PODS).onChange((_key, now, before) => kubelet.podChanged(now, before));
    kubelet.powerOn();
    return kubelet;
  }

  /** As when the nodes process is stopped and started again. */
  async restart(): Promise<void> {
    this.#stop();
    await this.kubelet.shutdown(1_000);
    this.kubelet = this.#boot();
  }

  async close(): Promise<void> {
    this.#stop();
    await this.kubelet.shutdown(1_000);
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  async run(name: string, spec: object, metadata: object = {}): Promise<Pod> {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace: "default", name, ...metadata },
      spec: { nodeName: this.node, ...spec },
    };
    return this.objects.create(PODS, pod as unknown as Pod);
  }

  pod(name: string): Pod | undefined {
    return this.objects.cache(PODS).get(`default/${name}`);
  }

  /** The log of a container without CRI's prefixes. */
  log(name: string, container: string, count = 0): string {
    const uid = this.uid(name);
    const text = readFileSync(path.join(this.dataDir, "pods", uid, "logs", `${container}.${count}.log`), "utf8");
    return text.replaceAll(/^\S+ std(out|err) F /gm, "");
  }

  uid(name: string): string {
    const uid = this.pod(name)?.metadata.uid;
    if (uid === undefined) throw new Error(`no pod ${name}`);
    return uid;
  }

  /** "Reason message" of every Event about a pod, in order. */
  events(name: string): readonly string[] {
    return this.objects
      .all(EVENTS)
      .filter(({ involvedObject }) => involvedObject.name === name)
      .map(({ reason, message }) => `${reason} ${message}`);
  }

  podDirectories(): readonly string[] {
    return readdirSync(path.join(this.dataDir, "pods"));
  }

  /** Polls until `look` gives something truthy. */
  async until<T>(what: string, look: () => T | undefined | null | false, withinMs = 30_000): Promise<T> {
    const giveUpAt = performance.now() + withinMs;
    for (;;) {
      const found = look();
      if (found !== undefined && found !== null && found !== false) return found;
      if (performance.now() > giveUpAt) throw new Error(`not within ${withinMs} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  ready(name: string): Promise<Pod> {
    return this.until(`${name} is ready`, () => {
      const pod = this.pod(name);
      return pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") && pod;
    });
  }
}
