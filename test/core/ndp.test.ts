import { describe, expect, it } from "vitest";
import {
  decodeNdp,
  encodeNdp,
  linkLocal,
  multicastMac,
  type NdpPacket,
  neighbourSolicitation,
  solicitedNodeGroup,
  unsolicitedAdvertisement,
  writeNdpChecksum,
} from "#core/ndp";
import { hex } from "#core/sha256";
import { fc } from "../support/random.ts";

const NODE = "02:be:77:00:00:11";
const EDGE = "02:be:77:00:00:01";
const VIP = "2001:db8::64";
const bytes = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));

/** As ndisc6 sends it on Linux. */
const SOLICITATION = bytes(`
  3333ff000064 02be77000001 86dd
  60000000 0020 3a ff fe80000000000000 00be77fffe000001 ff02000000000000 00000001ff000064
  87 00 0000 00000000 20010db8000000000000000000000064 01 01 02be77000001`);
writeNdpChecksum(SOLICITATION);
const solicitation = decodeNdp(SOLICITATION) as NdpPacket;

/** A copy with some octets changed, and the checksum made right again unless the change is in it. */
function changed(at: number, ...values: readonly number[]): Uint8Array {
  const frame = SOLICITATION.slice();
  frame.set(values, at);
  if (at !== 56) writeNdpChecksum(frame);
  return frame;
}

const zeros = (count: number) => Array<number>(count).fill(0);
const withoutOption = encodeNdp({ ...solicitation, linkLayer: null });
const probe = neighbourSolicitation({ senderMac: EDGE, source: "::", target: VIP });

