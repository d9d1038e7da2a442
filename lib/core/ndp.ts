/**
 * Neighbour Discovery for IPv6 over Ethernet, the two messages that resolve
 * addresses: RFC 4861 §4.3, §4.4 and the validity rules of §7.1. MACs are lower
 * case text, addresses canonical text (RFC 5952).
 */
import { addressOctets, addressTextAt, tryParseAddress } from "./address.ts";
import { Fault } from "./errors.ts";
import { macAt, macOctets } from "./mac.ts";

/** A Neighbour Solicitation or Advertisement, and the headers it came in. */
export interface NdpPacket {
  readonly kind: "solicitation" | "advertisement";
  readonly source: string;
  readonly destination: string;
  readonly target: string;
  /** The link-layer option: of the source in a solicitation, of the target in an advertisement; null for none. */
  readonly linkLayer: string | null;
  /** S flag of an advertisement: it answers a solicitation. */
  readonly solicited: boolean;
  /** O flag of an advertisement: it replaces what the receiver had. */
  readonly override: boolean;
  readonly ethernetSource: string;
  readonly ethernetDestination: string;
}

/** All-nodes, ff02::1, and the MAC its frames go to (RFC 2464 §7). */
const ALL_NODES = "ff02::1";
const ETHERTYPE_IPV6 = 0x86dd;
const ICMPV6 = 58;
const SOLICITATION = 135;
const ADVERTISEMENT = 136;
const SOURCE_OPTION = 1;
const TARGET_OPTION = 2;

/** Where things are in a frame whose IPv6 header is followed by ICMPv6 at once. */
export const NDP_AT = { source: 22, destination: 38, icmp: 54, flags: 58, target: 62, options: 78 } as const;
/** Octets of a solicitation or advertisement with one link-layer option. */
export const NDP_OCTETS = 86;

/**
 * What the first `length` octets of a frame are: 135 or 136 for a valid
 * Neighbour Solicitation or Advertisement, -1 for one that RFC 4861 §7.1 says
 * to discard (hop limit, checksum, code, length, options, target), 0 for
 * everything else. Never throws and allocates nothing.
 */
export function ndpTypeOf(frame: Uint8Array, length: number): 135 | 136 | 0 | -1 {
  if (length < NDP_AT.icmp + 1 || octet(frame, 12) !== ETHERTYPE_IPV6 >> 8 || octet(frame, 13) !== 0xdd) return 0;
  // Extension headers are never in front of a neighbour message that a host sends.
  if (octet(frame, 20) !== ICMPV6 || octet(frame, 14) >> 4 !== 6) return 0;
  const type = octet(frame, NDP_AT.icmp);
  if (type !== SOLICITATION && type !== ADVERTISEMENT) return 0;
  const payload = (octet(frame, 18) << 8) | octet(frame, 19);
  const end = NDP_AT.icmp + payload;
  if (payload < 24 || end > length) return -1;
  if (octet(frame, 21) !== 255 || octet(frame, NDP_AT.icmp + 1) !== 0) return -1;
  if (octet(frame, NDP_AT.target) === 0xff) return -1;
  if (checksumOf(frame, payload) !== 0) return -1;
  for (let at = NDP_AT.options as number; at < end; ) {
    const size = octet(frame, at + 1) * 8;
    if (at + 1 >= end || size === 0 || at + size > end) return -1;
    at += size;
  }
  const group = octet(frame, NDP_AT.destination) === 0xff;
  if (type === ADVERTISEMENT) return group && (octet(frame, NDP_AT.flags) & FLAG_SOLICITED) !== 0 ? -1 : ADVERTISEMENT;
  if (!isUnspecified(frame, NDP_AT.source)) return octet(frame, NDP_AT.source) === 0xff ? -1 : SOLICITATION;
  // Duplicate address detection: to the solicited-node group, and nobody to answer to.
  return linkLayerAt(frame, SOURCE_OPTION) === 0 && isSolicitedNode(frame, NDP_AT.destination) ? SOLICITATION : -1;
}

