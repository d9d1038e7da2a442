import { describe, expect, it } from "vitest";
import { type ArpPacket, arpReply, arpRequest, decideArp, decodeArp, encodeArp, gratuitousArp } from "#core/arp";
import { macOctets } from "#core/mac";
import { decodeNdp, encodeNdp, type NdpPacket, neighbourSolicitation, unsolicitedAdvertisement } from "#core/ndp";
import { Responder } from "#core/responder";
import { fuzzResponder } from "../support/neighbour-fuzz.ts";

const NODE = "02:be:77:00:00:11";
const EDGE = "02:be:77:00:00:01";
const OTHER = "02:be:77:00:00:12";
const V4 = "192.0.2.100";
const V6 = "2001:db8::64";
const ETH0 = { name: "eth0", mac: macOctets(NODE) };

function holding() {
  const responder = new Responder();
  responder.hold(V4, null);
  responder.hold(V6, null);
  responder.hold("192.0.2.200", ["eth1"]);
  responder.hold("2001:db8::c8", ["eth1"]);
  return responder;
}

const arp = decodeArp(arpRequest({ senderMac: EDGE, senderIp: "192.0.2.1", targetIp: V4 })) as ArpPacket;
const ndp = decodeNdp(neighbourSolicitation({ senderMac: EDGE, source: "fe80::1", target: V6 })) as NdpPacket;

const arpRows: readonly (readonly [name: string, packet: Partial<ArpPacket>, want: string])[] = [
  ["answers a broadcast request for an address it holds", {}, "answered"],
  ["answers a unicast request to its own MAC", { ethernetDestination: NODE }, "answered"],
  ["answers a probe, which has no sender address", { senderIp: "0.0.0.0" }, "answered"],
  ["stays silent about other addresses", { targetIp: "192.0.2.101" }, "not_announced"],
  ["stays silent on other interfaces", { targetIp: "192.0.2.200" }, "interface_not_allowed"],
  ["does not answer replies", { operation: 2 }, "arp_reply"],
  ["does not answer what was sent to somebody else", { ethernetDestination: OTHER }, "ethernet_destination"],
  ["ignores its own frames", { ethernetSource: NODE, senderMac: NODE }, "ignored"],
  ["does not answer to a group, which would tell everybody", { senderMac: "01:00:5e:00:00:01" }, "malformed"],
];

const ndpRows: readonly (readonly [name: string, packet: Partial<NdpPacket>, want: string])[] = [
  ["answers a solicitation to the group", {}, "answered"],
  ["answers a unicast probe with the option", { ethernetDestination: NODE, destination: V6 }, "answered"],
  [
    "answers a unicast probe without the option, to the MAC it came from",
    { ethernetDestination: NODE, destination: V6, linkLayer: null },
    "answered",
  ],
  ["answers duplicate address detection", { source: "::", linkLayer: null }, "answered"],
  ["does not guess who asked a group without the option", { linkLayer: null }, "no_source_link_layer"],
  ["stays silent about other addresses", { target: "2001:db8::65" }, "not_announced"],
  ["stays silent about an address with the same last octets", { target: "2001:db9::64" }, "not_announced"],
  ["stays silent on other interfaces", { target: "2001:db8::c8" }, "interface_not_allowed"],
  ["does not answer what was sent to somebody else", { ethernetDestination: OTHER }, "ethernet_destination"],
  ["ignores its own frames", { ethernetSource: NODE }, "ignored"],
  ["does not answer to a group", { linkLayer: "33:33:00:00:00:01" }, "malformed"],
  ["does not answer advertisements", { kind: "advertisement" }, "arp_reply"],
];

describe("Responder, ARP", () => {
  it.each(arpRows)("%s", (_name, change, want) => {
    const responder = holding();
    const frame = encodeArp({ ...arp, ...change });
    expect(responder.respond(frame, frame.byteLength, ETH0)).toBe(want);
    if (want === "answered") expect(responder.reply).toEqual(arpReply({ ...arp, ...change }, NODE));
  });

  it("decides as the kernel model of the sandbox does", () => {
    for (const [, change, want] of arpRows) {
      if (want === "ignored" || want === "malformed") continue;
      const responder = holding();
      const decision = decideArp({ ...arp, ...change }, { mac: NODE, holds: (ip) => responder.holds(ip, "eth0") });
      expect(decision.kind === "drop" ? decision.reason : "answered").toBe(want);
    }
  });
});

