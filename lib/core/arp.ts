/**
 * ARP for IPv4 over Ethernet: RFC 826 frames, RFC 5227 probes and
 * announcements, and the decision to answer (metallb.md 6.5). MACs are lower
 * case text "02:be:77:00:00:11", addresses dotted text.
 */
import { tryParseAddress } from "./address.ts";
import { Fault } from "./errors.ts";
import { BROADCAST_MAC, macAt, macOctets } from "./mac.ts";
import type { DropReason } from "./reasons.ts";

/** An ARP packet for IPv4, and the Ethernet header it came in. */
export interface ArpPacket {
  /** RFC 826: 1 request, 2 reply. */
  readonly operation: 1 | 2;
  readonly senderMac: string;
  readonly senderIp: string;
  readonly targetMac: string;
  readonly targetIp: string;
  readonly ethernetSource: string;
  readonly ethernetDestination: string;
}

const NO_MAC = "00:00:00:00:00:00";

const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV4 = 0x0800;
const HARDWARE_ETHERNET = 1;
/** Ethernet header and ARP body; shorter frames arrive padded to 60, longer ones are fine (RFC 826 has no trailer). */
const FRAME_OCTETS = 42;

/** Reads a frame. Never throws: `malformed` is an ARP frame that is cut short, or not IPv4 over Ethernet, or of another operation. */
export function decodeArp(frame: Uint8Array): ArpPacket | "not_arp" | "malformed" {
  if (frame.byteLength < 14) return "malformed";
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint16(12) !== ETHERTYPE_ARP) return "not_arp";
  if (frame.byteLength < FRAME_OCTETS) return "malformed";
  if (view.getUint16(14) !== HARDWARE_ETHERNET || view.getUint16(16) !== ETHERTYPE_IPV4) return "malformed";
  if (view.getUint8(18) !== 6 || view.getUint8(19) !== 4) return "malformed";
  const operation = view.getUint16(20);
  if (operation !== 1 && operation !== 2) return "malformed";
  return {
    operation,
    senderMac: macAt(frame, 22),
    senderIp: readIp(frame, 28),
    targetMac: macAt(frame, 32),
    targetIp: readIp(frame, 38),
    ethernetSource: macAt(frame, 6),
    ethernetDestination: macAt(frame, 0),
  };
}

/** The 42 octets of a frame, without padding and FCS. Throws Fault `invalid` for a MAC or address that is none. */
export function encodeArp(packet: ArpPacket): Uint8Array {
  const frame = new Uint8Array(FRAME_OCTETS);
  const view = new DataView(frame.buffer);
  writeMac(frame, 0, packet.ethernetDestination);
  writeMac(frame, 6, packet.ethernetSource);
  view.setUint16(12, ETHERTYPE_ARP);
  view.setUint16(14, HARDWARE_ETHERNET);
  view.setUint16(16, ETHERTYPE_IPV4);
  view.setUint8(18, 6);
  view.setUint8(19, 4);
  view.setUint16(20, packet.operation);
  writeMac(frame, 22, packet.senderMac);
  writeIp(view, 28, packet.senderIp);
  writeMac(frame, 32, packet.targetMac);
  writeIp(view, 38, packet.targetIp);
  return frame;
}

/**
 * "Who has `targetIp`?": broadcast, or straight to `targetMac` (the unicast
 * poll of RFC 1122 §2.3.2.1). With `senderIp` 0.0.0.0 it is the probe of RFC 5227 §2.1.1.
 */
export function arpRequest(question: {
  readonly senderMac: string;
  readonly senderIp: string;
  readonly targetIp: string;
  readonly targetMac?: string | undefined;
}): Uint8Array {
  return encodeArp({
    operation: 1,
    senderMac: question.senderMac,
    senderIp: question.senderIp,
    targetMac: NO_MAC,
    targetIp: question.targetIp,
    ethernetSource: question.senderMac,
    ethernetDestination: question.targetMac ?? BROADCAST_MAC,
  });
}

/** "`request.targetIp` is at `mac`", unicast to who asked (RFC 826 "Packet Reception"). */
export function arpReply(request: ArpPacket, mac: string): Uint8Array {
  return encodeArp({
    operation: 2,
    senderMac: mac,
    senderIp: request.targetIp,
    targetMac: request.senderMac,
    targetIp: request.senderIp,
    ethernetSource: mac,
    ethernetDestination: request.senderMac,
  });
}

/** The two broadcast frames of an unsolicited announcement (RFC 5227 §3; both forms, because peers differ in which they heed). */
export function gratuitousArp(mac: string, ip: string): readonly [request: Uint8Array, reply: Uint8Array] {
  const announcement = (operation: 1 | 2) =>
    encodeArp({
      operation,
      senderMac: mac,
      senderIp: ip,
      targetMac: BROADCAST_MAC,
      targetIp: ip,
      ethernetSource: mac,
      ethernetDestination: BROADCAST_MAC,
    });
  return [announcement(1), announcement(2)];
}

/** What to do with a packet: the frame to send back, or why none is sent. */
type ArpDecision =
  | { readonly kind: "answer"; readonly frame: Uint8Array }
  | { readonly kind: "drop"; readonly reason: DropReason };

/** Answers a request that came by broadcast or to our own MAC, for an address we hold on this interface; drops all else. */
export function decideArp(
  packet: ArpPacket,
  own: { readonly mac: string; holds(ip: string): "yes" | "no" | "other_interface" },
): ArpDecision {
  if (packet.operation !== 1) return { kind: "drop", reason: "arp_reply" };
  if (packet.ethernetDestination !== BROADCAST_MAC && packet.ethernetDestination !== own.mac) {
    return { kind: "drop", reason: "ethernet_destination" };
  }
  const held = own.holds(packet.targetIp);
  if (held === "no") return { kind: "drop", reason: "not_announced" };
  if (held === "other_interface") return { kind: "drop", reason: "interface_not_allowed" };
  return { kind: "answer", frame: arpReply(packet, own.mac) };
}

function readIp(frame: Uint8Array, offset: number): string {
  return `${frame[offset]}.${frame[offset + 1]}.${frame[offset + 2]}.${frame[offset + 3]}`;
}

function writeMac(frame: Uint8Array, offset: number, mac: string): void {
  frame.set(macOctets(mac), offset);
}

function writeIp(view: DataView, offset: number, ip: string): void {
  const address = tryParseAddress(ip);
  if (address?.family !== 4) throw new Fault("invalid", `${JSON.stringify(ip)} is not an IPv4 address`);
  view.setUint32(offset, Number(address.value));
}
