import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Flow } from "#net/flow";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { mappedPorts } from "#sandbox/edge/mapping";
import { type Edge, startEdge } from "#sandbox/edge/start";
import { type Lan, startLan } from "#sandbox/lan/start";
import { soon } from "../../support/soon.ts";
import { freePort, listenOn } from "../../support/traffic.ts";

const VIP = "127.77.10.202";
const NODE_MAC = "02:be:77:00:00:11";

describe("what the edge listens on", () => {
  let lan: Lan;
  let edge: Edge;
  const flows: Flow[] = [];
  beforeEach(async () => {
    flows.length = 0;
    lan = await startLan({ log: silentLog });
    const host = lan.addHost({ node: "node-01", mac: NODE_MAC, address: "127.77.0.11" });
    host.setProxy({ mode: "ipvs", strictArp: false });
    host.setLoadBalancerAddresses([VIP]);
    edge = startEdge({
      port: lan.attach("02:be:77:00:00:01"),
      clock: systemClock,
      log: silentLog,
      deliver: (_mac, flow) => {
        flows.push(flow);
        if (flow.protocol === "TCP") flow.socket.end("hello");
        else flow.reply(Buffer.from(`re: ${Buffer.from(flow.payload)}`));
        return "ok";
      },
    });
  });
  afterEach(async () => {
    await edge.close();
    await lan.close();
  });
  const read = (address: string, port: number) =>
    new Promise<string>((resolve) => {
      const socket = connect({ host: address, port });
      socket.on("data", (bytes) => resolve(bytes.toString()));
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    });

  it("is the very address and port", async () => {
    const port = await freePort(VIP);
    await edge.setListeners([{ address: VIP, port, protocol: "TCP", key: "a/b" }]);
    expect(edge.reachable()).toMatchObject([{ key: "a/b", at: { address: VIP, port }, mapped: false, why: null }]);
    expect(await read(VIP, port)).toBe("hello");
    expect(flows[0]?.destination).toEqual({ address: VIP, port });
  });

  it.each(["0.0.0.0", "192.0.2.10"])(
    "is never a socket that the network could reach: %s is mapped",
    async (address) => {
      const port = await freePort("127.0.0.1");
      await edge.setListeners([{ address, port, protocol: "TCP", key: "a/b" }]);
      expect(edge.reachable()).toMatchObject([
        { at: { address: "127.0.0.1" }, mapped: true, why: `${address} is no loopback address` },
      ]);
    },
  );

  it("is a port of 127.0.0.1 where the address's own is taken, and the flow still names the address", async () => {
    const blocker = createServer();
    const port = await listenOn(blocker, VIP);
    await edge.setListeners([{ address: VIP, port, protocol: "TCP", key: "a/b" }]);
    const [row] = edge.reachable();
    expect(row).toMatchObject({ mapped: true, why: `${VIP}:${port} is in use by another program` });
    expect(await read("127.0.0.1", row?.at?.port ?? 0)).toBe("hello");
    expect(flows[0]?.destination).toEqual({ address: VIP, port });
    blocker.close();
  });

  it("is mapped for IPv6, and two addresses with one port get two mappings that stay", async () => {
    const six = (address: string) => ({ address, port: 8_080, protocol: "TCP", key: address }) as const;
    const published = vi.fn();
    edge.onReachable(published);
    await edge.setListeners([six("fc00::1"), six("fc00::2")]);
    const ports = edge.reachable().map((row) => row.at?.port);
    expect(new Set(ports).size).toBe(2);
    expect(edge.reachable().every((row) => row.mapped && row.at?.address === "127.0.0.1")).toBe(true);
    await edge.setListeners([six("fc00::2"), six("fc00::1")]);
    expect(edge.reachable().map((row) => row.at?.port)).toEqual(ports);
    expect(published).toHaveBeenCalledTimes(1);
  });

  it("takes the mapped port of an earlier run when that is free", async () => {
    const preferredPort = await freePort("127.0.0.1");
    await edge.setListeners([{ address: "fc00::1", port: 80, protocol: "TCP", key: "a/b", preferredPort }]);
    expect(edge.reachable()[0]?.at?.port).toBe(preferredPort);
  });

  it("ends with the Service, at once", async () => {
    const port = await freePort(VIP);
    await edge.setListeners([{ address: VIP, port, protocol: "TCP", key: "a/b" }]);
    await edge.setListeners([]);
    expect(await read(VIP, port)).toBe("ECONNREFUSED");
    expect(edge.reachable()).toEqual([]);
  });

  it("carries UDP, each datagram to the neighbour of the moment, with the answer from the address", async () => {
    const port = await freePort(VIP);
    await edge.setListeners([{ address: VIP, port, protocol: "UDP", key: "a/b" }]);
    const client = createSocket("udp4");
    const answers: string[] = [];
    client.on("message", (bytes, from) => answers.push(`${bytes} from ${from.address}:${from.port}`));
    client.send("one", port, VIP);
    await soon(() => expect(answers).toEqual([`re: one from ${VIP}:${port}`]));
    client.close();
  });
});

describe("mapped ports", () => {
  it.each([
    ["80 becomes 18080", 80, [18_080, 19_080]],
    ["443 becomes 18443", 443, [18_443, 19_443]],
    ["a high port keeps its last four digits", 30_080, [18_080, 19_080]],
  ])("%s", (_guarantee, port, first) => {
    expect(mappedPorts(port).slice(0, 2)).toEqual(first);
  });
  it("are always ports, and any port is the last resort", () => {
    for (const port of [1, 9_999, 10_000, 47_600, 65_535]) {
      expect(mappedPorts(port).every((one) => one >= 0 && one <= 65_535)).toBe(true);
      expect(mappedPorts(port).at(-1)).toBe(0);
    }
  });
});
