import { hmacSha256, sha256, utf8 } from "#core/sha256";
import { OctetReader, OctetWriter } from "./octets.ts";

/** What one speaker tells another; every datagram has one recipient. */
export interface Heartbeat {
  readonly node: string;
  /** Start of the sender's process, wall milliseconds: tells a restarted speaker from its predecessor. */
  readonly incarnation: number;
  /** Monotonic milliseconds of the sender when it was sent, or one more than its last: always goes up. */
  readonly sequence: number;
  /** `memberId` of the recipient: what was meant for somebody else is not taken. */
  readonly to: number;
  /** The recipient's newest beat that the sender heard: proves that this one is no recording. */
  readonly answers: { readonly incarnation: number; readonly sequence: number } | null;
  /** `keyId` of the newest key that the sender can read. */
  readonly holds: number;
  /** Caches synced, sockets open: may be elected. */
  readonly ready: boolean;
  /** About to stop: elect somebody else now. */
  readonly leaving: boolean;
  /** The recipient gets the next ones at full rate, and may take silence for a sign. */
  readonly watch: boolean;
  /** How much longer than usual to wait for this sender: its own timers were late by so much, milliseconds. */
  readonly patienceMs: number;
  /** Names of the sender's usable interfaces. */
  readonly interfaces: readonly string[];
  /** Addresses (canonical text) that the sender has just announced as the recipient's successor. */
  readonly took: readonly string[];
  /** What the sender knows of others. */
  readonly news: readonly News[];
}

/** One member as another one sees it. */
export interface News {
  readonly id: number;
  readonly incarnation: number;
  /** The newest sequence that is known. */
  readonly sequence: number;
  /** How long ago that was heard, milliseconds, at most 65,535. */
  readonly ageMs: number;
  /** `silent`: has anybody heard more? `dead`: believed so, and confirmed. */
  readonly standing: Standing;
  readonly ready: boolean;
  readonly leaving: boolean;
  readonly interfaces: readonly string[];
}

export type Standing = (typeof STANDINGS)[number];

/** Why a datagram was not taken for a heartbeat. */
type HeartbeatRefusal = "malformed" | "forged" | "unknown_key";

const STANDINGS = ["heard", "silent", "dead"] as const;

// Name and version; id of the key, zero for none; the beat; sixteen octets of HMAC-SHA-256 (RFC 2104 section 5).
const MAGIC = utf8("BHB2");
const KEY_OCTETS = 4;
const HEAD_OCTETS = MAGIC.length + KEY_OCTETS;
const MAC_OCTETS = 16;
/** Fits an Ethernet frame, whatever tunnels take of it. */
const MAX_OCTETS = 1400;
const MAX_NAME = 253;
const MAX_INTERFACE = 15;
const MAX_INTERFACES = 32;
export const MAX_TOOK = 8;
const MAX_TEXT_ADDRESS = 45;

/** Tells keys apart without saying what they are; zero stands for no key at all. */
export function keyId(key: Uint8Array | null): number {
  if (key === null) return 0;
  const [a = 0, b = 0, c = 0, d = 0] = sha256(hmacSha256(key, utf8("berth heartbeat key")));
  return ((a * 256 + b) * 256 + c) * 256 + d || 1;
}

/**
 * The datagram, at most 1,400 octets: of interfaces the first 32 are told, and of `news` as much as fits, in order.
 * Without a key it is not signed.
 */
export function encodeHeartbeat(beat: Heartbeat, key: Uint8Array | null, id: number = keyId(key)): Uint8Array {
  const out = new OctetWriter();
  out.bytes(MAGIC);
  out.uint(id, KEY_OCTETS);
  out.uint(flags(beat.ready, beat.leaving, beat.watch, beat.answers !== null), 1);
  out.uint(beat.to, 6);
  out.uint(beat.holds, KEY_OCTETS);
  out.uint(beat.incarnation, 6);
  out.uint(beat.sequence, 6);
  out.uint(beat.answers?.incarnation ?? 0, 6);
  out.uint(beat.answers?.sequence ?? 0, 6);
  out.uint(Math.min(beat.patienceMs, 0xffff), 2);
  out.text(beat.node);
  texts(out, beat.interfaces.slice(0, MAX_INTERFACES));
  texts(out, beat.took.slice(0, MAX_TOOK));
  for (const one of beat.news) {
    const told = new OctetWriter();
    news(told, one);
    if (out.length + told.length + MAC_OCTETS > MAX_OCTETS) break;
    out.bytes(told.done());
  }
  if (key !== null) out.bytes(mac(key, out.done()));
  return out.done();
}

