import type { KubeObject } from "#api/kubernetes/objects";
import { LABEL } from "#api/names";
import { ENDPOINT_SLICES, IP_ADDRESS_POOLS, L2_ADVERTISEMENTS, NODES, PODS, SERVICES } from "#api/resources";
import { type ArpPacket, arpReply, arpRequest, decodeArp } from "#core/arp";
import { utf8 } from "#core/sha256";
import { createMemorySegment, type MemoryLink } from "#net/memory-link";
import type { Datagrams } from "#net/port";
import { silentLog } from "#runtime/log";
import { Metrics } from "#runtime/metrics";
import { Runner } from "#runtime/runner";
import { startSpeaker } from "#speaker/start";
import { settle, VirtualClock } from "../support/virtual-clock.ts";
import { SmallCluster } from "./small-cluster.ts";

export const NS = "metallb-system";

interface Process {
  readonly runner: Runner;
  readonly metrics: Metrics;
  readonly link: MemoryLink;
  /** Where connections that it does not know are passed on to, by address. */
  readonly hops: Map<string, string>;
  readonly health: { ready(): boolean; healthy(): boolean };
  frozen: boolean;
  cut: boolean;
  /** Heartbeats that it sends, or that are sent to it, are lost. */
  unheard: boolean;
  deaf: boolean;
}

/** A cluster of speakers on one wire and one virtual clock; each can be killed, frozen, or cut from the API. */
export class Lab {
  readonly clock = new VirtualClock();
  /** How long it takes until a hop is in force. */
  hopsTakeMs = 0;
  readonly cluster = new SmallCluster();
  readonly speakers = new Map<string, Process>();
  readonly seen: { readonly at: number; readonly packet: ArpPacket }[] = [];
  readonly #segment = createMemorySegment();
  readonly #edge = this.#segment.attach({ mac: "02:be:77:00:00:01" });
  readonly #inboxes = new Map<string, Set<(bytes: Uint8Array, from: { address: string; port: number }) => void>>();

