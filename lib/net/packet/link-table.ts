import type { LinkInfo, LinkSkip } from "../port.ts";
import type { NetLink, NetlinkMessage } from "./netlink.ts";

const FLAG = { up: 0x1, broadcast: 0x2, loopback: 0x8, pointToPoint: 0x10, running: 0x40, noArp: 0x80 } as const;
const ETHERNET = 1;
const LOOPBACK = 772;

/** An interface that is not excluded by name. */
export interface KnownLink extends LinkInfo {
  readonly index: number;
}

/**
 * The host's interfaces, kept from what netlink says. Two rounds of answers
 * (links, then addresses) fill it; changes go on top; after messages were lost
 * it is filled anew, and what did not come again is gone.
 */
export class LinkTable {
  #excluded: readonly RegExp[];
  readonly #links = new Map<number, NetLink>();
  readonly #addresses = new Map<number, Set<string>>();
  #seen: Set<number> | null = null;

  constructor(excluded: readonly RegExp[]) {
    this.#excluded = excluded;
  }

  /** Replaces what is excluded by name. */
  exclude(excluded: readonly RegExp[]): void {
    this.#excluded = excluded;
  }

  /** From here to `endDump` come answers: what is not among them is gone. */
  beginDump(): void {
    this.#seen = new Set();
    this.#addresses.clear();
  }

  endDump(): void {
    const seen = this.#seen ?? new Set();
    this.#seen = null;
    for (const index of this.#links.keys()) if (!seen.has(index)) this.#links.delete(index);
  }

  apply(message: NetlinkMessage): void {
    if (message.kind === "link") {
      this.#links.set(message.link.index, message.link);
      this.#seen?.add(message.link.index);
    } else if (message.kind === "link_gone") {
      this.#links.delete(message.index);
      this.#addresses.delete(message.index);
    } else if (message.kind === "address") {
      const known = this.#addresses.get(message.index) ?? new Set();
      this.#addresses.set(message.index, known.add(message.address));
    } else if (message.kind === "address_gone") {
      this.#addresses.get(message.index)?.delete(message.address);
    }
  }

  /** In order of their indices. */
  links(): readonly KnownLink[] {
    return [...this.#links.values()]
      .filter(({ name }) => !this.#excluded.some((pattern) => pattern.test(name)))
      .toSorted((a, b) => a.index - b.index)
      .map((link) => {
        const skipped = whySkipped(link);
        return {
          index: link.index,
          name: link.name,
          mac: link.mac ?? "00:00:00:00:00:00",
          up: (link.flags & FLAG.up) !== 0 && (link.flags & FLAG.running) !== 0,
          addresses: [...(this.#addresses.get(link.index) ?? [])],
          ...(skipped !== null && { skipped }),
        };
      });
  }
}

/** Why an interface is never announced on; null if it may be. */
function whySkipped({ type, flags, mac, master }: NetLink): LinkSkip | null {
  if ((flags & FLAG.loopback) !== 0 || type === LOOPBACK) return "loopback";
  if ((flags & FLAG.pointToPoint) !== 0) return "point_to_point";
  if (type !== ETHERNET || mac === null || (flags & FLAG.broadcast) === 0) return "not_ethernet";
  if ((flags & FLAG.noArp) !== 0) return "no_arp";
  // A frame for the bridge or bond never reaches a socket on its member.
  return master === 0 ? null : "member";
}
