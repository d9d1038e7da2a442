import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { arpReply, decodeArp, gratuitousArp } from "#core/arp";
import type { Flow } from "#net/flow";
import type { Link } from "#net/port";
import { openVirtualLink } from "#net/virtual-link";
import { type Clock, systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { type Edge, startEdge } from "#sandbox/edge/start";
import { type Lan, startLan } from "#sandbox/lan/start";
import { NodeProxy } from "#sandbox/proxy/node-proxy";
import { PodNetwork } from "#sandbox/proxy/pod-network";
import { buildTable } from "#sandbox/proxy/table";
import { soon } from "../../support/soon.ts";
import { freePort, get, listenOn, podServer } from "../../support/traffic.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const VIP = "127.77.10.201";
const NODES = [1, 2, 3] as const;
const MAC = (n: number) => `02:be:77:00:00:1${n}`;

/** LAN, three nodes with a pod each, and an edge: everything but Kubernetes. */
class Bench {
  readonly lan: Lan;
  readonly edge: Edge;
  readonly proxies = new Map<string, NodeProxy>();
  /** MACs that traffic was given to, in order. */
  readonly delivered: string[] = [];
  readonly port: number;
  readonly #close: (() => unknown)[] = [];

  private constructor(lan: Lan, port: number, clock: Clock) {
    this.lan = lan;
    this.port = port;
    this.edge = startEdge({
      port: lan.attach("02:be:77:00:00:01"),
      clock,
      log: silentLog,
      random: () => 0.5,
      deliver: (mac, flow: Flow) => {
        this.delivered.push(mac);
        return this.proxies.get(mac)?.deliver(flow) ?? "dark";
      },
    });
  }

  static async start(clock: Clock = systemClock): Promise<Bench> {
    const bench = new Bench(await startLan({ log: silentLog }), await freePort(VIP), clock);
    const network = new PodNetwork();
    const table = buildTable(
      [
        {
          metadata: { namespace: "default", name: "web" },
          spec: { type: "LoadBalancer", ports: [{ port: bench.port }] },
          status: { loadBalancer: { ingress: [{ ip: VIP }] } },
        },
      ],
      [
        {
          metadata: { namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
          endpoints: NODES.map((n) => ({ addresses: [`10.244.${n}.2`], nodeName: `node-0${n}` })),
          ports: [{ port: 80 }],
        },
      ],
    );
    for (const n of NODES) {
      const node = `node-0${n}`;
      bench.lan.addHost({ node, mac: MAC(n), address: `127.77.0.1${n}` });
      const server = podServer(`pod-${n}`, node);
      network.open(`10.244.${n}.2`, 80, "TCP", { address: "127.0.0.1", port: await listenOn(server, "127.0.0.1") });
      const proxy = new NodeProxy({
        node,
        address: `127.77.0.1${n}`,
        network,
        clock,
        log: silentLog,
        random: Math.random,
      });
      proxy.update(table);
      bench.proxies.set(MAC(n), proxy);
      bench.#close.push(
        () => server.close(),
        () => proxy.close(),
      );
    }
    return bench;
  }

  offer() {
    return this.edge.setListeners([{ address: VIP, port: this.port, protocol: "TCP", key: "default/web" }]);
  }

  /** A speaker as far as ARP goes: answers for the address while `announces`. */
  async speaker(n: number) {
    const link: Link = await openVirtualLink(this.lan.linkUrl(`node-0${n}`), { log: silentLog });
    const speaker = {
      announces: true,
      asked: 0,
      gratuitous() {
        for (const frame of gratuitousArp(MAC(n), VIP)) link.send("eth0", frame);
      },
    };
    link.frames((frame, name) => {
      const packet = decodeArp(frame);
      if (typeof packet !== "object" || packet.operation !== 1 || packet.targetIp !== VIP) return;
      speaker.asked += 1;
      if (speaker.announces) link.send(name, arpReply(packet, MAC(n)));
    });
    this.#close.push(() => link.close());
    return speaker;
  }

  power(n: number, on: boolean) {
    this.lan.setPower(`node-0${n}`, on);
    this.proxies.get(MAC(n))?.setPower(on);
  }

  get() {
    return get(VIP, this.port);
  }

  async close() {
    await this.edge.close();
    for (const close of this.#close.splice(0).reverse()) await close();
    await this.lan.close();
  }
}

describe("a connection to an external address", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.start();
    await bench.offer();
  });
  afterEach(() => bench.close());

  it("goes to the node whose speaker answered ARP, and on to a pod", async () => {
    await bench.speaker(2);
    expect(await bench.get()).toMatch(/^POD: pod-\d {3}NODE:\tnode-0\d$/);
    expect(bench.delivered).toEqual([MAC(2)]);
    expect(bench.edge.neighbours()).toMatchObject([{ address: VIP, mac: MAC(2), state: "REACHABLE" }]);
  });

  it("moves to another node with a gratuitous ARP, without losing a request", async () => {
    const [first, second] = [await bench.speaker(1), await bench.speaker(3)];
    second.announces = false;
    expect(await bench.get()).toContain("POD:");
    first.announces = false;
    second.announces = true;
    const changed = vi.fn();
    bench.edge.onNeighbours(changed);
    second.gratuitous();
    await soon(() => expect(changed).toHaveBeenCalled());
    expect(bench.edge.neighbours()).toMatchObject([{ mac: MAC(3), state: "STALE" }]);
    expect(await bench.get()).toContain("POD:");
    expect(bench.delivered).toEqual([MAC(1), MAC(3)]);
  });

  it("learns nothing from a gratuitous ARP for an address nobody wanted yet", async () => {
    const speaker = await bench.speaker(1);
    speaker.gratuitous();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(bench.edge.neighbours()).toEqual([]);
  });

  it("whose node lost power is sent again, to whoever has the address by then", async () => {
    const [first, second] = [await bench.speaker(1), await bench.speaker(2)];
    second.announces = false;
    expect(await bench.get()).toContain("POD:");
    bench.power(1, false);
    const startedAt = performance.now();
    const answer = bench.get();
    await new Promise((resolve) => setTimeout(resolve, 300));
    first.announces = false;
    second.announces = true;
    second.gratuitous();
    expect(await answer).toContain("POD:");
    expect(performance.now() - startedAt).toBeGreaterThan(950);
    expect(bench.edge.counters()).toMatchObject({ givenUp: 0, waiting: 0 });
    expect(bench.edge.counters().retransmitted).toBeGreaterThanOrEqual(1);
  });

  it("that is open falls silent with its node, and is not closed", async () => {
    await bench.speaker(1);
    const client = connect({ host: VIP, port: bench.port });
    const events: string[] = [];
    for (const name of ["end", "error", "close"] as const) client.on(name, () => events.push(name));
    await soon(() => expect(bench.proxies.get(MAC(1))?.counters().active).toBe(1));
    bench.power(1, false);
    client.write("GET / HTTP/1.1\r\n\r\n");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(events).toEqual([]);
    client.destroy();
  });
});

