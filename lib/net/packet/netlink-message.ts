/** What all netlink families share: headers, attributes, and the two messages that end an answer. */

/** One message of a datagram; its body lies between `from` and `end`. */
export interface NetlinkFrame {
  readonly type: number;
  readonly flags: number;
  readonly from: number;
  readonly end: number;
}

const NETLINK_HEADER = 16;
export const NETLINK_TYPE = { error: 2, done: 3 } as const;
/** NLM_F_REQUEST, NLM_F_ACK, NLM_F_ROOT | NLM_F_MATCH, and NLM_F_DUMP_INTR. */
export const NETLINK_FLAG = { request: 0x1, acknowledge: 0x4, dump: 0x300, interrupted: 0x10 } as const;

/** The messages of a datagram, in order. Never throws: it ends where one is cut short. */
export function framesOf(view: DataView): readonly NetlinkFrame[] {
  const frames: NetlinkFrame[] = [];
  for (let at = 0; at + NETLINK_HEADER <= view.byteLength; ) {
    const length = view.getUint32(at, true);
    if (length < NETLINK_HEADER || at + length > view.byteLength) break;
    const type = view.getUint16(at + 4, true);
    frames.push({ type, flags: view.getUint16(at + 6, true), from: at + NETLINK_HEADER, end: at + length });
    at += (length + 3) & ~3;
  }
  return frames;
}

/** A message with that body, of sequence number 1. */
export function netlinkRequest(type: number, flags: number, body: Uint8Array): Uint8Array {
  const octets = new Uint8Array(NETLINK_HEADER + body.byteLength);
  const view = new DataView(octets.buffer);
  view.setUint32(0, octets.byteLength, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, 1, true);
  octets.set(body, NETLINK_HEADER);
  return octets;
}

/** struct nlattr: length, type, value, padded to four octets. By type without its flags; never throws. */
export function readAttributes(view: DataView, from: number, end: number): ReadonlyMap<number, Uint8Array> {
  const attributes = new Map<number, Uint8Array>();
  for (let at = from; at + 4 <= end; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > end) break;
    const type = view.getUint16(at + 2, true) & 0x3fff;
    attributes.set(type, new Uint8Array(view.buffer, view.byteOffset + at + 4, length - 4));
    at += (length + 3) & ~3;
  }
  return attributes;
}

/** How long the addresses of an address family (AF_INET, AF_INET6) are; 0 for any other. */
export function addressOctetsOf(family: number): 0 | 4 | 16 {
  return family === 2 ? 4 : family === 10 ? 16 : 0;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