export const FLAG_SOLICITED = 0x40;
export const FLAG_OVERRIDE = 0x20;

/** Offset of the MAC in the first such option of a frame that `ndpTypeOf` accepted; 0 for none. */
export function linkLayerAt(frame: Uint8Array, option: 1 | 2): number {
  const end = NDP_AT.icmp + ((octet(frame, 18) << 8) | octet(frame, 19));
  for (let at = NDP_AT.options as number; at + 8 <= end; ) {
    const size = octet(frame, at + 1) * 8;
    if (octet(frame, at) === option && size === 8) return at + 2;
    if (size === 0) return 0;
    at += size;
  }
  return 0;
}

/** True where the sixteen octets are `::`. */
export function isUnspecified(frame: Uint8Array, offset: number): boolean {
  for (let index = 0; index < 16; index++) if (octet(frame, offset + index) !== 0) return false;
  return true;
}

/** ff02::1:ff00:0/104 (RFC 4291 §2.7.1). */
function isSolicitedNode(frame: Uint8Array, offset: number): boolean {
  for (let index = 0; index < SOLICITED_NODE.length; index++) {
    if (octet(frame, offset + index) !== SOLICITED_NODE[index]) return false;
  }
  return true;
}

const SOLICITED_NODE = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff];

/** Reads a frame. Never throws: `malformed` is a neighbour message that must be discarded. */
export function decodeNdp(frame: Uint8Array): NdpPacket | "not_ndp" | "malformed" {
  const type = ndpTypeOf(frame, frame.byteLength);
  if (type === 0) return "not_ndp";
  if (type === -1) return "malformed";
  const isSolicitation = type === SOLICITATION;
  const option = linkLayerAt(frame, isSolicitation ? SOURCE_OPTION : TARGET_OPTION);
  const flags = isSolicitation ? 0 : octet(frame, NDP_AT.flags);
  return {
    kind: isSolicitation ? "solicitation" : "advertisement",
    source: addressTextAt(frame, NDP_AT.source, 6),
    destination: addressTextAt(frame, NDP_AT.destination, 6),
    target: addressTextAt(frame, NDP_AT.target, 6),
    linkLayer: option === 0 ? null : macAt(frame, option),
    solicited: (flags & FLAG_SOLICITED) !== 0,
    override: (flags & FLAG_OVERRIDE) !== 0,
    ethernetSource: macAt(frame, 6),
    ethernetDestination: macAt(frame, 0),
  };
}

/** The frame of a packet, with one link-layer option or none. Throws Fault `invalid` for a MAC or address that is none. */
export function encodeNdp(packet: NdpPacket): Uint8Array {
  const frame = new Uint8Array(packet.linkLayer === null ? NDP_AT.options : NDP_OCTETS);
  writeNdpHeaders(frame, packet.kind === "solicitation" ? SOLICITATION : ADVERTISEMENT);
  frame.set(macOctets(packet.ethernetDestination), 0);
  frame.set(macOctets(packet.ethernetSource), 6);
  frame.set(octetsOf(packet.source), NDP_AT.source);
  frame.set(octetsOf(packet.destination), NDP_AT.destination);
  frame.set(octetsOf(packet.target), NDP_AT.target);
  frame[NDP_AT.flags] = (packet.solicited ? FLAG_SOLICITED : 0) | (packet.override ? FLAG_OVERRIDE : 0);
  if (packet.linkLayer !== null) frame.set(macOctets(packet.linkLayer), NDP_AT.options + 2);
  writeNdpChecksum(frame);
  return frame;
}

