import { BROADCAST_MAC, isGroupFrame, macAt } from "#core/mac";

/** Octets of the Ethernet II header: destination, source, type. */
const ETHERNET_HEADER = 14;
/** The largest frame the virtual networks carry (jumbo frames included), without FCS. */
export const FRAME_MAX = 9216;

/** Destination MAC of a frame that is at least 14 octets long. */
export function destinationOf(frame: Uint8Array): string {
  return macAt(frame, 0);
}

/** Source MAC of a frame that is at least 14 octets long. */
export function sourceOf(frame: Uint8Array): string {
  return macAt(frame, 6);
}

/** Long enough to have a header, short enough for the wire, and not sent by a group address. */
export function isFrame(frame: Uint8Array): boolean {
  return frame.byteLength >= ETHERNET_HEADER && frame.byteLength <= FRAME_MAX && ((frame[6] ?? 1) & 1) === 0;
}

/**
 * The receive filter of a network card that is not promiscuous: its own
 * address, broadcast, all-nodes of IPv6, and the groups it listens to.
 */
export function accepts(frame: Uint8Array, mac: string, groups: { has(mac: string): boolean }): boolean {
  const destination = destinationOf(frame);
  if (destination === mac || destination === BROADCAST_MAC || destination === ALL_NODES) return true;
  return isGroupFrame(frame) && groups.has(destination);
}

/** ff02::1 (RFC 2464 §7). */
const ALL_NODES = "33:33:00:00:00:01";
