import type { Link } from "#net/port";

export const BROADCAST = "ff:ff:ff:ff:ff:ff";

/** A minimal Ethernet frame (type 0x88b5, for local experiments) whose payload is one octet. */
export function frameOf(source: string, destination: string, payload: number): Uint8Array {
  const octets = [destination, source].flatMap((mac) => mac.split(":").map((octet) => Number.parseInt(octet, 16)));
  return Uint8Array.from([...octets, 0x88, 0xb5, payload]);
}

/** The payloads of the `frameOf` frames a link hears from now on. */
export function recordFrames(link: Link): number[] {
  const heard: number[] = [];
  link.frames((frame) => heard.push(frame[14] ?? -1));
  return heard;
}
