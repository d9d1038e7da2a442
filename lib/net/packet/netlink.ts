/** rtnetlink (RFC 3549) as far as it tells of interfaces: requests for what is there, and messages about what changed. */
import { addressTextAt } from "#core/address";
import { macAt } from "#core/mac";
import {
  addressOctetsOf,
  framesOf,
  NETLINK_FLAG,
  NETLINK_TYPE,
  type NetlinkFrame,
  netlinkRequest,
  readAttributes,
  viewOf,
} from "./netlink-message.ts";

/** One interface as the kernel describes it. */
export interface NetLink {
  readonly index: number;
  readonly name: string;
  /** ARPHRD_*: 1 is Ethernet. */
  readonly type: number;
  /** IFF_*. */
  readonly flags: number;
  /** Null where it has no six octets. */
  readonly mac: string | null;
  /** Index of the bridge, bond or VRF it is a member of; 0 for none. */
  readonly master: number;
}

export type NetlinkMessage =
  | { readonly kind: "link"; readonly link: NetLink }
  | { readonly kind: "link_gone"; readonly index: number }
  | { readonly kind: "address" | "address_gone"; readonly index: number; readonly address: string }
  /** End of an answer; `complete` false: it changed meanwhile, and must be asked again. */
  | { readonly kind: "done"; readonly complete: boolean };

const NEW_LINK = 16;
const DEL_LINK = 17;
const GET_LINK = 18;
const NEW_ADDRESS = 20;
const DEL_ADDRESS = 21;
const GET_ADDRESS = 22;

/** Asks for all links, or all addresses; the answer ends with `done`. */
export function dumpRequest(what: "links" | "addresses"): Uint8Array {
  const [type, octets] = what === "links" ? [GET_LINK, 16] : [GET_ADDRESS, 8];
  return netlinkRequest(type, NETLINK_FLAG.request | NETLINK_FLAG.dump, new Uint8Array(octets));
}

/** Reads a datagram. Never throws: what is cut short or unknown is left out. */
export function parseNetlink(bytes: Uint8Array): readonly NetlinkMessage[] {
  const view = viewOf(bytes);
  return framesOf(view).flatMap((frame) => parseOne(view, frame) ?? []);
}

function parseOne(view: DataView, { type, flags, from, end }: NetlinkFrame): NetlinkMessage | null {
  switch (type) {
    case NETLINK_TYPE.done:
      return { kind: "done", complete: (flags & NETLINK_FLAG.interrupted) === 0 };
    case NETLINK_TYPE.error:
      // With a zero it would be an acknowledgement, and we ask for none.
      return { kind: "done", complete: false };
    case NEW_LINK:
    case DEL_LINK:
      return end - from < 16 ? null : parseLink(view, type, from, end);
    case NEW_ADDRESS:
    case DEL_ADDRESS:
      return end - from < 8 ? null : parseAddress(view, type, from, end);
    default:
      return null;
  }
}

function parseLink(view: DataView, type: number, body: number, end: number): NetlinkMessage | null {
  // A bridge says of its ports, in a family of its own, that they are gone: from the bridge, not from the host.
  if (view.getUint8(body) !== 0) return null;
  const index = view.getInt32(body + 4, true);
  if (type === DEL_LINK) return { kind: "link_gone", index };
  const attributes = readAttributes(view, body + 16, end);
  const mac = attributes.get(1);
  const name = attributes.get(3);
  const master = attributes.get(10);
  if (name === undefined) return null;
  return {
    kind: "link",
    link: {
      index,
      name: text(name),
      type: view.getUint16(body + 2, true),
      flags: view.getUint32(body + 8, true),
      mac: mac?.byteLength === 6 ? macAt(mac, 0) : null,
      master: master?.byteLength === 4 ? new DataView(master.buffer, master.byteOffset).getUint32(0, true) : 0,
    },
  };
}

function parseAddress(view: DataView, type: number, body: number, end: number): NetlinkMessage | null {
  const family = view.getUint8(body);
  const octets = addressOctetsOf(family);
  const attributes = readAttributes(view, body + 8, end);
  // IFA_LOCAL is ours where IFA_ADDRESS is the other end's.
  const value = attributes.get(2) ?? attributes.get(1);
  if (octets === 0 || value?.byteLength !== octets) return null;
  return {
    kind: type === NEW_ADDRESS ? "address" : "address_gone",
    index: view.getInt32(body + 4, true),
    address: addressTextAt(value, 0, octets === 4 ? 4 : 6),
  };
}

function text(value: Uint8Array): string {
  const end = value.indexOf(0);
  return new TextDecoder().decode(end < 0 ? value : value.subarray(0, end));
}
