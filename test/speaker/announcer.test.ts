import { describe, expect, it } from "vitest";
import { type ArpPacket, arpReply, arpRequest, decodeArp, gratuitousArp } from "#core/arp";
import { decodeNdp, type NdpPacket, neighbourSolicitation, unsolicitedAdvertisement } from "#core/ndp";
import { createMemorySegment, openMemoryLink } from "#net/memory-link";
import { Metrics } from "#runtime/metrics";
import { Announcer } from "#speaker/announcer";
import { askWire, parseWhoHas } from "#speaker/who-has";
import { settle, VirtualClock } from "../support/virtual-clock.ts";

const MAC = "02:be:77:00:00:11";
const MAC_B = "02:be:77:00:00:12";
const EDGE = "02:be:77:00:00:01";
const VIP = "127.77.10.1";
const V6 = "2001:db8::64";
const OTHER_VIP = "127.77.10.2";

function setUp() {
  const clock = new VirtualClock();
  const front = createMemorySegment();
  const back = createMemorySegment();
  const link = openMemoryLink([
    { segment: front, name: "eth0", mac: MAC },
    { segment: back, name: "eth1", mac: MAC_B },
  ]);
  const metrics = new Metrics();
  const announcer = new Announcer({ link, clock, metrics });
  const edge = front.attach({ mac: EDGE });
  const other = back.attach({ mac: "02:be:77:00:00:02" });
  const seen: { at: number; side: string; packet: ArpPacket }[] = [];
  const listen = (side: string, on: typeof edge) =>
    on.frames((frame) => {
      const packet = decodeArp(frame);
      if (typeof packet !== "string") seen.push({ at: clock.monotonic() - 1_000_000, side, packet });
    });
  listen("front", edge);
  listen("back", other);
  const ask = async (targetIp: string, senderMac = EDGE) => {
    seen.length = 0;
    edge.send("eth0", arpRequest({ senderMac, senderIp: "127.77.0.1", targetIp }));
    await settle();
    return seen.map(({ packet }) => `${packet.senderIp} is at ${packet.senderMac}`);
  };
  return { clock, link, edge, announcer, metrics, seen, ask };
}

