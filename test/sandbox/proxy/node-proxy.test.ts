import { createSocket } from "node:dgram";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { DatagramFlow, TcpFlow } from "#net/flow";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { serveFiles } from "#sandbox/kubelet/runtimes/nginx";
import { NodeProxy } from "#sandbox/proxy/node-proxy";
import { PodNetwork } from "#sandbox/proxy/pod-network";
import { buildTable } from "#sandbox/proxy/table";
import { soon } from "../../support/soon.ts";
import { freePort, get, listenOn, podServer } from "../../support/traffic.ts";

const VIP = "127.77.10.1";
const NODE_ADDRESS = "127.77.0.91";
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A node's proxy with an entrance through which connections and datagrams are delivered to it. */
async function node(options: { pods: readonly string[]; spec?: object; random?: () => number; nodePort?: number }) {
  const network = new PodNetwork();
  let turn = 0;
  const proxy = new NodeProxy({
    node: "node-01",
    address: NODE_ADDRESS,
    network,
    clock: systemClock,
    log: silentLog,
    random: options.random ?? (() => (turn++ % 3) / 3),
  });
  closing.push(() => proxy.close());
  const table = (pods: readonly string[]) =>
    buildTable(
      [
        {
          metadata: { namespace: "default", name: "web" },
          spec: {
            type: "LoadBalancer",
            ports: [
              { name: "http", port: 80, nodePort: options.nodePort },
              { name: "udp", port: 53, protocol: "UDP" },
            ],
            ...options.spec,
          },
          status: { loadBalancer: { ingress: [{ ip: VIP }] } },
        },
      ],
      [
        {
          metadata: { namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
          endpoints: pods.map((address) => ({ addresses: [address], nodeName: `node-0${address.split(".")[2]}` })),
          ports: [
            { name: "http", port: 80 },
            { name: "udp", port: 53, protocol: "UDP" },
          ],
        },
      ],
    );
  proxy.update(table(options.pods));

  const entrance = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    const source = { address: "127.0.0.1", port: socket.remotePort ?? 0 };
    const flow: TcpFlow = { protocol: "TCP", source, destination: { address: VIP, port: 80 }, socket };
    proxy.deliver(flow);
  });
  const port = await listenOn(entrance, "127.0.0.1");
  closing.push(() => entrance.close());
  return { proxy, network, port, setPods: (pods: readonly string[]) => proxy.update(table(pods)) };
}

async function pod(network: PodNetwork, address: string, server: Server = podServer(address, "n")) {
  const port = await listenOn(server, "127.0.0.1");
  network.open(address, 80, "TCP", { address: "127.0.0.1", port });
  closing.push(() => server.close());
  return server;
}

const P1 = "10.244.1.2";
const P2 = "10.244.2.2";
const P3 = "10.244.3.2";

