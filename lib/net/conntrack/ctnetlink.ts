/**
 * ctnetlink (linux/netfilter/nfnetlink_conntrack.h) as far as it tells of UDP
 * flows: a request for all entries of a connection tracking table, what it
 * answers, and the removal of one entry. Headers are in the host's order,
 * attributes in the network's.
 */
import { addressTextAt } from "#core/address";
import type { Peer } from "../host.ts";
import {
  addressOctetsOf,
  framesOf,
  NETLINK_FLAG,
  NETLINK_TYPE,
  type NetlinkFrame,
  netlinkRequest,
  readAttributes,
  viewOf,
} from "../packet/netlink-message.ts";

/** One entry of the table, for UDP. */
export interface Flow {
  /** Where the first datagram was sent to, before any translation. */
  readonly to: Peer;
  /** Where answers are expected from: `to`, or what it was translated into. */
  readonly answeredBy: Peer;
  /** Names this entry to the kernel, and not one of the same ends that came after it. */
  readonly handle: Uint8Array;
}

export type ConntrackMessage =
  | { readonly kind: "flow"; readonly flow: Flow }
  /** `errno` 0: what was asked for has been done. */
  | { readonly kind: "result"; readonly errno: number }
  /** End of a list; `complete` false: it changed meanwhile, and must be asked again. */
  | { readonly kind: "done"; readonly complete: boolean };

/** NFNL_SUBSYS_CTNETLINK << 8, and IPCTNL_MSG_CT_*. */
const NEW = 0x100;
const GET = 0x101;
const DELETE = 0x102;
/** struct nfgenmsg: family, version, resource. */
const GENERAL = 4;
const UDP = 17;
/** CTA_*. */
const ORIGINAL = 1;
const REPLY = 2;
const ID = 12;
const ZONE = 18;
/** CTA_TUPLE_* and CTA_PROTO_*. */
const TUPLE_IP = 1;
const TUPLE_PROTOCOL = 2;
const PROTOCOL_NUMBER = 1;
const SOURCE_PORT = 2;
const DESTINATION_PORT = 3;
/** NLA_F_NESTED. */
const NESTED = 0x8000;

/** Asks for every entry of both families; the answer ends with `done`, or a `result` that is no success. */
export function listRequest(): Uint8Array {
  return netlinkRequest(GET, NETLINK_FLAG.request | NETLINK_FLAG.dump, new Uint8Array(GENERAL));
}

/** Asks to remove one entry; answered by one `result`, ENOENT where it is no more. */
export function removeRequest({ handle }: Flow): Uint8Array {
  return netlinkRequest(DELETE, NETLINK_FLAG.request | NETLINK_FLAG.acknowledge, handle);
}

/** Reads a datagram. Never throws: what is cut short, unknown or not UDP is left out. */
export function parseConntrack(bytes: Uint8Array): readonly ConntrackMessage[] {
  const view = viewOf(bytes);
  return framesOf(view).flatMap((frame) => parseOne(view, frame) ?? []);
}

function parseOne(view: DataView, frame: NetlinkFrame): ConntrackMessage | null {
  const { type, flags, from, end } = frame;
  switch (type) {
    case NETLINK_TYPE.done:
      return { kind: "done", complete: (flags & NETLINK_FLAG.interrupted) === 0 };
    case NETLINK_TYPE.error:
      return end - from < 4 ? null : { kind: "result", errno: -view.getInt32(from, true) | 0 };
    case NEW: {
      const flow = end - from < GENERAL ? null : parseFlow(view, from, end);
      return flow === null ? null : { kind: "flow", flow };
    }
    default:
      return null;
  }
}

function parseFlow(view: DataView, from: number, end: number): Flow | null {
  const family = view.getUint8(from);
  const octets = addressOctetsOf(family);
  const attributes = readAttributes(view, from + GENERAL, end);
  const original = attributes.get(ORIGINAL);
  const reply = attributes.get(REPLY);
  if (octets === 0 || original === undefined || reply === undefined) return null;
  const to = readEnd(original, octets, "destination");
  const answeredBy = readEnd(reply, octets, "source");
  if (to === null || answeredBy === null) return null;
  return { to, answeredBy, handle: handleOf(family, attributes) };
}

/** One end of a tuple (CTA_TUPLE_*); null when it is not UDP, or has no address of that length. */
function readEnd(tuple: Uint8Array, octets: 4 | 16, which: "source" | "destination"): Peer | null {
  const parts = nested(tuple);
  const protocol = nested(parts.get(TUPLE_PROTOCOL));
  if (protocol.get(PROTOCOL_NUMBER)?.[0] !== UDP) return null;
  const port = protocol.get(which === "source" ? SOURCE_PORT : DESTINATION_PORT);
  // CTA_IP_V4_SRC, CTA_IP_V4_DST, CTA_IP_V6_SRC, CTA_IP_V6_DST.
  const address = nested(parts.get(TUPLE_IP)).get((octets === 4 ? 1 : 3) + (which === "source" ? 0 : 1));
  if (port?.byteLength !== 2 || address?.byteLength !== octets) return null;
  return { address: addressTextAt(address, 0, octets === 4 ? 4 : 6), port: viewOf(port).getUint16(0) };
}

/** The body of a removal. Its tuple is handed back as it came; it is a copy, since buffers are used again. */
function handleOf(family: number, attributes: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const octets = [family, 0, 0, 0];
  for (const type of [ORIGINAL, ID, ZONE]) {
    const value = attributes.get(type);
    if (value === undefined) continue;
    const length = GENERAL + value.byteLength;
    const kind = type === ORIGINAL ? type | NESTED : type;
    octets.push(length & 0xff, length >> 8, kind & 0xff, kind >> 8, ...value);
    while (octets.length % 4 !== 0) octets.push(0);
  }
  return Uint8Array.from(octets);
}

function nested(value: Uint8Array | undefined): ReadonlyMap<number, Uint8Array> {
  return value === undefined ? new Map() : readAttributes(viewOf(value), 0, value.byteLength);
}
