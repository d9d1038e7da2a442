/**
 * Who has an address, by what the wire says (design.md section 7): the questions to ask, what a frame claims, and
 * what the answers mean. Who asks and listens is the speaker.
 */
import { type Address, type AddressRange, formatAddress, isBuggy, rangeSize, tryParseAddress } from "./address.ts";
import { arpRequest, decodeArp } from "./arp.ts";
import { decodeNdp, neighbourSolicitation } from "./ndp.ts";

/**
 * What may be wrong with an address on the wire, worst first. `conflict`: a machine that is none of our nodes uses
 * it. `split_brain`: two of our nodes do. `proxy_arp`: whoever answers does so for addresses that nobody was given.
 */
export const WIRE_FINDINGS = ["conflict", "split_brain", "proxy_arp"] as const;
export type WireFinding = (typeof WIRE_FINDINGS)[number];

/** A machine that says it has an address. */
interface Claimant {
  readonly mac: string;
  /** The node that has the MAC; null: none of ours. */
  readonly node: string | null;
}

/** What was heard about one address. MACs in lower case. */
interface WireEvidence {
  /** Everybody who says to have it, ourselves included where we do. */
  readonly macs: readonly string[];
  /** Who answered for an address that was given to nobody; empty also where there is none to ask for. */
  readonly unassigned: ReadonlySet<string>;
  /** Null for a MAC that no node published and that answers for no node's own address. */
  readonly nodeOf: (mac: string) => string | null;
}

export interface WireVerdict {
  readonly kind: WireFinding | "clear";
  /** Those the verdict is about, by MAC; for `clear` whoever has it. */
  readonly claimants: readonly Claimant[];
}

/**
 * What the answers mean. A MAC that also answers for an unassigned address proves nothing about this one, so it
 * neither makes a conflict nor half of a split brain; and a node that answers with two of its own interfaces is one node.
 */
export function judgeWire({ macs, unassigned, nodeOf }: WireEvidence): WireVerdict {
  const all = [...new Set(macs)].toSorted().map((mac): Claimant => ({ mac, node: nodeOf(mac) }));
  const [proxies, holders] = [true, false].map((is) => all.filter(({ mac }) => unassigned.has(mac) === is));
  const own = (holders ?? []).filter(({ node }) => node !== null);
  if (own.length < (holders ?? []).length) return { kind: "conflict", claimants: holders ?? [] };
  if (new Set(own.map(({ node }) => node)).size > 1) return { kind: "split_brain", claimants: own };
  return proxies?.length ? { kind: "proxy_arp", claimants: proxies } : { kind: "clear", claimants: own };
}

/** One sentence without full stop, the same in Event, log and screen. */
export function explainWire(address: string, { kind, claimants }: WireVerdict): string {
  const named = claimants.map(({ mac, node }) => `${mac} (${node ?? "no node of this cluster"})`).join(" and ");
  switch (kind) {
    case "clear":
      return `one machine answers for ${address}`;
    case "conflict":
      return `another machine uses ${address}: ${named} ${claimants.length === 1 ? "answers" : "answer"} for it`;
    case "split_brain":
      return `${claimants.length} machines of this cluster answer for ${address}: ${named}`;
    case "proxy_arp":
      return `${named} ${claimants.length === 1 ? "answers" : "answer"} for ${address} as for addresses that nobody was given: proxy ARP is on there`;
  }
}

/** The machine that says in this frame that it has an address; null when none does. Never throws. */
export function claimIn(frame: Uint8Array): { readonly ip: string; readonly mac: string } | null {
  const arp = decodeArp(frame);
  if (typeof arp === "object") return { ip: arp.senderIp, mac: arp.senderMac };
  const ndp = arp === "not_arp" ? decodeNdp(frame) : arp;
  if (typeof ndp === "string" || ndp.kind !== "advertisement") return null;
  return { ip: ndp.target, mac: ndp.linkLayer ?? ndp.ethernetSource };
}

/**
 * The broadcast or multicast question for `target` (canonical text), from the first address of `own` that fits: an
 * IPv4 address, or a link-local one. Without one it is the probe of RFC 5227 §2.1.1 or RFC 4862 §5.4.2, which whoever has the address answers too.
 */
export function whoHasFrame(
  target: string,
  card: { readonly mac: string; readonly own: readonly string[] },
): Uint8Array {
  const { mac, own } = card;
  if (!target.includes(":")) {
    const senderIp = own.find((text) => tryParseAddress(text)?.family === 4) ?? "0.0.0.0";
    return arpRequest({ senderMac: mac, senderIp, targetIp: target });
  }
  const source = own.find((text) => text.startsWith("fe80:")) ?? "::";
  return neighbourSolicitation({ senderMac: mac, source, target });
}

/** 2^64 over the golden ratio: its multiples spread over the ranges, so that each question is about another corner. */
const STRIDE = 0x9e37_79b9_7f4a_7c15n;
const LOOKED_AT_MAX = 64;

/**
 * An address of the ranges that nobody has, to ask the wire about; null when none is found among 64. `turn` picks
 * another one each time: a stranger that sits on one of them is not taken for a proxy again.
 */
export function unassignedAddress(
  ranges: readonly AddressRange[],
  isTaken: (address: Address) => boolean,
  turn: number,
): Address | null {
  const total = ranges.reduce((sum, range) => sum + rangeSize(range), 0n);
  if (total === 0n) return null;
  const start = (BigInt.asUintN(64, BigInt(turn) * STRIDE) * total) >> 64n;
  for (let index = 0n; index < LOOKED_AT_MAX && index < total; index++) {
    const address = nth(ranges, (start + index) % total);
    if (address !== null && !isBuggy(address) && !isTaken(address)) return address;
  }
  return null;
}

function nth(ranges: readonly AddressRange[], index: bigint): Address | null {
  let left = index;
  for (const range of ranges) {
    const size = rangeSize(range);
    if (left < size) return { family: range.first.family, value: range.first.value + left };
    left -= size;
  }
  return null;
}

/** The name of the AddressHold for an address: one per address, whoever hears the conflict. */
export function conflictHoldName(address: Address): string {
  return `conflict-${formatAddress(address).replaceAll(/[.:]/g, "-").replace(/-$/, "-0")}`;
}
