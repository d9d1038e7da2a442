import { hmacSha256, utf8 } from "#core/sha256";

/** What a speaker tells every other one, ten times a second. */
export interface Heartbeat {
  readonly node: string;
  /** Start of the sender's process, wall milliseconds: tells a restarted speaker from its predecessor. */
  readonly incarnation: number;
  /** Goes up by one with each beat of one incarnation. */
  readonly sequence: number;
  /** Milliseconds until the next beat. */
  readonly intervalMs: number;
  /** Caches synced, sockets open: may be elected. */
  readonly ready: boolean;
  /** About to stop: elect somebody else now. */
  readonly leaving: boolean;
  /** Names of the sender's usable interfaces. */
  readonly interfaces: readonly string[];
  /** Whose beats the sender heard lately: confirms a peer whose own beats do not reach the receiver. */
  readonly heard: readonly Hearsay[];
}

/** A beat of somebody else that the sender heard. */
export interface Hearsay {
  readonly node: string;
  readonly incarnation: number;
  readonly sequence: number;
}

/** Why a datagram was not taken for a heartbeat. */
export type HeartbeatRefusal = "malformed" | "forged";

// Four octets of name and version, JSON, 32 octets of HMAC-SHA-256 over both (absent without a secret).
const MAGIC = utf8("BHB1");
const MAC_OCTETS = 32;
/** What fits an Ethernet frame without IP fragments, twice over; nothing sane is longer. */
const MAX_OCTETS = 8192;
const MAX_INTERFACES = 64;
const MAX_HEARD = 64;

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The datagram; without a secret it is not signed. */
export function encodeHeartbeat(beat: Heartbeat, secret: Uint8Array | null): Uint8Array {
  const body = utf8(
    JSON.stringify([
      beat.node,
      beat.incarnation,
      beat.sequence,
      beat.intervalMs,
      beat.ready,
      beat.leaving,
      beat.interfaces,
      beat.heard.map(({ node, incarnation, sequence }) => [node, incarnation, sequence]),
    ]),
  );
  const signed = new Uint8Array(MAGIC.length + body.length);
  signed.set(MAGIC);
  signed.set(body, MAGIC.length);
  if (secret === null) return signed;
  const bytes = new Uint8Array(signed.length + MAC_OCTETS);
  bytes.set(signed);
  bytes.set(hmacSha256(secret, signed), signed.length);
  return bytes;
}

/**
 * Reads a datagram; never throws. With a secret, everything that is not signed
 * with it is `forged`; without one, signatures are neither needed nor looked at.
 */
export function decodeHeartbeat(bytes: Uint8Array, secret: Uint8Array | null): Heartbeat | HeartbeatRefusal {
  if (bytes.length > MAX_OCTETS || bytes.length <= MAGIC.length) return "malformed";
  if (MAGIC.some((octet, index) => bytes[index] !== octet)) return "malformed";
  if (secret === null)
    return parse(bytes.subarray(MAGIC.length)) ?? parse(bytes.subarray(MAGIC.length, -MAC_OCTETS)) ?? "malformed";
  if (bytes.length <= MAGIC.length + MAC_OCTETS) return "forged";
  const signed = bytes.subarray(0, -MAC_OCTETS);
  if (!sameOctets(hmacSha256(secret, signed), bytes.subarray(-MAC_OCTETS))) return "forged";
  return parse(signed.subarray(MAGIC.length)) ?? "malformed";
}

function parse(body: Uint8Array): Heartbeat | null {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(body));
  } catch {
    return null;
  }
  if (!Array.isArray(value) || value.length < 8) return null;
  const [node, incarnation, sequence, intervalMs, ready, leaving, interfaces, heard] = value as readonly unknown[];
  if (!isName(node) || !isCount(incarnation) || !isCount(sequence) || !isCount(intervalMs)) return null;
  if (typeof ready !== "boolean" || typeof leaving !== "boolean") return null;
  if (!Array.isArray(interfaces) || interfaces.length > MAX_INTERFACES || !interfaces.every(isName)) return null;
  if (!Array.isArray(heard) || heard.length > MAX_HEARD) return null;
  const hearsay = heard.map(parseHearsay);
  if (hearsay.includes(null)) return null;
  return {
    node,
    incarnation,
    sequence,
    // A peer may not make us wait for it forever.
    intervalMs: Math.min(Math.max(intervalMs, 10), 5000),
    ready,
    leaving,
    interfaces,
    heard: hearsay.filter((one) => one !== null),
  };
}

function parseHearsay(value: unknown): Hearsay | null {
  if (!Array.isArray(value)) return null;
  const [node, incarnation, sequence] = value as readonly unknown[];
  return isName(node) && isCount(incarnation) && isCount(sequence) ? { node, incarnation, sequence } : null;
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= 253;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Takes the same time wherever the difference is. */
function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index++) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
}