describe("decodeNdp", () => {
  it("reads a kernel's solicitation, padding and all", () => {
    const padded = new Uint8Array(SOLICITATION.byteLength + 6);
    padded.set(SOLICITATION);
    expect(decodeNdp(padded)).toEqual({
      kind: "solicitation",
      source: "fe80::be:77ff:fe00:1",
      destination: "ff02::1:ff00:64",
      target: VIP,
      linkLayer: EDGE,
      solicited: false,
      override: false,
      ethernetSource: EDGE,
      ethernetDestination: "33:33:ff:00:00:64",
    });
  });

  const rows: readonly (readonly [name: string, frame: Uint8Array, want: string])[] = [
    ["takes a hop limit of 254 for a router's doing: malformed", changed(21, 254), "malformed"],
    ["takes a wrong checksum for malformed", changed(56, 1, 2), "malformed"],
    ["takes a code other than zero for malformed", changed(55, 1), "malformed"],
    ["takes a multicast target for malformed", changed(62, 0xff), "malformed"],
    ["takes an option of length zero for malformed", changed(79, 0), "malformed"],
    ["takes an option that is longer than the packet for malformed", changed(79, 2), "malformed"],
    ["takes a payload that is longer than the frame for malformed", changed(18, 0xff, 0xff), "malformed"],
    ["takes a payload without a whole target for malformed", changed(18, 0, 23), "malformed"],
    ["takes a multicast source for malformed", changed(22, 0xff), "malformed"],
    ["takes duplicate address detection with a source option for malformed", changed(22, ...zeros(16)), "malformed"],
    [
      "takes duplicate address detection to anywhere but a solicited-node group for malformed",
      encodeNdp({ ...solicitation, source: "::", destination: "ff02::1", linkLayer: null }),
      "malformed",
    ],
    [
      "takes a solicited advertisement to a group for malformed",
      encodeNdp({ ...solicitation, kind: "advertisement", destination: "ff02::1", solicited: true }),
      "malformed",
    ],
    ["accepts duplicate address detection", probe, "solicitation"],
    ["accepts a solicitation without option", withoutOption, "solicitation"],
    ["accepts an unsolicited advertisement", unsolicitedAdvertisement(NODE, VIP), "advertisement"],
    ["does not take IPv4 for it", changed(12, 0x08, 0x00), "not_ndp"],
    ["does not take UDP for it", changed(20, 17), "not_ndp"],
    ["does not take an echo request for it", changed(54, 128), "not_ndp"],
    ["does not take a router solicitation for it", changed(54, 133), "not_ndp"],
    ["does not look behind extension headers", changed(20, 0), "not_ndp"],
    ["does not take another IP version for it", changed(14, 0x40), "not_ndp"],
  ];
  it.each(rows)("%s", (_name, frame, want) => {
    const packet = decodeNdp(frame);
    expect(typeof packet === "string" ? packet : packet.kind).toBe(want);
  });

  it("finds the option behind another one", () => {
    const frame = new Uint8Array(SOLICITATION.byteLength + 8);
    frame.set(SOLICITATION.subarray(0, 78));
    frame.set([14, 1, 1, 2, 3, 4, 5, 6], 78);
    frame.set(SOLICITATION.subarray(78), 86);
    frame[19] = 40;
    writeNdpChecksum(frame);
    expect(decodeNdp(frame)).toMatchObject({ linkLayer: EDGE });
  });

  it("calls every solicitation cut short malformed, or nothing of the kind", () => {
    for (let length = 0; length < SOLICITATION.byteLength; length++) {
      expect(decodeNdp(SOLICITATION.subarray(0, length))).toBe(length < 55 ? "not_ndp" : "malformed");
    }
  });

  it("never throws, and what it accepts from us it writes back", () => {
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      fc.tuple(fc.integer({ min: 0, max: 85 }), fc.nat(255)).map(([at, value]) => changed(at, value)),
    );
    fc.assert(
      fc.property(frame, (given) => {
        const packet = decodeNdp(given);
        if (typeof packet === "string" || packet.linkLayer === null || given.byteLength !== 86) return;
        const again = decodeNdp(encodeNdp(packet));
        expect(again).toEqual(packet);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("frames we build", () => {
  it("solicit the group of the target, as a kernel does", () => {
    const frame = neighbourSolicitation({ senderMac: EDGE, source: "fe80::be:77ff:fe00:1", target: VIP });
    expect(hex(frame)).toBe(hex(SOLICITATION));
  });

  it("poll one host by unicast", () => {
    const frame = neighbourSolicitation({ senderMac: EDGE, source: "fe80::1", target: VIP, targetMac: NODE });
    expect(decodeNdp(frame)).toMatchObject({ ethernetDestination: NODE, destination: VIP, linkLayer: EDGE });
  });

  it("probe without saying who asks", () => {
    expect(decodeNdp(probe)).toMatchObject({ source: "::", destination: "ff02::1:ff00:64", linkLayer: null });
  });

  it("announce to all nodes, unsolicited and overriding, from the address itself", () => {
    expect(decodeNdp(unsolicitedAdvertisement(NODE, VIP))).toEqual({
      kind: "advertisement",
      source: VIP,
      destination: "ff02::1",
      target: VIP,
      linkLayer: NODE,
      solicited: false,
      override: true,
      ethernetSource: NODE,
      ethernetDestination: "33:33:00:00:00:01",
    });
  });

  it("name groups and their MACs", () => {
    expect(solicitedNodeGroup("2001:db8::12:3456:789a")).toBe("ff02::1:ff56:789a");
    expect(multicastMac("ff02::1:ff56:789a")).toBe("33:33:ff:56:78:9a");
  });

  it("name the link-local address of a MAC (RFC 4291 appendix A)", () => {
    expect(linkLocal("34:56:78:9a:bc:de")).toBe("fe80::3656:78ff:fe9a:bcde");
  });

  it("refuse an address or MAC that is none", () => {
    expect(() => unsolicitedAdvertisement(NODE, "192.0.2.1")).toThrow("not an IPv6 address");
    expect(() => unsolicitedAdvertisement("02:be", VIP)).toThrow("not a MAC address");
  });
});