describe("Announcer", () => {
  it("announces at once as request and reply, and again every 1.1 s for five seconds", async () => {
    const { announcer, clock, seen, metrics } = setUp();
    announcer.hold(VIP, ["eth0"]);
    await settle();
    await clock.run(20_000, 50);
    expect([...new Set(seen.map(({ at }) => Math.round(at / 50) * 50))]).toEqual([0, 1100, 2200, 3300, 4400]);
    expect(seen).toHaveLength(10);
    const [request, reply] = seen;
    expect(request?.packet).toMatchObject({
      operation: 1,
      senderMac: MAC,
      senderIp: VIP,
      targetIp: VIP,
      ethernetDestination: "ff:ff:ff:ff:ff:ff",
    });
    expect(reply?.packet).toMatchObject({ operation: 2, senderMac: MAC, senderIp: VIP, targetIp: VIP });
    expect(metrics.render()).toContain(`metallb_layer2_gratuitous_sent{ip="${VIP}"} 10`);
  });

  it("says nothing new when it is told to hold what it holds", async () => {
    const { announcer, clock, seen } = setUp();
    announcer.hold(VIP, null);
    await clock.run(20_000, 100);
    seen.length = 0;
    announcer.hold(VIP, null);
    await clock.run(20_000, 100);
    expect(seen).toEqual([]);
  });

  it("answers who asks, with the MAC of the interface, and counts both", async () => {
    const { announcer, ask, metrics } = setUp();
    announcer.hold(VIP, null);
    await settle();
    expect(await ask(VIP)).toEqual([`${VIP} is at ${MAC}`]);
    expect(metrics.render()).toContain(`metallb_layer2_requests_received{ip="${VIP}"} 1`);
    expect(metrics.render()).toContain(`metallb_layer2_responses_sent{ip="${VIP}"} 1`);
  });

  it("answers nothing for an address it does not hold, or not on that interface, or no longer", async () => {
    const { announcer, ask } = setUp();
    announcer.hold(VIP, ["eth1"]);
    await settle();
    expect(await ask(VIP)).toEqual([]);
    expect(await ask(OTHER_VIP)).toEqual([]);
    announcer.hold(VIP, ["eth0"]);
    await settle();
    expect(await ask(VIP)).toHaveLength(1);
    announcer.drop(VIP);
    expect(await ask(VIP)).toEqual([]);
  });

  it("is silent about losing an address, and stops repeating it", async () => {
    const { announcer, clock, seen } = setUp();
    announcer.hold(VIP, ["eth0"]);
    await settle();
    seen.length = 0;
    announcer.drop(VIP);
    await clock.run(6000, 100);
    expect(seen).toEqual([]);
  });

  it("goes on answering what it hands over until the successor is heard", async () => {
    const { announcer, ask, edge } = setUp();
    announcer.hold(VIP, null);
    await settle();
    announcer.handOver(VIP);
    expect(announcer.holding).toEqual([]);
    expect(await ask(VIP)).toHaveLength(1);
    for (const frame of gratuitousArp("02:be:77:00:00:13", VIP)) edge.send("eth0", frame);
    await settle();
    expect(announcer.answering).toEqual([]);
    expect(await ask(VIP)).toEqual([]);
  });

  it("stops answering what it hands over after a second in any case", async () => {
    const { announcer, clock, ask } = setUp();
    announcer.hold(VIP, null);
    await settle();
    announcer.handOver(VIP);
    clock.advance(990);
    expect(await ask(VIP)).toHaveLength(1);
    clock.advance(20);
    expect(await ask(VIP)).toEqual([]);
  });

  it("takes back at once what it was about to hand over", async () => {
    const { announcer, clock, seen } = setUp();
    announcer.hold(VIP, ["eth0"]);
    await clock.run(6000, 100);
    announcer.handOver(VIP);
    seen.length = 0;
    announcer.hold(VIP, ["eth0"]);
    await settle();
    expect(seen).toHaveLength(2);
    await clock.run(2000, 100);
    expect(announcer.holding).toEqual([VIP]);
  });

  it("announces again on an interface that came up, there only", async () => {
    const { announcer, clock, seen, link } = setUp();
    announcer.hold(VIP, null);
    await clock.run(10_000, 100);
    link.setUp("eth0", false);
    await clock.run(1000, 100);
    seen.length = 0;
    link.setUp("eth0", true);
    await settle();
    expect(seen.map(({ side, packet }) => `${side} ${packet.operation}`)).toEqual(["front 1", "front 2"]);
  });

  it("sends and answers nothing on an interface that is down", async () => {
    const { announcer, seen, ask, link } = setUp();
    link.setUp("eth0", false);
    announcer.hold(VIP, ["eth0"]);
    await settle();
    expect(seen).toEqual([]);
    expect(await ask(VIP)).toEqual([]);
  });

  it("defends an address that somebody else announces, but fights no duel", async () => {
    const { announcer, clock, seen, edge } = setUp();
    announcer.hold(VIP, ["eth0"]);
    await clock.run(10_000, 100);
    seen.length = 0;
    const intrude = () => {
      for (const frame of gratuitousArp("02:be:77:00:00:13", VIP)) edge.send("eth0", frame);
    };
    for (let n = 0; n < 50; n++) {
      intrude();
      await clock.run(100, 100);
    }
    const announced = seen.filter(({ packet }) => packet.senderMac === MAC);
    expect(announced.length).toBeGreaterThanOrEqual(2);
    expect(announced.length).toBeLessThanOrEqual(10);
  });

  it("defends nothing against who answers a question of its own, and goes on handing over", async () => {
    const { announcer, clock, seen, edge } = setUp();
    announcer.hold(VIP, ["eth0"]);
    await clock.run(10_000, 100);
    seen.length = 0;
    const asked = decodeArp(arpRequest({ senderMac: MAC, senderIp: "127.77.0.11", targetIp: VIP }));
    const answer = () => {
      if (typeof asked !== "string") edge.send("eth0", arpReply(asked, "02:be:77:00:00:13"));
    };
    answer();
    await clock.run(3000, 100);
    expect(seen).toEqual([]);
    announcer.handOver(VIP);
    answer();
    await settle();
    expect(announcer.answering).toEqual([VIP]);
  });

  it("says again what it holds when it is told to, once for calls that come together", async () => {
    const { announcer, clock, seen } = setUp();
    announcer.hold(VIP, ["eth0"]);
    announcer.hold(OTHER_VIP, ["eth0"]);
    announcer.handOver(OTHER_VIP);
    await clock.run(10_000, 100);
    seen.length = 0;
    for (let n = 0; n < 5; n++) announcer.sayAgain();
    await settle();
    expect(seen.map(({ packet }) => packet.senderIp)).toEqual([VIP, VIP]);
    await clock.run(10_000, 100);
    expect(seen.length).toBe(10);
  });

  it("has the last word: an intruder heard soon after a defence is answered as soon as the next may come", async () => {
    const { announcer, clock, seen, edge } = setUp();
    announcer.hold(VIP, ["eth0"]);
    await clock.run(10_000, 100);
    const intrude = () => {
      for (const frame of gratuitousArp("02:be:77:00:00:13", VIP)) edge.send("eth0", frame);
    };
    intrude();
    await clock.run(6_000, 100);
    intrude();
    await settle();
    seen.length = 0;
    await clock.run(10_000, 100);
    expect(seen.some(({ packet }) => packet.senderMac === MAC)).toBe(true);
  });

  it("is not disturbed by malformed frames", async () => {
    const { announcer, edge, ask } = setUp();
    announcer.hold(VIP, null);
    await settle();
    const good = arpRequest({ senderMac: EDGE, senderIp: "127.77.0.1", targetIp: VIP });
    for (let length = 0; length < good.length; length++) edge.send("eth0", good.subarray(0, length));
    for (let at = 14; at < 22; at++) {
      const bad = good.slice();
      bad[at] = 0xee;
      edge.send("eth0", bad);
    }
    await settle();
    expect(await ask(VIP)).toHaveLength(1);
  });

  it("announces an IPv6 address to all nodes, answers for it, and counts both", async () => {
    const { announcer, clock, edge, metrics, seen } = setUp();
    const heard: NdpPacket[] = [];
    edge.frames((frame) => {
      const packet = decodeNdp(frame);
      if (typeof packet === "object") heard.push(packet);
    });
    announcer.hold(V6, ["eth0"]);
    await settle();
    await clock.run(20_000, 50);
    expect(heard).toHaveLength(5);
    expect(heard[0]).toMatchObject({
      kind: "advertisement",
      source: V6,
      destination: "ff02::1",
      target: V6,
      linkLayer: MAC,
      solicited: false,
      override: true,
    });
    edge.send("eth0", neighbourSolicitation({ senderMac: EDGE, source: "2001:db8::1", target: V6 }));
    await settle();
    expect(heard.at(-1)).toMatchObject({ destination: "2001:db8::1", target: V6, linkLayer: MAC, solicited: true });
    expect(seen).toEqual([]);
    expect(metrics.render()).toContain(`metallb_layer2_responses_sent{ip="${V6}"} 1`);
    expect(metrics.render()).toContain(`metallb_layer2_gratuitous_sent{ip="${V6}"} 5`);
  });

  it("hands an IPv6 address over until the successor's advertisement is heard", async () => {
    const { announcer, edge } = setUp();
    announcer.hold(V6, null);
    await settle();
    announcer.handOver(V6);
    expect(announcer.answering).toEqual([V6]);
    edge.send("eth0", unsolicitedAdvertisement("02:be:77:00:00:13", V6));
    await settle();
    expect(announcer.answering).toEqual([]);
  });
});

