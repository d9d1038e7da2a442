/**
 * Who answers: the decision of `decideArp` and its twin for Neighbour
 * Solicitations, made on the octets of a frame. It keeps a table of addresses
 * and allocates nothing while it answers, because it runs once for each
 * request that a whole segment sends.
 */
import { addressOctets, parseAddress } from "./address.ts";
import { Fault } from "./errors.ts";
import {
  FLAG_OVERRIDE,
  FLAG_SOLICITED,
  isUnspecified,
  linkLayerAt,
  NDP_AT,
  NDP_OCTETS,
  ndpTypeOf,
  writeNdpChecksum,
  writeNdpHeaders,
} from "./ndp.ts";
import { copy, isBroadcast, isGroup, long, sameOctets, word } from "./octets.ts";
import type { DropReason } from "./reasons.ts";

/** The interface a frame came in on. */
export interface ResponderCard {
  readonly name: string;
  /** Six octets. */
  readonly mac: Uint8Array;
}

/**
 * `answered`: `reply` holds the frame to send. `ignored`: neither ARP nor a
 * neighbour message, or one of our own. The rest says why there is no reply.
 */
type ResponderOutcome = "answered" | "ignored" | "malformed" | DropReason;

/** Why a frame got no answer, with what never was a legal one or never reached the responder. */
export type Unanswered = DropReason | "malformed" | "receive_queue_full";

/** What was done since the last time somebody asked. */
export interface AnswerCounts {
  /** Requests answered, by address; only those with one or more. */
  readonly answered: ReadonlyMap<string, number>;
  /** Frames that were not answered, by reason; replies, and what concerns other addresses, are not counted. */
  readonly dropped: ReadonlyMap<Unanswered, number>;
}

interface Entry {
  readonly address: string;
  readonly octets: Uint8Array;
  /** Null: answered on every interface. */
  interfaces: ReadonlySet<string> | null;
  /** Held: requests for it are answered. Else it is only watched. */
  held: boolean;
  watchers: number;
  answered: number;
}

const ARP_OCTETS = 42;
/** A table this big means that somebody holds what no node can. */
const HELD_MAX = 100_000;

/** One table of addresses (canonical text), and what it answers. Never throws for a frame, whatever is in it. */
export class Responder {
  readonly #byText = new Map<string, Entry>();
  /** By the address's last four octets as a signed number, which V8 keeps without allocating. */
  readonly #v4 = new Map<number, Entry>();
  readonly #v6 = new Map<number, Entry[]>();
  readonly #arpReply = new Uint8Array(ARP_OCTETS);
  readonly #ndpReply = new Uint8Array(NDP_OCTETS);
  readonly #dropped = new Map<Unanswered, number>();
  /** Answers given for addresses that were let go since the counts were taken. */
  #gone = new Map<string, number>();
  #reply: Uint8Array = this.#arpReply;
  #foreign = false;
  #held = 0;

