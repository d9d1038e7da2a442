/** rtnetlink (RFC 3549) as far as it tells of interfaces: requests for what is there, and messages about what changed. */
import { addressTextAt } from "#core/address";
import { macAt } from "#core/mac";

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

const HEADER = 16;
const ERROR = 2;
const DONE = 3;
const NEW_LINK = 16;
const DEL_LINK = 17;
const GET_LINK = 18;
const NEW_ADDRESS = 20;
const DEL_ADDRESS = 21;
const GET_ADDRESS = 22;
const INTERRUPTED = 0x10;
const REQUEST_DUMP = 0x301;
const AF_INET = 2;
const AF_INET6 = 10;

/** Asks for all links, or all addresses; the answer ends with `done`. */
export function dumpRequest(what: "links" | "addresses"): Uint8Array {
  const body = what === "links" ? 16 : 8;
  const view = new DataView(new ArrayBuffer(HEADER + body));
  view.setUint32(0, HEADER + body, true);
  view.setUint16(4, what === "links" ? GET_LINK : GET_ADDRESS, true);
  view.setUint16(6, REQUEST_DUMP, true);
  view.setUint32(8, 1, true);
  return new Uint8Array(view.buffer);
}

/** Reads a datagram. Never throws: what is cut short or unknown is left out. */
export function parseNetlink(bytes: Uint8Array): readonly NetlinkMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + HEADER <= bytes.byteLength; ) {
    const length = view.getUint32(at, true);
    if (length < HEADER || at + length > bytes.byteLength) break;
    const message = parseOne(view, at, length);
    if (message !== null) messages.push(message);
    at += (length + 3) & ~3;
  }
  return messages;
}

function parseOne(view: DataView, at: number, length: number): NetlinkMessage | null {
  const body = at + HEADER;
  const end = at + length;
  switch (view.getUint16(at + 4, true)) {
    case DONE:
      return { kind: "done", complete: (view.getUint16(at + 6, true) & INTERRUPTED) === 0 };
    case ERROR:
      // With a zero it would be an acknowledgement, and we ask for none.
      return { kind: "done", complete: false };
    case NEW_LINK:
    case DEL_LINK:
      return length < HEADER + 16 ? null : parseLink(view, at, body, end);
    case NEW_ADDRESS:
    case DEL_ADDRESS:
      return length < HEADER + 8 ? null : parseAddress(view, at, body, end);
    default:
      return null;
  }
}

function parseLink(view: DataView, at: number, body: number, end: number): NetlinkMessage | null {
  // A bridge says of its ports, in a family of its own, that they are gone: from the bridge, not from the host.
  if (view.getUint8(body) !== 0) return null;
  const index = view.getInt32(body + 4, true);
  if (view.getUint16(at + 4, true) === DEL_LINK) return { kind: "link_gone", index };
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

function parseAddress(view: DataView, at: number, body: number, end: number): NetlinkMessage | null {
  const family = view.getUint8(body);
  const octets = family === AF_INET ? 4 : family === AF_INET6 ? 16 : 0;
  const attributes = readAttributes(view, body + 8, end);
  // IFA_LOCAL is ours where IFA_ADDRESS is the other end's.
  const value = attributes.get(2) ?? attributes.get(1);
  if (octets === 0 || value?.byteLength !== octets) return null;
  return {
    kind: view.getUint16(at + 4, true) === NEW_ADDRESS ? "address" : "address_gone",
    index: view.getInt32(body + 4, true),
    address: addressTextAt(value, 0, octets === 4 ? 4 : 6),
  };
}

/** struct rtattr: length, type, value, padded to four octets. */
function readAttributes(view: DataView, from: number, end: number): ReadonlyMap<number, Uint8Array> {
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

function text(value: Uint8Array): string {
  const end = value.indexOf(0);
  return new TextDecoder().decode(end < 0 ? value : value.subarray(0, end));
}
