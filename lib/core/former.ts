/**
 * Which node announced an address before this one does: the only one that can
 * know the connections that were opened before the address moved here.
 */
import { tryParseAddress } from "./address.ts";

/** By address (canonical text): the node, other than this one, that announced it last. */
export type FormerAnnouncers = ReadonlyMap<string, string>;

/** What an election of this node came to, for one Service. */
export interface Elected {
  readonly self: string;
  readonly winner: string | null;
  readonly addresses: readonly string[];
  /** Who would announce if this node did not: who did, while it was away. Only asked where nothing is known yet. */
  readonly withoutSelf: () => string | null;
}

/** The former announcers after an election. Nobody announces: whoever did last may still be in the caches of neighbours. */
export function formerAnnouncers(before: FormerAnnouncers, now: Elected): FormerAnnouncers {
  const { self, winner, addresses, withoutSelf } = now;
  const after = new Map<string, string>();
  for (const address of addresses) {
    const other = winner !== null && winner !== self ? winner : (before.get(address) ?? withoutSelf());
    if (other !== null) after.set(address, other);
  }
  return after;
}

/** The first of a node's own addresses that is of the same family; null when it has none. */
export function hopTo(address: string, own: readonly string[]): string | null {
  const family = tryParseAddress(address)?.family;
  return own.find((one) => family !== undefined && tryParseAddress(one)?.family === family) ?? null;
}
