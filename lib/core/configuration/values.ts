import type { AddressRange } from "../address.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const DURATION = /^[-+]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/;
/** What fits in Go's 64 bits of nanoseconds. */
const DURATION_MAX_MS = 2 ** 63 / 1e6;

/** Milliseconds of a duration in Go's notation ("1m30s", "0"); null when it is none. */
export function parseDuration(text: string): number | null {
  if (text.length > 100 || !DURATION.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  }
  if (total >= DURATION_MAX_MS) return null;
  return text.startsWith("-") ? -total : total;
}

/** A BGP community: two numbers of 16 bits, or three of 32 (RFC 8092). Text is canonical. */
export interface CommunityValue {
  readonly kind: "standard" | "large";
  readonly text: string;
}

/** Null when `text` has none of the two forms; `problem` when it has one with a number out of range. */
export function parseCommunity(text: string): { readonly value: CommunityValue } | { readonly problem: string } | null {
  const isLarge = text.startsWith("large:");
  const parts = (isLarge ? text.slice("large:".length) : text).split(":");
  if (parts.length !== (isLarge ? 3 : 2)) return null;
  const max = isLarge ? 4_294_967_295 : 65_535;
  const bad = parts.find((part) => !/^\d{1,10}$/.test(part) || Number(part) > max);
  if (bad !== undefined) return { problem: `${JSON.stringify(bad.slice(0, 40))} is not a number from 0 to ${max}` };
  const numbers = parts.map(Number).join(":");
  return { value: isLarge ? { kind: "large", text: `large:${numbers}` } : { kind: "standard", text: numbers } };
}

/** Prefix length of the widest CIDR that lies within a range. */
export function widestPrefix({ first, last }: AddressRange): number {
  const bits = first.family === 4 ? 32 : 128;
  for (let length = 0; length < bits; length++) {
    const size = 1n << BigInt(bits - length);
    const aligned = ((first.value + size - 1n) / size) * size;
    if (aligned + size - 1n <= last.value) return length;
  }
  return bits;
}
