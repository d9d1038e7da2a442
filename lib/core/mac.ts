import { Fault } from "./errors.ts";

/** Ethernet addresses as text, in the one spelling used everywhere: six lower case octets with colons. */

/** Everybody on the segment (IEEE 802.3 §3.2.3). */
export const BROADCAST_MAC = "ff:ff:ff:ff:ff:ff";

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
const OCTET_TEXT = Array.from({ length: 256 }, (_unused, octet) => octet.toString(16).padStart(2, "0"));

/** True for that spelling only. */
export function isMac(text: string): boolean {
  return MAC.test(text);
}

/** Broadcast and multicast frames: the lowest bit of the first octet (IEEE 802.3 §3.2.3). */
export function isGroupFrame(frame: Uint8Array): boolean {
  return ((frame[0] ?? 0) & 1) === 1;
}

/** The six octets at `offset`; octets that are not there read as zero. */
export function macAt(frame: Uint8Array, offset: number): string {
  const octet = (index: number) => OCTET_TEXT[frame[offset + index] ?? 0];
  return `${octet(0)}:${octet(1)}:${octet(2)}:${octet(3)}:${octet(4)}:${octet(5)}`;
}

/** The six octets. Throws Fault `invalid` for text that is no MAC address in that spelling (or in upper case). */
export function macOctets(mac: string): Uint8Array {
  if (!isMac(mac.toLowerCase())) {
    throw new Fault("invalid", `${JSON.stringify(mac)} is not a MAC address: write it like 02:be:77:00:00:11`);
  }
  return Uint8Array.from(mac.split(":"), (octet) => Number.parseInt(octet, 16));
}
