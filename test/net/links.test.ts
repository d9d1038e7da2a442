import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { decodeNdp, neighbourSolicitation } from "#core/ndp";
import { encodeLanMessage, LAN_MESSAGE, LanReader } from "#net/lan-wire";
import { createMemorySegment, openMemoryLink } from "#net/memory-link";
import type { Link } from "#net/port";
import { openDatagrams } from "#net/udp";
import { openVirtualLink, parseLanUrl } from "#net/virtual-link";
import { silentLog } from "#runtime/log";
import { BROADCAST, frameOf, recordFrames } from "../support/frames.ts";
import { fc } from "../support/random.ts";
import { soon } from "../support/soon.ts";

const A = "02:be:77:00:00:0a";
const B = "02:be:77:00:00:0b";
const C = "02:be:77:00:00:0c";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe("the framing of the virtual LAN", () => {
  it("gives back every message, wherever the stream is cut", () => {
    const message = fc.record({ type: fc.integer({ min: 0, max: 255 }), payload: fc.uint8Array({ maxLength: 300 }) });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 50 })), (messages, cuts) => {
        const stream = Buffer.concat(messages.map(({ type, payload }) => encodeLanMessage(type, payload)));
        const reader = new LanReader();
        const read: { type: number; payload: number[] }[] = [];
        for (let at = 0, cut = 0; at < stream.length; cut++) {
          const size = cuts[cut % Math.max(cuts.length, 1)] ?? 7;
          for (const got of reader.push(stream.subarray(at, at + size)))
            read.push({ type: got.type, payload: [...got.payload] });
          at += size;
        }
        expect(read).toEqual(messages.map(({ type, payload }) => ({ type, payload: [...payload] })));
      }),
      { numRuns: 100 },
    );
  });

  it("refuses a message longer than any frame", () => {
    expect(() => new LanReader().push(Uint8Array.of(0xff, 0xff, 3))).toThrow("65535 octets");
  });
});

describe("the link's URL", () => {
  it("is read part by part", () => {
    expect(parseLanUrl(`lan://127.0.0.1:4000/node-01?mac=${A.toUpperCase()}&name=eth0&token=t`)).toEqual({
      host: "127.0.0.1",
      port: 4000,
      node: "node-01",
      mac: A,
      name: "eth0",
      token: "t",
    });
  });
  it.each([
    ["text that is no URL", "eth0", "url"],
    ["another scheme", "http://127.0.0.1:1/n?mac=02:be:77:00:00:0a", "scheme"],
    ["a host that is not loopback", `lan://10.0.0.1:1/n?mac=${A}`, "host"],
    ["no port", `lan://127.0.0.1/n?mac=${A}`, "port"],
    ["no node", `lan://127.0.0.1:1/?mac=${A}`, "path"],
    ["a MAC that is none", "lan://127.0.0.1:1/n?mac=02:be", "mac"],
  ])("is refused for %s, naming the part", (_what, url, part) => {
    expect(() => parseLanUrl(url)).toThrow(`BERTH_LINK: ${part}`);
  });
});

describe("links on a segment in memory", () => {
  it("hear broadcasts of others, frames to them, and no others", async () => {
    const segment = createMemorySegment();
    const [a, b, c] = [A, B, C].map((mac) => segment.attach({ mac }));
    const [heardA, heardB, heardC] = [a, b, c].map((link) => recordFrames(link as Link));
    a?.send("eth0", frameOf(A, BROADCAST, 1));
    a?.send("eth0", frameOf(A, B, 2));
    await Promise.resolve();
    expect([heardA, heardB, heardC]).toEqual([[], [1, 2], [1]]);
  });

  it("let a solicitation through only to who answers for an address of that group, and answer it", async () => {
    const segment = createMemorySegment();
    const [a, b, c] = [segment.attach({ mac: A }), segment.attach({ mac: B }), segment.attach({ mac: C })];
    const [heardB, heardC] = [recordFrames(b), recordFrames(c)];
    const answers: unknown[] = [];
    a.frames((frame) => answers.push(decodeNdp(frame)));
    b.answer("2001:db8::64", null);
    a.send("eth0", neighbourSolicitation({ senderMac: A, source: "fe80::a", target: "2001:db8::64" }));
    for (let n = 0; n < 5; n++) await Promise.resolve();
    expect([heardB.length, heardC.length]).toEqual([1, 0]);
    expect(answers).toMatchObject([{ kind: "advertisement", target: "2001:db8::64", linkLayer: B, solicited: true }]);
    b.silence("2001:db8::64");
    a.send("eth0", neighbourSolicitation({ senderMac: A, source: "fe80::a", target: "2001:db8::64" }));
    for (let n = 0; n < 5; n++) await Promise.resolve();
    expect(heardB).toHaveLength(1);
    expect(b.takeCounts().answered).toEqual(new Map([["2001:db8::64", 1]]));
    expect(b.takeCounts().answered.size).toBe(0);
  });

  it("are deaf and mute while down, and say when that changes", async () => {
    const segment = createMemorySegment();
    const [a, b] = [segment.attach({ mac: A }), segment.attach({ mac: B })];
    const heard = recordFrames(b);
    const changed = vi.fn();
    b.onInfo(changed);
    b.setUp("eth0", false);
    a.send("eth0", frameOf(A, B, 1));
    await Promise.resolve();
    b.setUp("eth0", true);
    a.send("eth0", frameOf(A, B, 2));
    await Promise.resolve();
    expect(heard).toEqual([2]);
    expect(changed).toHaveBeenCalledTimes(2);
  });

  it("may have several interfaces, each on its own segment", async () => {
    const [left, right] = [createMemorySegment(), createMemorySegment()];
    const both = openMemoryLink([
      { segment: left, name: "eth0", mac: A },
      { segment: right, name: "eth1", mac: A },
    ]);
    const heard = recordFrames(right.attach({ mac: B }));
    both.send("eth0", frameOf(A, BROADCAST, 1));
    both.send("eth1", frameOf(A, BROADCAST, 2));
    await Promise.resolve();
    expect(heard).toEqual([2]);
  });
});

