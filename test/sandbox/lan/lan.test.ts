import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ArpPacket, arpReply, arpRequest, decodeArp, gratuitousArp } from "#core/arp";
import { encodeHello, encodeLanMessage, LAN_MESSAGE } from "#net/lan-wire";
import type { Link } from "#net/port";
import { openVirtualLink } from "#net/virtual-link";
import { silentLog } from "#runtime/log";
import { type Lan, startLan } from "#sandbox/lan/start";
import { Switch } from "#sandbox/lan/switch";
import { BROADCAST, frameOf, recordFrames } from "../../support/frames.ts";
import { soon } from "../../support/soon.ts";

const EDGE = "02:be:77:00:00:01";
const MAC = (n: number) => `02:be:77:00:00:1${n}`;
const VIP = "127.77.10.1";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("the switch", () => {
  const three = () => {
    const lan = new Switch();
    const heard: number[][] = [[], [], []];
    const ports = heard.map((list, n) => lan.addPort(`p${n}`, (frame) => list.push(frame[14] ?? -1)));
    const port = (n: number) => {
      const found = ports[n];
      if (found === undefined) throw new Error("no such port");
      return found;
    };
    return { lan, heard, port };
  };

  it("floods what it does not know, and never back", async () => {
    const { heard, port } = three();
    port(0).send(frameOf(MAC(0), BROADCAST, 1));
    port(0).send(frameOf(MAC(0), MAC(2), 2));
    await turn();
    expect(heard).toEqual([[], [1, 2], [1, 2]]);
  });

  it("sends a known address only to its port, and follows it when it moves", async () => {
    const { heard, port } = three();
    port(1).send(frameOf(MAC(1), BROADCAST, 0));
    await turn();
    port(0).send(frameOf(MAC(0), MAC(1), 1));
    await turn();
    port(2).send(frameOf(MAC(1), BROADCAST, 0));
    await turn();
    port(0).send(frameOf(MAC(0), MAC(1), 2));
    await turn();
    expect(heard.map((list) => list.filter((payload) => payload > 0))).toEqual([[], [1], [2]]);
  });

  it("passes nothing through a port without power, either way, and forgets who was there", async () => {
    const { heard, port } = three();
    port(1).send(frameOf(MAC(1), BROADCAST, 0));
    await turn();
    port(0).send(frameOf(MAC(0), MAC(1), 1));
    port(1).setUp(false);
    port(1).send(frameOf(MAC(1), BROADCAST, 9));
    port(0).send(frameOf(MAC(0), MAC(1), 2));
    await turn();
    expect(heard).toEqual([[0], [], [0, 2]]);
  });

  it("drops at a queue that is full instead of growing", async () => {
    const { lan, heard, port } = three();
    for (let n = 0; n < 1_500; n++) port(0).send(frameOf(MAC(0), BROADCAST, 1));
    await turn();
    expect(heard[1]).toHaveLength(1_024);
    expect(lan.dropped).toBe(2 * (1_500 - 1_024));
  });

  it("drops what is no frame: too short, or sent by a group", async () => {
    const { lan, heard, port } = three();
    port(0).send(Uint8Array.of(1, 2, 3));
    port(0).send(frameOf(BROADCAST, MAC(1), 1));
    await turn();
    expect(heard).toEqual([[], [], []]);
    expect(lan.dropped).toBe(2);
  });
});