describe("TCP through a node", () => {
  it("spreads connections over all pods", async () => {
    const { network, port } = await node({ pods: [P1, P2, P3] });
    for (const address of [P1, P2, P3]) await pod(network, address);
    const replies = await Promise.all(Array.from({ length: 9 }, () => get("127.0.0.1", port)));
    for (const address of [P1, P2, P3]) expect(replies.filter((reply) => reply.includes(address))).toHaveLength(3);
  });

  it("follows a changed table with the next connection", async () => {
    const { network, port, setPods } = await node({ pods: [P1] });
    await pod(network, P1);
    await pod(network, P2);
    expect(await get("127.0.0.1", port)).toContain(P1);
    setPods([P2]);
    expect(await get("127.0.0.1", port)).toContain(P2);
  });

  it("resets when there is no endpoint, and counts it", async () => {
    const { port, proxy } = await node({ pods: [] });
    expect(await get("127.0.0.1", port)).toBe("ECONNRESET");
    expect(proxy.counters()).toMatchObject({ connections: 1, noEndpoints: 1, active: 0 });
  });

  it("tries one other pod when one refuses, and counts it", async () => {
    const { network, port, proxy } = await node({ pods: [P1, P2], random: () => 0 });
    network.open(P1, 80, "TCP", { address: "127.0.0.1", port: await freePort("127.0.0.1") });
    await pod(network, P2);
    expect(await get("127.0.0.1", port)).toContain(P2);
    expect(proxy.counters()).toMatchObject({ retried: 1, refused: 0 });
  });

  it("resets when the second pod refuses as well", async () => {
    const { network, port, proxy } = await node({ pods: [P1, P2, P3], random: () => 0 });
    const dead = await freePort("127.0.0.1");
    for (const address of [P1, P2]) network.open(address, 80, "TCP", { address: "127.0.0.1", port: dead });
    await pod(network, P3);
    expect(await get("127.0.0.1", port)).toBe("ECONNRESET");
    expect(proxy.counters()).toMatchObject({ retried: 1, refused: 1, active: 0 });
  });

  it("keeps a client with its pod under session affinity", async () => {
    const { network, port } = await node({ pods: [P1, P2, P3], spec: { sessionAffinity: "ClientIP" } });
    for (const address of [P1, P2, P3]) await pod(network, address);
    const replies: string[] = [];
    for (let n = 0; n < 6; n++) replies.push(await get("127.0.0.1", port));
    expect(new Set(replies).size).toBe(1);
  });

  it("passes each end of stream on by itself: a client that stopped sending still gets its answer", async () => {
    const { network, port } = await node({ pods: [P1] });
    const echo = createServer({ allowHalfOpen: true }, (socket) => {
      const chunks: Buffer[] = [];
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("end", () => setTimeout(() => socket.end(Buffer.concat(chunks)), 20));
    });
    await pod(network, P1, echo);
    const sent = Buffer.alloc(2_000_000, "x");
    expect(await exchange({ address: "127.0.0.1", port }, sent)).toHaveLength(sent.byteLength);
  });

  it("brings nginx's answer to a client that stopped sending, as the pod itself gives it", async () => {
    const { network, port } = await node({ pods: [P1] });
    const resolve = async () => {
      // The client's end of stream is read meanwhile.
      await new Promise((done) => setTimeout(done, 50));
      return import.meta.filename;
    };
    const container = { ports: [{ port: 80, protocol: "TCP" }], mounts: [] };
    const served = { container, podAddress: P1, fs: { resolve }, log: { line: () => undefined } };
    const nginx = await serveFiles(served, { clock: systemClock, ports: network, host: "127.0.0.1" });
    closing.push(() => nginx.kill());
    const pod = network.lookup(P1, 80, "TCP");
    if (pod === null) throw new Error("nginx listens nowhere");
    for (const at of [pod, { address: "127.0.0.1", port }]) {
      for (const version of ["1.0", "1.1"]) {
        const reply = await exchange(at, `GET /page.txt HTTP/${version}\r\nHost: web\r\n\r\n`);
        expect(reply.toString()).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*brings nginx's answer/);
      }
    }
  });

  it("passes a reset on", async () => {
    const { network, port } = await node({ pods: [P1] });
    const rude = createServer((socket) => socket.once("data", () => socket.resetAndDestroy()));
    await pod(network, P1, rude);
    expect(await get("127.0.0.1", port)).toBe("ECONNRESET");
  });

  it("leaves a connection without any answer under policy Local when only other nodes have pods", async () => {
    const { port, proxy } = await node({ pods: [P2], spec: { externalTrafficPolicy: "Local" } });
    const answer = get("127.0.0.1", port);
    await soon(() => expect(proxy.counters().dropped).toBe(1));
    expect(await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 150, "silence"))])).toBe("silence");
    await proxy.close();
    await answer;
  });

  it("listens on its node's address for NodePorts", async () => {
    const nodePort = await freePort(NODE_ADDRESS);
    const { network, setPods } = await node({ pods: [P1], nodePort });
    await pod(network, P1);
    expect(await get(NODE_ADDRESS, nodePort)).toContain(P1);
    setPods([]);
    expect(await get(NODE_ADDRESS, nodePort)).toBe("ECONNRESET");
  });
});