/**
 * Reads a datagram; never throws. `keyOf` finds the key by its id: undefined
 * where there is none (`unknown_key`), null where unsigned ones are taken.
 */
export function decodeHeartbeat(
  bytes: Uint8Array,
  keyOf: (id: number) => Uint8Array | null | undefined,
): Heartbeat | HeartbeatRefusal {
  if (bytes.length > MAX_OCTETS || bytes.length <= HEAD_OCTETS) return "malformed";
  if (MAGIC.some((octet, index) => bytes[index] !== octet)) return "malformed";
  const key = keyOf(new OctetReader(bytes, MAGIC.length).uint(KEY_OCTETS));
  if (key === undefined) return "unknown_key";
  if (key === null) return parse(bytes) ?? "malformed";
  const signed = bytes.subarray(0, -MAC_OCTETS);
  if (signed.length <= HEAD_OCTETS || !sameOctets(mac(key, signed), bytes.subarray(-MAC_OCTETS))) return "forged";
  return parse(signed) ?? "malformed";
}

function parse(bytes: Uint8Array): Heartbeat | null {
  const from = new OctetReader(bytes, HEAD_OCTETS);
  const [ready, leaving, watch, answered] = bits(from.uint(1));
  const to = from.uint(6);
  const holds = from.uint(KEY_OCTETS);
  const incarnation = from.uint(6);
  const sequence = from.uint(6);
  const answers = { incarnation: from.uint(6), sequence: from.uint(6) };
  const patienceMs = from.uint(2);
  const node = from.text();
  const interfaces = readTexts(from, MAX_INTERFACES, MAX_INTERFACE);
  const took = readTexts(from, MAX_TOOK, MAX_TEXT_ADDRESS);
  if (interfaces === null || took === null || node.length === 0 || node.length > MAX_NAME) return null;
  const heard: News[] = [];
  while (!from.complete) {
    const one = readNews(from);
    if (one === null) return null;
    heard.push(one);
  }
  const self = { node, incarnation, sequence, ready, leaving, interfaces };
  return { ...self, to, answers: answered ? answers : null, holds, watch, patienceMs, took, news: heard };
}

function news(out: OctetWriter, one: News): void {
  out.uint(one.id, 6);
  out.uint(one.incarnation, 6);
  out.uint(one.sequence, 6);
  out.uint(Math.min(one.ageMs, 0xffff), 2);
  out.uint(flags(one.ready, one.leaving, one.standing === "silent", one.standing === "dead"), 1);
  texts(out, one.interfaces.slice(0, MAX_INTERFACES));
}

function readNews(from: OctetReader): News | null {
  const [id, incarnation, sequence, ageMs] = [from.uint(6), from.uint(6), from.uint(6), from.uint(2)];
  const [ready, leaving, silent, dead] = bits(from.uint(1));
  const interfaces = readTexts(from, MAX_INTERFACES, MAX_INTERFACE);
  const standing = STANDINGS[Number(silent) + 2 * Number(dead)];
  if (interfaces === null || standing === undefined) return null;
  return { id, incarnation, sequence, ageMs, standing, ready, leaving, interfaces };
}

function texts(out: OctetWriter, list: readonly string[]): void {
  out.uint(list.length, 1);
  for (const text of list) out.text(text);
}

function readTexts(from: OctetReader, most: number, longest: number): readonly string[] | null {
  const count = from.uint(1);
  if (count > most) return null;
  const list: string[] = [];
  for (let index = 0; index < count; index++) {
    const text = from.text();
    if (text.length === 0 || text.length > longest) return null;
    list.push(text);
  }
  return from.failed ? null : list;
}

function flags(...bits: readonly boolean[]): number {
  return bits.reduce((sum, bit, index) => sum + (bit ? 2 ** index : 0), 0);
}

function bits(octet: number): readonly [boolean, boolean, boolean, boolean] {
  return [(octet & 1) !== 0, (octet & 2) !== 0, (octet & 4) !== 0, (octet & 8) !== 0];
}

function mac(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return hmacSha256(key, bytes).subarray(0, MAC_OCTETS);
}

/** Takes the same time wherever the difference is. */
function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index++) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
}
