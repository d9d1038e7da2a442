import { Fault } from "./errors.ts";

export type Family = 4 | 6;

/** One IP address. `value` is the address as an unsigned integer of 32 or 128 bits. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** All addresses from `first` to `last`, both included; `first` is never after `last` and the families agree. */
export interface AddressRange {
  readonly first: Address;
  readonly last: Address;
}

const BITS: Readonly<Record<Family, bigint>> = { 4: 32n, 6: 128n };
const V4_MAPPED = 0xffffn;

/**
 * Reads one address in text form, strictly: four decimal octets without leading
 * zeros, or RFC 4291 §2.2 text (any of its three forms) without zone. Blanks are not
 * accepted. Throws Fault `invalid` saying what is wrong.
 */
export function parseAddress(text: string): Address {
  const address = tryParseAddress(text);
  if (address === null) throw new Fault("invalid", whyNotAnAddress(text), { context: { text } });
  return address;
}

/** As `parseAddress`, but null for anything that is not an address. */
export function tryParseAddress(text: string): Address | null {
  const value = text.includes(":") ? parseV6(text) : parseV4(text);
  if (value === null) return null;
  return { family: text.includes(":") ? 6 : 4, value };
}

function parseV4(text: string): bigint | null {
  const octets = text.split(".");
  if (octets.length !== 4) return null;
  let value = 0;
  for (const octet of octets) {
    if (!/^(0|[1-9]\d{0,2})$/.test(octet)) return null;
    const number = Number(octet);
    if (number > 255) return null;
    value = value * 256 + number;
  }
  return BigInt(value);
}

function parseV6(text: string): bigint | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = v6Groups(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? v6Groups(halves[1] ?? "", true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  // "::" stands for at least one group (RFC 5952 §4.2.2 forbids writing it for one, RFC 4291 allows reading it).
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  let value = 0n;
  for (const group of [...head, ...Array<number>(missing).fill(0), ...tail]) value = (value << 16n) | BigInt(group);
  return value;
}

/** The 16-bit groups of one side of "::"; a dotted quad may stand last (RFC 4291 §2.2 form 3). */
function v6Groups(text: string, mayEndInV4: boolean): number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (part.includes(".")) {
      const v4 = mayEndInV4 && index === parts.length - 1 ? parseV4(part) : null;
      if (v4 === null) return null;
      groups.push(Number(v4 >> 16n), Number(v4 & 0xffffn));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return null;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

function whyNotAnAddress(text: string): string {
  const quoted = JSON.stringify(text);
  if (text === "") return "an address is needed, like 192.0.2.10 or 2001:db8::10";
  if (/\s/.test(text)) return `${quoted} has blanks in it: an address is written without`;
  if (text.includes("%")) return `${quoted} has a zone: write the address without it`;
  if (!text.includes(":") && /(^|\.)0\d/.test(text)) {
    return `${quoted} has an octet with a leading zero: write ${dropLeadingZeros(text)}`;
  }
  return `${quoted} is not an IP address: write it like 192.0.2.10 or 2001:db8::10`;
}

function dropLeadingZeros(text: string): string {
  return text.replace(/(^|\.)0+(?=\d)/g, "$1");
}

/** Canonical text: dotted decimal, or RFC 5952 (§5: an IPv4-mapped address keeps its dotted tail). */
export function formatAddress(address: Address): string {
  if (address.family === 4) return formatV4(address.value);
  if (address.value >> 32n === V4_MAPPED) return `::ffff:${formatV4(address.value & 0xffffffffn)}`;
  return formatV6(address.value);
}

/** The one spelling of an address, by which texts can be compared; what is no address stays as it is. */
export function canonicalText(text: string): string {
  const address = tryParseAddress(text);
  return address === null ? text : formatAddress(address);
}

/** The text that elections hash (metallb.md 6.2): canonical, but an IPv4-mapped address prints as IPv4. */
export function electionText(address: Address): string {
  const mapped = address.family === 6 && address.value >> 32n === V4_MAPPED;
  return mapped ? formatV4(address.value & 0xffffffffn) : formatAddress(address);
}

function formatV4(value: bigint): string {
  const number = Number(value);
  return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;
}

function formatV6(value: bigint): string {
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((value >> shift) & 0xffffn));
  const zeros = longestZeroRun(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  if (zeros.length < 2) return hex(groups);
  return `${hex(groups.slice(0, zeros.start))}::${hex(groups.slice(zeros.start + zeros.length))}`;
}

/** RFC 5952 §4.2.3: the longest run, the first of equals. */
function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index <= groups.length; index++) {
    if (index < groups.length && groups[index] === 0) continue;
    if (index - start > best.length) best = { start, length: index - start };
    start = index + 1;
  }
  return best;
}

/**
 * Reads a pool entry: `a.b.c.d/len` or `v6/len` (host bits are masked off), or
 * `first-last` with optional blanks round the dash and the whole. Throws Fault
 * `invalid`; `context.fix` holds what would be right.
 */