describe("askWire", () => {
  it("reports every MAC that answers once, with the time it took, and ourselves where we announce", async () => {
    const { link, clock, edge, announcer } = setUp();
    announcer.hold(OTHER_VIP, ["eth0"]);
    await settle();
    edge.frames((frame) => {
      const packet = decodeArp(frame);
      if (typeof packet === "string" || packet.operation !== 1 || packet.targetIp !== VIP) return;
      clock.schedule(20, () => {
        for (const mac of [EDGE, "02:be:77:00:00:13"]) edge.send("eth0", arpReply({ ...packet }, mac));
      });
    });
    const announces = (ip: string, name: string) => announcer.holds(ip, name) === "yes";
    await clock.run(10_000, 100);
    const asked = askWire({ link, clock, senderIp: "127.77.0.11", announces }, [VIP, OTHER_VIP, "127.77.10.3"]);
    await settle();
    await clock.run(300, 10);
    expect(await asked).toMatchObject([
      {
        address: VIP,
        answers: [
          { mac: EDGE, interface: "eth0", rttMs: 20 },
          { mac: "02:be:77:00:00:13", interface: "eth0", rttMs: 20 },
        ],
      },
      { address: OTHER_VIP, answers: [{ mac: MAC, interface: "eth0", self: true }] },
      { address: "127.77.10.3", answers: [] },
    ]);
  });

  it.each([
    ["n1 10.0.0.1,10.0.0.2", { nonce: "n1", addresses: ["10.0.0.1", "10.0.0.2"] }],
    ["n1  10.0.0.1,10.0.0.1,x,2001:DB8::0:1,", { nonce: "n1", addresses: ["10.0.0.1", "2001:db8::1"] }],
    ["n1", { nonce: "n1", addresses: [] }],
    ["", null],
    [undefined, null],
    [`${"x".repeat(200)} 10.0.0.1`, null],
  ])("reads the question %j", (text, question) => {
    expect(parseWhoHas(text)).toEqual(question);
  });
});
