import { describe, expect, it } from "vitest";
import { addressOctets, parseAddress } from "#core/address";
import { type ArpPacket, arpReply, arpRequest, decodeArp, gratuitousArp } from "#core/arp";
import { decodeNdp, encodeNdp, type NdpPacket, neighbourSolicitation, unsolicitedAdvertisement } from "#core/ndp";
import { long } from "#core/octets";
import { arpFilter, ndpFilter } from "#net/packet/filter";

const NODE = "02:be:77:00:00:11";
const EDGE = "02:be:77:00:00:01";
const TO_US = 0;
const BROADCAST = 1;
const MULTICAST = 2;
const TO_OTHERS = 3;
const OUTGOING = 4;

/** The classic BPF machine, as far as our programs use it; null for a program that runs off its end. */
function run(program: Uint8Array, frame: Uint8Array, packetType: number): boolean | null {
  const view = new DataView(program.buffer);
  const data = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let accumulator = 0;
  for (let pc = 0; pc < program.byteLength / 8; pc++) {
    const [code, jt, jf] = [view.getUint16(pc * 8, true), view.getUint8(pc * 8 + 2), view.getUint8(pc * 8 + 3)];
    const value = view.getUint32(pc * 8 + 4, true);
    if (code === 0x06) return value > 0;
    if (code === 0x05) pc += value;
    else if (code === 0x15) pc += accumulator === value ? jt : jf;
    else if (code === 0x25) pc += accumulator > value ? jt : jf;
    else if (value === 0xfffff004) accumulator = packetType;
    else {
      const octets = { 48: 1, 40: 2, 32: 4 }[code];
      if (octets === undefined) return null;
      // A load beyond the frame ends the program: not accepted.
      if (value + octets > frame.byteLength) return false;
      accumulator = octets === 1 ? data.getUint8(value) : octets === 2 ? data.getUint16(value) : data.getUint32(value);
    }
  }
  return null;
}

const low = (address: string) => {
  const octets = addressOctets(parseAddress(address));
  return long(octets, octets.length - 4);
};
const ask = (targetIp: string) => arpRequest({ senderMac: EDGE, senderIp: "192.0.2.1", targetIp });
const reply = (ip: string) => arpReply(decodeArp(ask(ip)) as ArpPacket, EDGE);
const solicit = (target: string) => neighbourSolicitation({ senderMac: EDGE, source: "fe80::1", target });
const range = (count: number) => Array.from({ length: count }, (_unused, n) => low(`10.1.${n >> 8}.${n & 255}`));

const V4 = { held: [low("192.0.2.100"), low("240.0.0.1")], watched: [low("192.0.2.7")] };
const V6 = { held: [low("2001:db8::64")], watched: [low("2001:db8::7")] };

describe("the kernel's filter for ARP", () => {
  it.each([
    ["lets a request for a held address through", ask("192.0.2.100"), BROADCAST, true],
    ["and for one in the upper half of the numbers", ask("240.0.0.1"), BROADCAST, true],
    ["and a unicast one", ask("192.0.2.100"), TO_US, true],
    ["keeps requests for other addresses away", ask("192.0.2.101"), BROADCAST, false],
    ["keeps requests for a watched address away", ask("192.0.2.7"), BROADCAST, false],
    ["lets who claims a held address through", gratuitousArp(EDGE, "192.0.2.100")[1], BROADCAST, true],
    ["lets an answer about a watched address through", reply("192.0.2.7"), TO_US, true],
    ["keeps answers about others away", reply("192.0.2.8"), TO_US, false],
    ["keeps frames for others away, which a promiscuous card sees", ask("192.0.2.100"), TO_OTHERS, false],
    ["keeps our own frames away", ask("192.0.2.100"), OUTGOING, false],
    ["keeps a cut frame away", ask("192.0.2.100").subarray(0, 40), BROADCAST, false],
  ])("%s", (_name, frame, type, want) => {
    expect(run(arpFilter(V4), frame, type)).toBe(want);
  });

  it("wakes nobody when nothing is held", () => {
    expect(run(arpFilter({ held: [], watched: [] }), ask("192.0.2.100"), BROADCAST)).toBe(false);
  });

  it.each([1, 2, 199, 200])("lists up to 200 addresses, here %i", (count) => {
    const program = arpFilter({ held: range(count), watched: [] });
    for (const n of [0, count - 1]) {
      expect(run(program, ask(`10.1.${n >> 8}.${n & 255}`), BROADCAST)).toBe(true);
    }
    expect(run(program, ask("10.2.0.1"), BROADCAST)).toBe(false);
    expect(program.byteLength / 8).toBeLessThanOrEqual(4096);
  });

  it("lets all ARP through above that", () => {
    const program = arpFilter({ held: range(201), watched: [] });
    expect(run(program, ask("10.2.0.1"), BROADCAST)).toBe(true);
    expect(run(program, ask("10.2.0.1"), TO_OTHERS)).toBe(false);
  });
});

describe("the kernel's filter for NDP", () => {
  const solicitation = decodeNdp(solicit("2001:db8::64")) as NdpPacket;
  const routed = solicit("2001:db8::64").slice();
  routed[21] = 64;
  const router = solicit("2001:db8::64").slice();
  router[54] = 134;
  it.each([
    ["lets a solicitation for a held address through", solicit("2001:db8::64"), MULTICAST, true],
    ["and a unicast probe", encodeNdp({ ...solicitation, ethernetDestination: NODE }), TO_US, true],
    ["keeps solicitations for other addresses away", solicit("2001:db8::65"), MULTICAST, false],
    [
      "lets an advertisement of a held address through",
      unsolicitedAdvertisement(EDGE, "2001:db8::64"),
      MULTICAST,
      true,
    ],
    ["lets an advertisement of a watched address through", unsolicitedAdvertisement(EDGE, "2001:db8::7"), TO_US, true],
    ["keeps what came through a router away", routed, MULTICAST, false],
    ["keeps router advertisements away", router, MULTICAST, false],
    ["keeps our own frames away", solicit("2001:db8::64"), OUTGOING, false],
    ["keeps other IPv6 away", new Uint8Array(100), TO_US, false],
  ])("%s", (_name, frame, type, want) => {
    expect(run(ndpFilter(V6), frame, type)).toBe(want);
  });

  it("wakes nobody when nothing is held", () => {
    expect(run(ndpFilter({ held: [], watched: [] }), solicit("2001:db8::64"), MULTICAST)).toBe(false);
  });

  it("lets all neighbour messages through above 200 addresses", () => {
    const program = ndpFilter({ held: range(201), watched: [] });
    expect(run(program, solicit("2001:db8::64"), MULTICAST)).toBe(true);
    expect(run(program, new Uint8Array(100), MULTICAST)).toBe(false);
  });
});