  constructor() {
    this.#arpReply.set([0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 2], 12);
    writeNdpHeaders(this.#ndpReply, 136);
  }

  /** Answers for `address` on these interfaces (null: on all) from now on. Throws Fault `invalid` for what is no address. */
  hold(address: string, interfaces: readonly string[] | null): void {
    const entry = this.#entry(address);
    entry.interfaces = interfaces === null ? null : new Set(interfaces);
    if (entry.held) return;
    if (this.#held >= HELD_MAX) throw new Fault("invalid", `more than ${HELD_MAX} addresses to answer for`);
    entry.held = true;
    this.#held += 1;
  }

  release(address: string): void {
    const entry = this.#byText.get(address);
    if (entry?.held !== true) return;
    entry.held = false;
    this.#held -= 1;
    this.#forget(entry);
  }

  /** Frames from whoever says it has `address` are `foreign` from now on, held or not. Each call needs its `unwatch`. */
  watch(address: string): void {
    this.#entry(address).watchers += 1;
  }

  unwatch(address: string): void {
    const entry = this.#byText.get(address);
    if (entry === undefined || entry.watchers === 0) return;
    entry.watchers -= 1;
    this.#forget(entry);
  }

  /** Every address that is held or watched, and whether it is held. */
  addresses(): readonly { readonly address: string; readonly octets: Uint8Array; readonly held: boolean }[] {
    return [...this.#byText.values()];
  }

  /** Whether a request for `address` that comes in on that interface is answered. */
  holds(address: string, interfaceName: string): "yes" | "no" | "other_interface" {
    return heldOn(this.#byText.get(address), interfaceName);
  }

  /** The answer to the last frame; the same buffer each time, so send it at once. */
  get reply(): Uint8Array {
    return this.#reply;
  }

  /** The last frame came from another machine that says it has an address which is held or watched. */
  get foreign(): boolean {
    return this.#foreign;
  }

  /** Looks at the first `length` octets of a frame. */
  respond(frame: Uint8Array, length: number, card: ResponderCard): ResponderOutcome {
    this.#foreign = false;
    if (length < 14) return this.#drop("malformed");
    const type = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);
    if (type === 0x0806) return this.#arp(frame, length, card);
    if (type !== 0x86dd) return "ignored";
    const kind = ndpTypeOf(frame, length);
    if (kind === 0) return "ignored";
    if (kind === -1) return this.#drop("malformed");
    if (sameOctets(frame, 6, card.mac)) return "ignored";
    return kind === 135 ? this.#solicitation(frame, card) : this.#advertisement(frame);
  }

  /** Takes the counts, which start at zero again. */
  takeCounts(): AnswerCounts {
    const answered = this.#gone;
    this.#gone = new Map();
    for (const entry of this.#byText.values()) {
      if (entry.answered > 0) answered.set(entry.address, entry.answered + (answered.get(entry.address) ?? 0));
      entry.answered = 0;
    }
    const dropped = new Map(this.#dropped);
    this.#dropped.clear();
    return { answered, dropped };
  }

  #arp(frame: Uint8Array, length: number, card: ResponderCard): ResponderOutcome {
    if (length < ARP_OCTETS) return this.#drop("malformed");
    // Ethernet, IPv4, six and four octets; replies to a group would be heard by everybody (RFC 1812 §3.3.2).
    if (word(frame, 14) !== 1 || word(frame, 16) !== 0x0800 || word(frame, 18) !== 0x0604 || isGroup(frame, 22)) {
      return this.#drop("malformed");
    }
    const operation = word(frame, 20);
    if (operation !== 1 && operation !== 2) return this.#drop("malformed");
    if (sameOctets(frame, 6, card.mac) || sameOctets(frame, 22, card.mac)) return "ignored";
    const sender = this.#v4.get(long(frame, 28));
    this.#foreign = sender !== undefined;
    if (operation !== 1) return this.#drop("arp_reply");
    if (!isBroadcast(frame) && !sameOctets(frame, 0, card.mac)) return this.#drop("ethernet_destination");
    const entry = this.#v4.get(long(frame, 38));
    const held = heldOn(entry, card.name);
    if (entry === undefined || held === "no") return this.#drop("not_announced");
    if (held === "other_interface") return this.#drop("interface_not_allowed");
    const reply = this.#arpReply;
    copy(frame, 22, reply, 0, 6);
    copy(card.mac, 0, reply, 6, 6);
    copy(card.mac, 0, reply, 22, 6);
    copy(frame, 38, reply, 28, 4);
    copy(frame, 22, reply, 32, 10);
    return this.#answered(entry, reply);
  }

  /** RFC 4861 §7.2.4, from the address asked about: hosts ignore an answer from a link-local one. */
  #solicitation(frame: Uint8Array, card: ResponderCard): ResponderOutcome {
    const group = (frame[0] ?? 0) === 0x33 && (frame[1] ?? 0) === 0x33;
    if (!group && !sameOctets(frame, 0, card.mac)) return this.#drop("ethernet_destination");
    const entry = this.#find(frame, NDP_AT.target);
    const held = heldOn(entry, card.name);
    if (entry === undefined || held === "no") return this.#drop("not_announced");
    if (held === "other_interface") return this.#drop("interface_not_allowed");
    const reply = this.#ndpReply;
    const option = linkLayerAt(frame, 1);
    if (isUnspecified(frame, NDP_AT.source)) {
      // Duplicate address detection: all nodes are told, and nobody solicited.
      copy(ALL_NODES_MAC, 0, reply, 0, 6);
      copy(ALL_NODES, 0, reply, NDP_AT.destination, 16);
      reply[NDP_AT.flags] = FLAG_OVERRIDE;
    } else {
      // A unicast probe may leave the option out: whoever sent it can be seen on the frame.
      if (option === 0 && group) return this.#drop("no_source_link_layer");
      const at = option === 0 ? 6 : option;
      if (isGroup(frame, at)) return this.#drop("malformed");
      copy(frame, at, reply, 0, 6);
      copy(frame, NDP_AT.source, reply, NDP_AT.destination, 16);
      reply[NDP_AT.flags] = FLAG_SOLICITED | FLAG_OVERRIDE;
    }
    copy(card.mac, 0, reply, 6, 6);
    copy(entry.octets, 0, reply, NDP_AT.source, 16);
    copy(entry.octets, 0, reply, NDP_AT.target, 16);
    copy(card.mac, 0, reply, NDP_AT.options + 2, 6);
    writeNdpChecksum(reply);
    return this.#answered(entry, reply);
  }

  #advertisement(frame: Uint8Array): ResponderOutcome {
    this.#foreign = this.#find(frame, NDP_AT.target) !== undefined;
    return this.#drop("arp_reply");
  }

  #answered(entry: Entry, reply: Uint8Array): ResponderOutcome {
    entry.answered += 1;
    this.#reply = reply;
    return "answered";
  }