describe("a node that loses power", () => {
  it("falls silent: open connections hang, NodePorts are gone, new flows are dark; power restores it", async () => {
    const nodePort = await freePort(NODE_ADDRESS);
    const { network, port, proxy } = await node({ pods: [P1], nodePort });
    const held: Socket[] = [];
    await pod(
      network,
      P1,
      createServer((socket) => held.push(socket.on("error", () => undefined))),
    );
    const client = connect({ host: "127.0.0.1", port });
    const events: string[] = [];
    for (const name of ["end", "error", "close"] as const) client.on(name, () => events.push(name));
    client.write("hello");
    await soon(() => expect(held).toHaveLength(1));

    proxy.setPower(false);
    for (const socket of held) socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(events).toEqual([]);
    expect(proxy.counters().active).toBe(0);
    expect(await get(NODE_ADDRESS, nodePort)).toBe("ECONNREFUSED");
    expect(proxy.deliver(datagram("x"))).toBe("dark");
    client.destroy();

    proxy.setPower(true);
    await pod(network, P1);
    await soon(async () => expect(await get(NODE_ADDRESS, nodePort)).toContain(P1));
  });
});

function datagram(text: string, reply: (payload: Uint8Array) => void = () => undefined, port = 4_000): DatagramFlow {
  const source = { address: "127.0.0.1", port };
  return { protocol: "UDP", source, destination: { address: VIP, port: 53 }, payload: Buffer.from(text), reply };
}

describe("UDP through a node", () => {
  it("keeps a client's datagrams with one pod and brings the answers back", async () => {
    let flow = 0;
    const { network, proxy, setPods } = await node({ pods: [P1, P2], random: () => (flow++ % 2) / 2 });
    for (const address of [P1, P2]) {
      const socket = createSocket("udp4");
      socket.on("message", (bytes, from) => socket.send(`${address} ${bytes}`, from.port, from.address));
      await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
      network.open(address, 53, "UDP", { address: "127.0.0.1", port: socket.address().port });
      closing.push(() => socket.close());
    }
    const answers: string[] = [];
    const ask = async (text: string, port?: number) => {
      const before = answers.length;
      expect(proxy.deliver(datagram(text, (bytes) => answers.push(Buffer.from(bytes).toString()), port))).toBe("ok");
      await soon(() => expect(answers.length).toBe(before + 1));
    };
    await ask("a");
    await ask("b");
    await ask("c", 4_001);
    expect(answers).toEqual([`${P1} a`, `${P1} b`, `${P2} c`]);
    setPods([P2]);
    await ask("d");
    expect(answers.at(-1)).toBe(`${P2} d`);
  });

  it("drops datagrams when there is no endpoint", async () => {
    const { proxy } = await node({ pods: [] });
    expect(proxy.deliver(datagram("x"))).toBe("ok");
    expect(proxy.counters()).toMatchObject({ datagrams: 1, noEndpoints: 1 });
  });
});

/** Sends everything, ends, and resolves with what comes back until the other side ends. */
function exchange(at: { readonly address: string; readonly port: number }, bytes: Uint8Array | string) {
  return new Promise<Buffer>((resolve, reject) => {
    const socket = connect({ host: at.address, port: at.port, allowHalfOpen: true });
    const received: Buffer[] = [];
    socket.on("data", (chunk) => received.push(chunk));
    socket.on("end", () => resolve(Buffer.concat(received)));
    socket.on("error", reject);
    socket.end(bytes);
  });
}

describe("a health check port of a node", () => {
  it("answers its Service's health check by whether this node has a ready endpoint, and not while it is off", async () => {
    const port = await freePort(NODE_ADDRESS);
    const spec = { externalTrafficPolicy: "Local", healthCheckNodePort: port };
    const made = await node({ pods: ["10.244.1.1", "10.244.2.1", "10.244.1.2"], spec });
    const ask = async () => {
      const reply = await fetch(`http://${NODE_ADDRESS}:${port}/healthz`, { headers: { connection: "close" } });
      return [reply.status, reply.headers.get("x-load-balancing-endpoint-weight"), await reply.json()];
    };
    const body = { service: { namespace: "default", name: "web" }, serviceProxyHealthy: true };
    await soon(async () => expect(await ask()).toEqual([200, "2", { ...body, localEndpoints: 2 }]));
    made.setPods(["10.244.2.1"]);
    expect(await ask()).toEqual([503, "0", { ...body, localEndpoints: 0 }]);
    made.proxy.setPower(false);
    await expect(ask()).rejects.toThrow();
    made.proxy.setPower(true);
    await soon(async () => expect((await ask())[0]).toBe(503));
  });
});