describe("Responder, NDP", () => {
  it.each(ndpRows)("%s", (_name, change, want) => {
    const responder = holding();
    const frame = encodeNdp({ ...ndp, ...change });
    expect(responder.respond(frame, frame.byteLength, ETH0)).toBe(want);
  });

  it("answers from the address asked about, solicited and overriding, with its own MAC", () => {
    const responder = holding();
    const frame = encodeNdp(ndp);
    responder.respond(frame, frame.byteLength, ETH0);
    expect(decodeNdp(responder.reply)).toEqual({
      kind: "advertisement",
      source: V6,
      destination: "fe80::1",
      target: V6,
      linkLayer: NODE,
      solicited: true,
      override: true,
      ethernetSource: NODE,
      ethernetDestination: EDGE,
    });
  });

  it("tells all nodes when nobody said who asks", () => {
    const responder = holding();
    const frame = neighbourSolicitation({ senderMac: EDGE, source: "::", target: V6 });
    responder.respond(frame, frame.byteLength, ETH0);
    expect(decodeNdp(responder.reply)).toMatchObject({
      destination: "ff02::1",
      ethernetDestination: "33:33:00:00:00:01",
      solicited: false,
      override: true,
    });
  });

  it("answers to the source option, even where the frame came from elsewhere", () => {
    const responder = holding();
    const frame = encodeNdp({ ...ndp, ethernetSource: OTHER });
    responder.respond(frame, frame.byteLength, ETH0);
    expect(decodeNdp(responder.reply)).toMatchObject({ ethernetDestination: EDGE });
  });
});

describe("Responder, the table", () => {
  const seen = (responder: Responder, frame: Uint8Array) => {
    responder.respond(frame, frame.byteLength, ETH0);
    return responder.foreign;
  };
  it.each([
    ["a gratuitous request for an address it holds", gratuitousArp(OTHER, V4)[0], true],
    ["a gratuitous reply for an address it holds", gratuitousArp(OTHER, V4)[1], true],
    ["an advertisement of an address it holds", unsolicitedAdvertisement(OTHER, V6), true],
    ["its own announcement", gratuitousArp(NODE, V4)[0], false],
    ["a request for an address it holds", arpRequest({ senderMac: EDGE, senderIp: "192.0.2.1", targetIp: V4 }), false],
    ["somebody else's announcement of something else", gratuitousArp(OTHER, "192.0.2.7")[0], false],
    ["a solicitation for an address it holds", encodeNdp(ndp), false],
  ])("tells whether %s is another machine's claim", (_name, frame, want) => {
    expect(seen(holding(), frame)).toBe(want);
  });

  it("watches addresses it does not hold, for as long as anybody wants", () => {
    const responder = new Responder();
    const claim = gratuitousArp(OTHER, V4)[1];
    responder.watch(V4);
    responder.watch(V4);
    responder.unwatch(V4);
    expect(seen(responder, claim)).toBe(true);
    responder.hold(V4, null);
    responder.unwatch(V4);
    expect(seen(responder, claim)).toBe(true);
    responder.release(V4);
    expect(seen(responder, claim)).toBe(false);
    expect(responder.addresses()).toEqual([]);
  });

  it("does not answer for what it only watches", () => {
    const responder = new Responder();
    responder.watch(V4);
    const frame = encodeArp(arp);
    expect(responder.respond(frame, frame.byteLength, ETH0)).toBe("not_announced");
  });

  it("stops at once with an address that is released, and loses no count", () => {
    const responder = holding();
    const frame = encodeArp(arp);
    responder.respond(frame, frame.byteLength, ETH0);
    responder.release(V4);
    expect(responder.respond(frame, frame.byteLength, ETH0)).toBe("not_announced");
    expect(responder.takeCounts()).toEqual({ answered: new Map([[V4, 1]]), dropped: new Map() });
    expect(responder.takeCounts().answered.size).toBe(0);
  });

  it("counts what is malformed, and not what concerns others", () => {
    const responder = holding();
    responder.respond(new Uint8Array(10), 10, ETH0);
    const cut = encodeArp(arp).subarray(0, 30);
    responder.respond(cut, cut.byteLength, ETH0);
    const other = encodeArp({ ...arp, targetIp: "192.0.2.9" });
    responder.respond(other, other.byteLength, ETH0);
    expect(responder.takeCounts().dropped).toEqual(new Map([["malformed", 2]]));
  });

  it("keeps addresses apart that share their last four octets", () => {
    const responder = new Responder();
    responder.hold(V6, null);
    responder.hold("2001:db9::64", null);
    responder.release(V6);
    const ask = (target: string) => {
      const frame = encodeNdp({ ...ndp, target });
      return responder.respond(frame, frame.byteLength, ETH0);
    };
    expect([ask(V6), ask("2001:db9::64")]).toEqual(["not_announced", "answered"]);
  });

  it("refuses what is no address", () => {
    expect(() => new Responder().hold("192.0.2", null)).toThrow("not an IP address");
  });
});

it("gives no wrong answer to 20,000 random and mutated frames", () => {
  const { answered, malformed } = fuzzResponder(20_000, 1);
  expect(answered).toBeGreaterThan(1000);
  expect(malformed).toBeGreaterThan(1000);
});