describe("the virtual LAN", () => {
  let lan: Lan;
  const links: Link[] = [];
  beforeEach(async () => {
    lan = await startLan({ log: silentLog });
    for (const n of [1, 2, 3]) lan.addHost({ node: `node-0${n}`, mac: MAC(n), address: `127.77.0.1${n}` });
  });
  afterEach(async () => {
    for (const link of links.splice(0)) await link.close();
    await lan.close();
  });
  const speakerOn = async (node: string) => {
    const link = await openVirtualLink(lan.linkUrl(node), { log: silentLog });
    links.push(link);
    return link;
  };
  /** Asks as the edge would: the MACs that answer, once as many have as should, and what a moment more brings. */
  const whoHas = async (address: string, expected: number) => {
    const edge = lan.attach(EDGE);
    const answers: string[] = [];
    edge.onFrame((frame) => {
      const packet = decodeArp(frame);
      if (typeof packet === "object" && packet.operation === 2 && packet.senderIp === address)
        answers.push(packet.senderMac);
    });
    edge.send(arpRequest({ senderMac: EDGE, senderIp: "127.77.0.1", targetIp: address }));
    await soon(() => expect(answers.length).toBeGreaterThanOrEqual(expected));
    await new Promise((resolve) => setTimeout(resolve, 60));
    edge.close();
    return answers.sort();
  };
  const answering = (link: Link, mac: string) =>
    link.frames((frame, name) => {
      const packet = decodeArp(frame);
      if (typeof packet === "object" && packet.operation === 1 && packet.targetIp === VIP)
        link.send(name, arpReply(packet, mac));
    });

  it("has every node answer for its own address", async () => {
    expect(await whoHas("127.77.0.12", 1)).toEqual([MAC(2)]);
    expect(await whoHas("127.77.0.99", 0)).toEqual([]);
  });

  it("lets a speaker answer for a load balancer address with its node's MAC", async () => {
    answering(await speakerOn("node-02"), MAC(2));
    expect(await whoHas(VIP, 1)).toEqual([MAC(2)]);
  });

  it.each([
    ["ipvs without strictARP: every node's kernel answers", "ipvs", false, [MAC(1), MAC(2), MAC(3)]],
    ["ipvs with strictARP: no kernel answers", "ipvs", true, []],
    ["iptables: no kernel answers", "iptables", false, []],
    ["nftables: no kernel answers", "nftables", false, []],
  ] as const)("%s for load balancer addresses", async (_name, mode, strictArp, expected) => {
    await lan.close();
    lan = await startLan({ log: silentLog });
    for (const n of [1, 2, 3]) {
      const host = lan.addHost({ node: `node-0${n}`, mac: MAC(n), address: `127.77.0.1${n}` });
      host.setProxy({ mode, strictArp });
      host.setLoadBalancerAddresses([VIP]);
    }
    expect(await whoHas(VIP, expected.length)).toEqual(expected);
    expect(await whoHas("127.77.10.2", 0)).toEqual([]);
  });

  it("shows a speaker what others send, but not what itself or its own host sends", async () => {
    const [own, other] = [await speakerOn("node-01"), await speakerOn("node-02")];
    const [heardOwn, heardOther] = [recordFrames(own), recordFrames(other)];
    own.send("eth0", frameOf(MAC(1), BROADCAST, 7));
    await soon(() => expect(heardOther).toEqual([7]));
    expect(heardOwn).toEqual([]);
  });

  it("darkens a node at once: no answer, the speaker's link down; power brings all back", async () => {
    const speaker = await speakerOn("node-01");
    answering(speaker, MAC(1));
    lan.setPower("node-01", false);
    expect(await whoHas("127.77.0.11", 0)).toEqual([]);
    expect(await whoHas(VIP, 0)).toEqual([]);
    await soon(() => expect(speaker.info()[0]?.up).toBe(false));
    lan.setPower("node-01", true);
    await soon(() => expect(speaker.info()[0]?.up).toBe(true));
    expect(await whoHas(VIP, 1)).toEqual([MAC(1)]);
  });

  it("carries gratuitous ARP to everybody", async () => {
    const speaker = await speakerOn("node-01");
    const edge = lan.attach(EDGE);
    const heard: (ArpPacket | string)[] = [];
    edge.onFrame((frame) => heard.push(decodeArp(frame)));
    for (const frame of gratuitousArp(MAC(1), VIP)) speaker.send("eth0", frame);
    await soon(() => expect(heard).toHaveLength(2));
    expect(heard).toMatchObject([{ operation: 1, senderMac: MAC(1) }, { operation: 2 }]);
  });

  it("says which node or MAC is wrong", () => {
    expect(() => lan.linkUrl("node-09")).toThrow("node-09");
    expect(() => lan.addHost({ node: "node-01", mac: MAC(9), address: "127.77.0.19" })).toThrow("node-01");
    expect(() => lan.addHost({ node: "node-09", mac: MAC(1), address: "127.77.0.19" })).toThrow(MAC(1));
    expect(() => lan.attach("xx")).toThrow("not a MAC");
  });

  const hello = (change: Record<string, string>) => {
    const token = new URL(lan.linkUrl("node-01")).searchParams.get("token") ?? "";
    return encodeHello({ node: "node-01", mac: MAC(1), token, ...change });
  };
  it.each([
    ["nonsense", () => Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["a message longer than any frame", () => Buffer.alloc(2_000, 0xff)],
    ["a frame before the hello", () => encodeLanMessage(LAN_MESSAGE.frame, frameOf(MAC(1), BROADCAST, 1))],
    ["a hello that is not JSON", () => encodeLanMessage(LAN_MESSAGE.hello, Buffer.from("{"))],
    ["a wrong token", () => hello({ token: "guess" })],
    ["an unknown node", () => hello({ node: "node-09" })],
    ["another node's MAC", () => hello({ mac: MAC(2) })],
    ["a second hello", () => Buffer.concat([hello({}), hello({})])],
  ])("drops a connection that begins with %s, and only that one", async (_what, bytes) => {
    const good = await speakerOn("node-02");
    const socket = connect({ host: "127.0.0.1", port: lan.port });
    socket.on("error", () => undefined);
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    socket.resume();
    socket.write(bytes());
    await closed;
    expect(good.info()[0]?.up).toBe(true);
  });
});
