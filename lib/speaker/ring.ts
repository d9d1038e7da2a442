import { sha256, utf8 } from "#core/sha256";

/** How many others a member beats to at full rate, and which of them notice first when it falls silent. */
export const WATCHERS = 10;

/** Six octets that stand for a node's name in datagrams: the start of its SHA-256. */
export function memberId(node: string): number {
  return sha256(utf8(node))
    .subarray(0, 6)
    .reduce((id, octet) => id * 256 + octet, 0);
}

/**
 * The members that come after `id` on the ring of all ids (ascending), at most `count` of those that `isCandidate`.
 * Who has the same ring and the same candidates gets the same answer; a member's place there says nothing about it,
 * as names are hashed.
 */
export function successors(
  ring: readonly number[],
  id: number,
  isCandidate: (id: number) => boolean,
  count: number = WATCHERS,
): readonly number[] {
  const found: number[] = [];
  const start = ring.findIndex((other) => other > id);
  for (let step = 0; step < ring.length && found.length < count; step++) {
    const other = ring[(Math.max(start, 0) + step) % ring.length];
    if (other !== undefined && other !== id && isCandidate(other)) found.push(other);
  }
  return found;
}