describe("time, as Linux would spend it", () => {
  let bench: Bench;
  const clock = new VirtualClock();
  beforeEach(async () => {
    bench = await Bench.start(clock);
    await bench.offer();
  });
  afterEach(() => bench.close());

  it("many connections that wait together ask once", async () => {
    const speaker = await bench.speaker(1);
    const replies = await Promise.all(Array.from({ length: 20 }, () => bench.get()));
    expect(replies.every((reply) => reply.startsWith("POD: "))).toBe(true);
    expect(speaker.asked).toBe(1);
  });

  it("an address nobody answers for is unreachable after three seconds", async () => {
    const answer = bench.get();
    await soon(() => expect(bench.edge.counters().waiting).toBe(1));
    clock.advance(2_990);
    expect(bench.edge.counters().waiting).toBe(1);
    clock.advance(20);
    expect(await answer).toBe("ECONNRESET");
    expect(bench.edge.counters()).toMatchObject({ unreachable: 1, waiting: 0 });
    expect(bench.edge.neighbours()).toMatchObject([{ mac: null, state: "FAILED" }]);
  });

  it("a node that stays dark is tried at 0, 1, 3 and 7 seconds, then the connection is given up", async () => {
    await bench.speaker(1);
    await bench.get();
    bench.power(1, false);
    bench.delivered.length = 0;
    const answer = bench.get();
    await soon(() => expect(bench.delivered).toHaveLength(1));
    const tries: number[] = [];
    for (let at = 500; at <= 7_000; at += 500) {
      const before = bench.delivered.length;
      clock.advance(500);
      if (bench.delivered.length > before) tries.push(at);
    }
    expect(tries).toEqual([1_000, 3_000, 7_000]);
    expect(await answer).toBe("ECONNRESET");
    expect(bench.edge.counters()).toMatchObject({ retransmitted: 3, givenUp: 1, waiting: 0 });
  });

  it("traffic that is answered keeps the neighbour reachable without asking again", async () => {
    const speaker = await bench.speaker(1);
    await bench.get();
    for (let minute = 0; minute < 6; minute++) {
      clock.advance(20_000);
      expect(await bench.get()).toContain("POD:");
    }
    expect(speaker.asked).toBe(1);
  });
});

describe("kernels that answer for every address", () => {
  it("are three in mode ipvs without strictARP; the first to answer gets the traffic", async () => {
    const lan = await startLan({ log: silentLog });
    for (const n of NODES) {
      const host = lan.addHost({ node: `node-0${n}`, mac: MAC(n), address: `127.77.0.1${n}` });
      host.setProxy({ mode: "ipvs", strictArp: false });
      host.setLoadBalancerAddresses([VIP]);
    }
    const port = lan.attach("02:be:77:00:00:01");
    const answers = new Set<string>();
    port.onFrame((frame) => {
      const packet = decodeArp(frame);
      if (typeof packet === "object" && packet.operation === 2) answers.add(packet.senderMac);
    });
    const edge = startEdge({ port, clock: systemClock, log: silentLog, deliver: () => "dark" });
    const wanted = { address: VIP, port: await freePort(VIP), protocol: "TCP", key: "default/web" } as const;
    await edge.setListeners([wanted]);
    const client = connect({ host: VIP, port: wanted.port });
    client.on("error", () => undefined);
    await soon(() => expect([...answers].sort()).toEqual(NODES.map(MAC)));
    expect(edge.neighbours()[0]?.mac).toBe(MAC(1));
    client.destroy();
    await edge.close();
    await lan.close();
  });
});
