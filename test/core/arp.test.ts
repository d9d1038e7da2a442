import { describe, expect, it } from "vitest";
import { type ArpPacket, arpReply, arpRequest, decideArp, decodeArp, encodeArp, gratuitousArp } from "#core/arp";
import { hex } from "#core/sha256";
import { fc } from "../support/random.ts";

const NODE = "02:be:77:00:00:11";
const EDGE = "02:be:77:00:00:01";
const bytes = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));

/** A who-has as the Linux kernel sends it (padded to 60 octets on the wire). */
const LINUX_REQUEST = bytes(`
  ffffffffffff 02be77000001 0806 0001 0800 06 04 0001
  02be77000001 7f4d0001 000000000000 7f4d0a01
  000000000000000000000000000000000000`);

describe("decodeArp", () => {
  it("reads a kernel's request, padding and all", () => {
    expect(decodeArp(LINUX_REQUEST)).toEqual({
      operation: 1,
      senderMac: EDGE,
      senderIp: "127.77.0.1",
      targetMac: "00:00:00:00:00:00",
      targetIp: "127.77.10.1",
      ethernetSource: EDGE,
      ethernetDestination: "ff:ff:ff:ff:ff:ff",
    });
  });

  it("calls every frame cut short malformed", () => {
    for (let length = 0; length < 42; length++) expect(decodeArp(LINUX_REQUEST.subarray(0, length))).toBe("malformed");
    expect(decodeArp(LINUX_REQUEST.subarray(0, 42))).toBeTypeOf("object");
  });

  it("does not take another protocol for ARP", () => {
    const ipv4 = LINUX_REQUEST.slice();
    ipv4[13] = 0x00;
    expect(decodeArp(ipv4)).toBe("not_arp");
  });

  it.each([
    ["another hardware type", 15, 6],
    ["another protocol type", 16, 0x86],
    ["another hardware length", 18, 8],
    ["another protocol length", 19, 16],
    ["another operation", 21, 3],
    ["operation zero", 21, 0],
  ])("calls %s malformed", (_name, offset, value) => {
    const frame = LINUX_REQUEST.slice();
    frame[offset] = value;
    expect(decodeArp(frame)).toBe("malformed");
  });

  it("never throws, and what it accepts it writes back", () => {
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.tuple(fc.integer({ min: 0, max: 41 }), fc.nat(255)).map(([offset, value]) => {
        const changed = LINUX_REQUEST.slice(0, 42);
        changed[offset] = value;
        return changed;
      }),
    );
    fc.assert(
      fc.property(frame, (given) => {
        const packet = decodeArp(given);
        if (typeof packet === "object") expect(hex(encodeArp(packet))).toBe(hex(given.subarray(0, 42)));
      }),
    );
  });
});

describe("frames we build", () => {
  it("asks by broadcast with an empty target MAC", () => {
    const frame = arpRequest({ senderMac: EDGE, senderIp: "127.77.0.1", targetIp: "127.77.10.1" });
    expect(hex(frame)).toBe(hex(LINUX_REQUEST.subarray(0, 42)));
  });

  it("polls one host by unicast", () => {
    const frame = arpRequest({ senderMac: EDGE, senderIp: "127.77.0.1", targetIp: "127.77.10.1", targetMac: NODE });
    expect(decodeArp(frame)).toMatchObject({ ethernetDestination: NODE, operation: 1 });
  });

  it("announces with a request and a reply, both broadcast and both about itself", () => {
    for (const [index, frame] of gratuitousArp(NODE, "127.77.10.1").entries()) {
      expect(decodeArp(frame)).toEqual({
        operation: index + 1,
        senderMac: NODE,
        senderIp: "127.77.10.1",
        targetMac: "ff:ff:ff:ff:ff:ff",
        targetIp: "127.77.10.1",
        ethernetSource: NODE,
        ethernetDestination: "ff:ff:ff:ff:ff:ff",
      });
    }
  });

  it("refuses a MAC or address that is none", () => {
    expect(() => gratuitousArp("02:be:77", "127.77.10.1")).toThrow("not a MAC address");
    expect(() => gratuitousArp(NODE, "2001:db8::1")).toThrow("not an IPv4 address");
  });
});

const request = decodeArp(LINUX_REQUEST) as ArpPacket;
const decisions: readonly {
  name: string;
  packet: ArpPacket;
  holds: "yes" | "no" | "other_interface";
  want: string;
}[] = [
  { name: "answers a broadcast request for an address it holds", packet: request, holds: "yes", want: "answer" },
  {
    name: "answers a unicast request to its own MAC",
    packet: { ...request, ethernetDestination: NODE },
    holds: "yes",
    want: "answer",
  },
  { name: "stays silent about other addresses", packet: request, holds: "no", want: "not_announced" },
  {
    name: "stays silent on other interfaces",
    packet: request,
    holds: "other_interface",
    want: "interface_not_allowed",
  },
  { name: "does not answer replies", packet: { ...request, operation: 2 }, holds: "yes", want: "arp_reply" },
  {
    name: "does not answer what was sent to somebody else",
    packet: { ...request, ethernetDestination: "02:be:77:00:00:12" },
    holds: "yes",
    want: "ethernet_destination",
  },
  {
    name: "answers an RFC 5227 probe, which has no sender address",
    packet: { ...request, senderIp: "0.0.0.0" },
    holds: "yes",
    want: "answer",
  },
];

describe("decideArp", () => {
  it.each(decisions)("$name", ({ packet, holds, want }) => {
    const decision = decideArp(packet, { mac: NODE, holds: () => holds });
    expect(decision.kind === "drop" ? decision.reason : decision.kind).toBe(want);
    if (decision.kind === "answer") expect(hex(decision.frame)).toBe(hex(arpReply(packet, NODE)));
  });

  it("answers by unicast, from the address asked about", () => {
    expect(decodeArp(arpReply(request, NODE))).toEqual({
      operation: 2,
      senderMac: NODE,
      senderIp: "127.77.10.1",
      targetMac: EDGE,
      targetIp: "127.77.0.1",
      ethernetSource: NODE,
      ethernetDestination: EDGE,
    });
  });
});