export function parseRange(text: string): AddressRange {
  const trimmed = text.trim();
  const quoted = JSON.stringify(text);
  if (trimmed === "") throw badRange("an address range is needed", "write 192.0.2.0/24 or 192.0.2.10-192.0.2.20");
  if (trimmed.includes("/")) return parseCidr(trimmed, quoted);
  const dash = trimmed.indexOf("-");
  if (dash < 0) {
    const single = tryParseAddress(trimmed);
    if (single === null) throw badRange(whyNotAnAddress(trimmed), "write 192.0.2.0/24 or 192.0.2.10-192.0.2.20");
    throw badRange(
      `${quoted} is a single address, not a range`,
      `write ${formatAddress(single)}/${BITS[single.family]}`,
    );
  }
  const first = endOfRange(trimmed.slice(0, dash).trim(), quoted);
  const last = endOfRange(trimmed.slice(dash + 1).trim(), quoted);
  if (first.family !== last.family) {
    throw badRange(
      `${quoted} mixes IPv4 and IPv6: ${formatAddress(first)} and ${formatAddress(last)}`,
      "write one range per family",
    );
  }
  if (first.value > last.value) {
    const [low, high] = [formatAddress(last), formatAddress(first)];
    throw badRange(`${quoted} is inverted: it begins at ${high}, after its end ${low}`, `write ${low}-${high}`);
  }
  return { first, last };
}

function parseCidr(text: string, quoted: string): AddressRange {
  const slash = text.indexOf("/");
  const address = endOfRange(text.slice(0, slash), quoted);
  const bits = BITS[address.family];
  const length = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || BigInt(length) > bits) {
    throw badRange(
      `${quoted} has no valid prefix length after the slash`,
      `write a number from 0 to ${bits}, like ${formatAddress(address)}/${address.family === 4 ? 24 : 64}`,
    );
  }
  const hosts = (1n << (bits - BigInt(length))) - 1n;
  const first = address.value & ~hosts & ((1n << bits) - 1n);
  return { first: { ...address, value: first }, last: { ...address, value: first | hosts } };
}

function endOfRange(text: string, quoted: string): Address {
  const address = tryParseAddress(text);
  if (address !== null) return address;
  throw badRange(`${quoted} is not a range: ${whyNotAnAddress(text)}`, "write 192.0.2.0/24 or 192.0.2.10-192.0.2.20");
}

function badRange(problem: string, fix: string): Fault {
  return new Fault("invalid", `${problem}; ${fix}`, { context: { problem, fix } });
}

/** CIDR when the range is exactly one, otherwise `first-last`. `parseRange` reads it back to the same range. */
export function formatRange(range: AddressRange): string {
  const size = rangeSize(range);
  const isCidr = (size & (size - 1n)) === 0n && range.first.value % size === 0n;
  if (!isCidr) return `${formatAddress(range.first)}-${formatAddress(range.last)}`;
  return `${formatAddress(range.first)}/${BITS[range.first.family] - BigInt(size.toString(2).length - 1)}`;
}

/** False for an address of the other family. */
export function rangeContains(range: AddressRange, address: Address): boolean {
  return (
    range.first.family === address.family && range.first.value <= address.value && address.value <= range.last.value
  );
}

/** True when some address is in both; never for ranges of different families. */
export function rangesOverlap(a: AddressRange, b: AddressRange): boolean {
  return a.first.family === b.first.family && a.first.value <= b.last.value && b.first.value <= a.last.value;
}

/** How many addresses the range has; exact. */
export function rangeSize(range: AddressRange): bigint {
  return range.last.value - range.first.value + 1n;
}

/** An IPv4 address and its IPv4-mapped IPv6 form are two addresses. */
export function sameAddress(a: Address, b: Address): boolean {
  return a.family === b.family && a.value === b.value;
}

/** IPv4 before IPv6, then by value: a sort order. */
export function compareAddresses(a: Address, b: Address): number {
  if (a.family !== b.family) return a.family - b.family;
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}

/** An address that `avoidBuggyIPs` leaves out: IPv4 ending in .0 or .255, whatever the netmask (metallb.md 1.1). */
export function isBuggy(address: Address): boolean {
  if (address.family === 6) return false;
  const octet = address.value & 255n;
  return octet === 0n || octet === 255n;
}

/** Network byte order: 4 or 16 octets. */
export function addressOctets(address: Address): Uint8Array {
  const octets = new Uint8Array(address.family === 4 ? 4 : 16);
  let rest = address.value;
  for (let index = octets.length - 1; index >= 0; index--, rest >>= 8n) octets[index] = Number(rest & 0xffn);
  return octets;
}

/** The canonical text of the address at `offset`; octets that are not there read as zero. */
export function addressTextAt(bytes: Uint8Array, offset: number, family: Family): string {
  let value = 0n;
  for (let index = 0; index < (family === 4 ? 4 : 16); index++) {
    value = (value << 8n) | BigInt(bytes[offset + index] ?? 0);
  }
  return formatAddress({ family, value });
}
