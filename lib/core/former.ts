/**
 * Which node announced an address before this one does: the only one that can
 * know the connections that were opened before the address moved here.
 */
import { tryParseAddress } from "./address.ts";

/** By address (canonical text): the node, other than this one, that announced it last. */
export type FormerAnnouncers = ReadonlyMap<string, string>;

/** What an election of this node came to, for one Service. */
interface Elected {
  readonly self: string;
  readonly winner: string | null;
  readonly addresses: readonly string[];
  /**
   * Whether connections to the Service may still be alive by way of a node. Under externalTrafficPolicy Local not where
   * none of its endpoints is left: that node's proxy would swallow what should be refused.
   */
  readonly mayCarry: (node: string) => boolean;
}

/** The former announcers after an election. Nobody announces: whoever did last may still be in the caches of neighbours. */
export function formerAnnouncers(before: FormerAnnouncers, now: Elected): FormerAnnouncers {
  const { self, winner, addresses, mayCarry } = now;
  const after = new Map<string, string>();
  for (const address of addresses) {
    const other = winner !== null && winner !== self ? winner : before.get(address);
    if (other !== undefined && mayCarry(other)) after.set(address, other);
  }
  return after;
}

/** The first of a node's own addresses that is of the same family; null when it has none. */
export function hopTo(address: string, own: readonly string[]): string | null {
  const family = tryParseAddress(address)?.family;
  return own.find((one) => family !== undefined && tryParseAddress(one)?.family === family) ?? null;
}