  #drop(reason: DropReason | "malformed"): DropReason | "malformed" {
    // Most of what a segment says concerns others: that is no news, and a kernel filter hides it anyway.
    if (reason === "not_announced" || reason === "arp_reply") return reason;
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
    return reason;
  }

  #find(frame: Uint8Array, at: number): Entry | undefined {
    const bucket = this.#v6.get(long(frame, at + 12));
    if (bucket === undefined) return undefined;
    for (let index = 0; index < bucket.length; index++) {
      const entry = bucket[index];
      if (entry !== undefined && sameOctets(frame, at, entry.octets)) return entry;
    }
    return undefined;
  }

  #entry(text: string): Entry {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const address = parseAddress(text);
    const octets = addressOctets(address);
    const entry: Entry = { address: text, octets, interfaces: null, held: false, watchers: 0, answered: 0 };
    this.#byText.set(text, entry);
    const key = long(octets, octets.length - 4);
    if (address.family === 4) this.#v4.set(key, entry);
    else this.#v6.set(key, [...(this.#v6.get(key) ?? []), entry]);
    return entry;
  }

  #forget(entry: Entry): void {
    if (entry.held || entry.watchers > 0) return;
    if (entry.answered > 0) this.#gone.set(entry.address, entry.answered + (this.#gone.get(entry.address) ?? 0));
    this.#byText.delete(entry.address);
    const key = long(entry.octets, entry.octets.length - 4);
    if (entry.octets.length === 4) this.#v4.delete(key);
    else {
      const rest = (this.#v6.get(key) ?? []).filter((other) => other !== entry);
      if (rest.length === 0) this.#v6.delete(key);
      else this.#v6.set(key, rest);
    }
  }
}

const ALL_NODES_MAC = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);
const ALL_NODES = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

function heldOn(entry: Entry | undefined, name: string): "yes" | "no" | "other_interface" {
  if (entry?.held !== true) return "no";
  return entry.interfaces === null || entry.interfaces.has(name) ? "yes" : "other_interface";
}