  constructor(nodes = 3) {
    this.#edge.frames((frame) => {
      const packet = decodeArp(frame);
      if (typeof packet !== "string") this.seen.push({ at: this.clock.monotonic(), packet });
    });
    for (let n = 1; n <= nodes; n++) {
      const name = `node-0${n}`;
      this.cluster.create(NODES, {
        metadata: { name, labels: { name } },
        status: { addresses: [{ type: "InternalIP", address: this.address(name) }] },
      });
      this.cluster.create(PODS, { metadata: { name: `speaker-${name}`, namespace: NS } });
    }
  }

  address(node: string): string {
    return `127.77.0.1${node.slice(-1)}`;
  }

  mac(node: string): string {
    return `02:be:77:00:00:1${node.slice(-1)}`;
  }

  pool(name = "production", addresses: readonly string[] = ["127.77.10.1-127.77.10.254"]): void {
    this.cluster.create(IP_ADDRESS_POOLS, {
      metadata: { name, namespace: NS },
      spec: { addresses: [...addresses], autoAssign: true, avoidBuggyIPs: false },
    });
  }

  advertise(name = "external", spec: Record<string, unknown> = {}): void {
    this.cluster.create(L2_ADVERTISEMENTS, { metadata: { name, namespace: NS }, spec });
  }

  service(
    name: string,
    ip: string | null,
    more: {
      readonly nodes?: readonly string[];
      readonly spec?: Record<string, unknown>;
      readonly annotations?: Record<string, string>;
    } = {},
  ): void {
    const ingress = ip === null ? [] : [{ ip }];
    this.cluster.create(SERVICES, {
      metadata: { name, namespace: "default", ...(more.annotations && { annotations: more.annotations }) },
      spec: { type: "LoadBalancer", ...more.spec },
      status: { loadBalancer: { ingress } },
    });
    const endpoints = (more.nodes ?? [...this.speakers.keys()]).map((nodeName) => ({
      addresses: ["10.244.1.2"],
      conditions: { ready: true },
      nodeName,
    }));
    this.cluster.create(ENDPOINT_SLICES, {
      metadata: { name: `${name}-abc`, namespace: "default", labels: { [LABEL.sliceService]: name } },
      endpoints,
    });
  }

  /** A host that is no node of ours: it answers for these addresses, or, as a proxy, for every one it is asked about. */
  stranger(mac: string, addresses: readonly string[] | "every"): MemoryLink {
    const link = this.#segment.attach({ mac });
    if (addresses !== "every") for (const address of addresses) link.answer(address, null);
    else {
      link.frames((frame) => {
        const packet = decodeArp(frame);
        if (typeof packet !== "string" && packet.operation === 1) link.send("eth0", arpReply(packet, mac));
      });
    }
    return link;
  }

  /** A node's kernel, which answers for the node's own address as long as this link is open. */
  kernel(node: string): MemoryLink {
    const link = this.#segment.attach({ mac: this.mac(node) });
    link.answer(this.address(node), null);
    return link;
  }

  async start(node: string): Promise<Process> {
    const hops = new Map<string, string>();
    const process: Process = {
      runner: new Runner(silentLog),
      metrics: new Metrics(),
      link: this.#segment.attach({ mac: this.mac(node) }),
      hops,
      health: { ready: () => false, healthy: () => false },
      frozen: false,
      cut: false,
      unheard: false,
      deaf: false,
    };
    const health = await startSpeaker(process.runner, {
      cluster: this.cluster.client(() => process.cut || process.frozen),
      link: process.link,
      datagrams: this.#datagrams(node, process),
      passOn: {
        set: (address, hop) =>
          void this.clock.schedule(
            this.hopsTakeMs,
            () => void (hop === null ? hops.delete(address) : hops.set(address, hop)),
          ),
        settled: () => new Promise((resolve) => void this.clock.schedule(this.hopsTakeMs, resolve)),
        close: () => Promise.resolve(),
      },
      clock: this.#clockOf(process),
      log: silentLog,
      metrics: process.metrics,
      namespace: NS,
      podName: `speaker-${node}`,
      nodeName: node,
      nodeAddress: this.address(node),
      memberPort: 7946,
      secrets: () => [utf8("secret")],
      version: "test",
      memory: () => 50_000_000,
    });
    const started = Object.assign(process, { health });
    this.speakers.set(node, started);
    return started;
  }

  /** Starts one speaker per node and waits until all are ready. */
  async startAll(nodes = 3): Promise<void> {
    for (let n = 1; n <= nodes; n++) await this.start(`node-0${n}`);
    await this.run(1500);
  }

  /** As `kill -9`: not another instruction, not another frame. */
  async kill(node: string): Promise<void> {
    const process = this.speakers.get(node);
    if (process === undefined) return;
    process.frozen = true;
    await process.link.close();
    this.#inboxes.delete(this.address(node));
    this.speakers.delete(node);
  }

  /** As SIGTERM. Resolves with the virtual milliseconds it took. */
  async stop(node: string): Promise<number> {
    const from = this.clock.monotonic();
    const { runner } = this.speakers.get(node) ?? {};
    runner?.end("test");
    let code: number | null = null;
    void runner?.run(5000).then((result) => {
      code = result;
    });
    for (let n = 0; n < 400 && code === null; n++) await this.run(10);
    this.speakers.delete(node);
    return this.clock.monotonic() - from;
  }

  run(ms: number): Promise<void> {
    return this.clock.run(ms, 10);
  }

  /** MACs that answer "who has `ip`?" now. */
  async whoHas(ip: string): Promise<readonly string[]> {
    const from = this.seen.length;
    this.#edge.send("eth0", arpRequest({ senderMac: "02:be:77:00:00:01", senderIp: "127.77.0.1", targetIp: ip }));
    await settle();
    return this.seen
      .slice(from)
      .flatMap(({ packet }) => (packet.operation === 2 && packet.senderIp === ip ? [packet.senderMac] : []));
  }

  /** The node whose MAC answers for `ip`; null for none or several. */
  async holder(ip: string): Promise<string | null> {
    const [mac, ...more] = await this.whoHas(ip);
    return mac === undefined || more.length > 0 ? null : `node-0${mac.slice(-1)}`;
  }

  objects<T extends KubeObject>(
    resource: Parameters<SmallCluster["list"]>[0] & { readonly objectType?: T },
  ): readonly T[] {
    return this.cluster.list(resource) as readonly T[];
  }

  #clockOf(process: Process) {
    const { clock } = this;
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      schedule: (delayMs: number, task: () => void) =>
        clock.schedule(delayMs, () => (process.frozen ? undefined : task())),
    };
  }

  #datagrams(node: string, process: Process): Datagrams {
    const address = this.address(node);
    const inbox = new Set<(bytes: Uint8Array, from: { address: string; port: number }) => void>();
    this.#inboxes.set(address, inbox);
    return {
      send: (bytes, to, port) => {
        if (process.frozen || process.unheard) return;
        queueMicrotask(() => {
          for (const listener of this.#inboxes.get(to) ?? []) listener(bytes, { address, port });
        });
      },
      receive(listener) {
        const heard: typeof listener = (bytes, from) => (process.deaf ? undefined : listener(bytes, from));
        inbox.add(heard);
        return () => inbox.delete(heard);
      },
      close: () => Promise.resolve(),
    };
  }
}
