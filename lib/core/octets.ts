/** Reading and writing frames octet by octet, without views or slices: nothing here allocates. What is not there reads as zero. */

/** Sixteen bits in network byte order. */
export function word(frame: Uint8Array, at: number): number {
  return ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0);
}

/** Thirty-two bits in network byte order, as a signed number: one that V8 keeps without allocating. */
export function long(frame: Uint8Array, at: number): number {
  return (word(frame, at) << 16) | word(frame, at + 2);
}

/** The MAC at `at` is broadcast or multicast (IEEE 802.3 §3.2.3). */
export function isGroup(frame: Uint8Array, at: number): boolean {
  return ((frame[at] ?? 0) & 1) === 1;
}

/** The frame goes to everybody. */
export function isBroadcast(frame: Uint8Array): boolean {
  return long(frame, 0) === -1 && word(frame, 4) === 0xffff;
}

export function sameOctets(frame: Uint8Array, at: number, octets: Uint8Array): boolean {
  for (let index = 0; index < octets.length; index++) if (frame[at + index] !== octets[index]) return false;
  return true;
}

/** For a few octets; `set` of a `subarray` would allocate. */
export function copy(from: Uint8Array, at: number, to: Uint8Array, offset: number, count: number): void {
  for (let index = 0; index < count; index++) to[offset + index] = from[at + index] ?? 0;
}
