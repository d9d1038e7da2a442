/** Octets of the Ethernet II header: destination, source, type. */
export const ETHERNET_HEADER = 14;
/** The largest frame the virtual networks carry (jumbo frames included), without FCS. */
export const FRAME_MAX = 9216;

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** True for the one spelling used everywhere: six lower case octets with colons. */
export function isMac(text: string): boolean {
  return MAC.test(text);
}

/** Destination MAC of a frame that is at least `ETHERNET_HEADER` long. */
export function destinationOf(frame: Uint8Array): string {
  return macAt(frame, 0);
}

/** Source MAC of a frame that is at least `ETHERNET_HEADER` long. */
export function sourceOf(frame: Uint8Array): string {
  return macAt(frame, 6);
}

/** Broadcast and multicast frames: the lowest bit of the first octet (IEEE 802.3 §3.2.3). */
export function isGroupFrame(frame: Uint8Array): boolean {
  return ((frame[0] ?? 0) & 1) === 1;
}

/** Long enough to have a header, short enough for the wire, and not sent by a group address. */
export function isFrame(frame: Uint8Array): boolean {
  return frame.byteLength >= ETHERNET_HEADER && frame.byteLength <= FRAME_MAX && ((frame[6] ?? 1) & 1) === 0;
}

/**
 * The receive filter of a network card that is not promiscuous: its own
 * address, broadcast, all-nodes of IPv6, and the groups that were joined.
 */
export function accepts(frame: Uint8Array, mac: string, groups: ReadonlySet<string>): boolean {
  const destination = destinationOf(frame);
  if (destination === mac || destination === BROADCAST || destination === ALL_NODES) return true;
  return isGroupFrame(frame) && groups.has(destination);
}

const BROADCAST = "ff:ff:ff:ff:ff:ff";
/** ff02::1 (RFC 2464 §7). */
const ALL_NODES = "33:33:00:00:00:01";

const OCTET_TEXT = Array.from({ length: 256 }, (_unused, octet) => octet.toString(16).padStart(2, "0"));

function macAt(frame: Uint8Array, offset: number): string {
  const octet = (index: number) => OCTET_TEXT[frame[offset + index] ?? 0];
  return `${octet(0)}:${octet(1)}:${octet(2)}:${octet(3)}:${octet(4)}:${octet(5)}`;
}