/** Everything in a neighbour message that does not depend on who it is from and to. `frame` has its final length. */
export function writeNdpHeaders(frame: Uint8Array, type: 135 | 136): void {
  frame[12] = ETHERTYPE_IPV6 >> 8;
  frame[13] = ETHERTYPE_IPV6 & 0xff;
  frame[14] = 0x60;
  frame[19] = frame.byteLength - NDP_AT.icmp;
  frame[20] = ICMPV6;
  frame[21] = 255;
  frame[NDP_AT.icmp] = type;
  if (frame.byteLength < NDP_OCTETS) return;
  frame[NDP_AT.options] = type === SOLICITATION ? SOURCE_OPTION : TARGET_OPTION;
  frame[NDP_AT.options + 1] = 1;
}

/** Writes the checksum of a message whose other octets are final. */
export function writeNdpChecksum(frame: Uint8Array): void {
  frame[NDP_AT.icmp + 2] = 0;
  frame[NDP_AT.icmp + 3] = 0;
  const sum = checksumOf(frame, frame.byteLength - NDP_AT.icmp);
  frame[NDP_AT.icmp + 2] = sum >> 8;
  frame[NDP_AT.icmp + 3] = sum & 0xff;
}

/**
 * "Who has `target`?": to its solicited-node group, or straight to `targetMac`
 * (Neighbour Unreachability Detection). A `source` of `::` makes it a probe of
 * duplicate address detection (RFC 4862 §5.4.2).
 */
export function neighbourSolicitation(question: {
  readonly senderMac: string;
  readonly source: string;
  readonly target: string;
  readonly targetMac?: string | undefined;
}): Uint8Array {
  const { senderMac, source, target, targetMac } = question;
  const group = solicitedNodeGroup(target);
  return encodeNdp({
    kind: "solicitation",
    source,
    destination: targetMac === undefined ? group : target,
    target,
    linkLayer: source === "::" ? null : senderMac,
    solicited: false,
    override: false,
    ethernetSource: senderMac,
    ethernetDestination: targetMac ?? multicastMac(group),
  });
}

/** The frame of an unsolicited announcement: to all nodes, override set (RFC 4861 §7.2.6). */
export function unsolicitedAdvertisement(mac: string, target: string): Uint8Array {
  return encodeNdp({
    kind: "advertisement",
    source: target,
    destination: ALL_NODES,
    target,
    linkLayer: mac,
    solicited: false,
    override: true,
    ethernetSource: mac,
    ethernetDestination: multicastMac(ALL_NODES),
  });
}

/** ff02::1:ffXX:XXXX of the last three octets (RFC 4291 §2.7.1). Throws Fault `invalid` for what is no IPv6 address. */
export function solicitedNodeGroup(address: string): string {
  return addressTextAt(Uint8Array.from([...SOLICITED_NODE, ...octetsOf(address).subarray(13)]), 0, 6);
}

/** The link-local address that an interface makes of its MAC (RFC 4291 appendix A, modified EUI-64). */
export function linkLocal(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = macOctets(mac);
  return addressTextAt(Uint8Array.from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f]), 0, 6);
}

/** The MAC that frames to an IPv6 group go to: 33:33 and its last four octets (RFC 2464 §7). */
export function multicastMac(group: string): string {
  return macAt(Uint8Array.from([0x33, 0x33, ...octetsOf(group).subarray(12)]), 0);
}

function octetsOf(text: string): Uint8Array {
  const address = tryParseAddress(text);
  if (address?.family !== 6) throw new Fault("invalid", `${JSON.stringify(text)} is not an IPv6 address`);
  return addressOctets(address);
}

/** RFC 4443 §2.3 over pseudo header and message: zero when the checksum within is right. */
function checksumOf(frame: Uint8Array, payload: number): number {
  let sum = payload + ICMPV6;
  const end = NDP_AT.icmp + payload;
  for (let at = NDP_AT.source as number; at + 1 < end; at += 2) sum += (octet(frame, at) << 8) | octet(frame, at + 1);
  if (payload % 2 === 1) sum += octet(frame, end - 1) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function octet(frame: Uint8Array, at: number): number {
  return frame[at] ?? 0;
}