describe("the virtual link", () => {
  async function lanAt(handle: (socket: Socket) => void) {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      handle(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const at = server.address();
    const port = typeof at === "object" && at !== null ? at.port : 0;
    closing.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { url: `lan://127.0.0.1:${port}/node-01?mac=${A}&token=t`, sockets };
  }

  it("attaches again by itself after the LAN dropped it", async () => {
    const { url, sockets } = await lanAt((socket) =>
      socket.write(encodeLanMessage(LAN_MESSAGE.state, Uint8Array.of(1))),
    );
    const link = await openVirtualLink(url, { log: silentLog });
    closing.push(() => link.close());
    const states: boolean[] = [];
    link.onInfo(() => states.push(link.info()[0]?.up ?? false));
    for (const socket of sockets) socket.destroy();
    await soon(() => expect(states).toEqual([false, true]));
  });

  it("survives a LAN that speaks nonsense, and goes on trying", async () => {
    let connections = 0;
    const { url } = await lanAt((socket) => {
      connections += 1;
      socket.write(connections < 3 ? Buffer.alloc(64, 0xff) : encodeLanMessage(LAN_MESSAGE.state, Uint8Array.of(1)));
    });
    const link = await openVirtualLink(url, { log: silentLog });
    closing.push(() => link.close());
    expect(link.info()).toEqual([{ name: "eth0", mac: A, up: true }]);
    expect(connections).toBe(3);
  });

  it("is down, not broken, when there is no LAN", async () => {
    const link = await openVirtualLink(`lan://127.0.0.1:1/node-01?mac=${A}`, { log: silentLog });
    closing.push(() => link.close());
    expect(link.info()[0]?.up).toBe(false);
    link.send("eth0", frameOf(A, BROADCAST, 1));
  });
});

describe("datagrams", () => {
  it("arrive with their sender, and can be answered", async () => {
    const a = await openDatagrams({ address: "127.77.0.21", port: 0 });
    const b = await openDatagrams({ address: "127.77.0.22", port: 0 });
    closing.push(
      () => a.close(),
      () => b.close(),
    );
    b.receive((bytes, from) => b.send(Buffer.from([...bytes].reverse()), from.address, from.port));
    const answer = new Promise<unknown>((resolve) =>
      a.receive((bytes, from) => resolve([[...bytes], from.address, from.port])),
    );
    a.send(Uint8Array.of(1, 2, 3), "127.77.0.22", b.port);
    expect(await answer).toEqual([[3, 2, 1], "127.77.0.22", b.port]);
  });

  it("that cannot be sent are counted and never thrown", async () => {
    const a = await openDatagrams({ address: "127.0.0.1", port: 0 });
    a.send(Uint8Array.of(1), "not-an-address", 9);
    a.send(Uint8Array.of(1), "127.0.0.1", 0);
    a.send(Buffer.alloc(70_000), "127.0.0.1", 9);
    a.send(Uint8Array.of(1), "127.0.0.1", 9);
    await soon(() => expect(a.failures()).toBe(3));
    await a.close();
    a.send(Uint8Array.of(1), "127.0.0.1", 9);
    expect(a.failures()).toBe(4);
    await a.close();
  });

  it("say which address and port could not be bound", async () => {
    const taken = createSocket("udp4");
    await new Promise<void>((resolve) => taken.bind(0, "127.0.0.1", resolve));
    const { port } = taken.address();
    await expect(openDatagrams({ address: "127.0.0.1", port })).rejects.toThrow(`UDP 127.0.0.1:${port}`);
    taken.close();
  });
});
