import { int } from "./arithmetic.ts";
import { globally, instance, member, text } from "./signature.ts";
import { CelError, Duration, noOverload, Timestamp, type Value } from "./values.ts";

const UNITS: Readonly<Record<string, bigint>> = {
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ns: 1n,
};
const TEXT_MAX = 200;

/** Nanoseconds of Go's duration text ("1h30m", "-1.5s", "0"); undefined when it is none. */
function nanoseconds(whole: string): bigint | undefined {
  if (whole.length > TEXT_MAX) return undefined;
  const sign = whole.startsWith("-") ? -1n : 1n;
  const rest = whole.replace(/^[-+]/, "");
  if (rest === "0") return 0n;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:h|ms|m|s|us|µs|μs|ns))+$/.test(rest)) return undefined;
  let sum = 0n;
  for (const [, number = "", unit = ""] of rest.matchAll(/(\d+\.?\d*|\.\d+)(h|ms|m|s|us|µs|μs|ns)/g)) {
    const scale = UNITS[unit] ?? 1n;
    const [before = "", after = ""] = number.split(".");
    sum += BigInt(before || "0") * scale;
    if (after !== "") sum += (BigInt(after) * scale) / 10n ** BigInt(after.length);
  }
  return sign * sum;
}

export function isDurationText(value: string): boolean {
  return nanoseconds(value) !== undefined;
}

export function parseDuration(value: string): Duration {
  const ns = nanoseconds(value);
  if (ns === undefined) throw new CelError(`time: invalid duration ${JSON.stringify(value)}`);
  return new Duration(int(ns));
}

const TIMESTAMP = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;

export function parseTimestamp(value: string): Timestamp {
  const [, day = "", clock = "", fraction = "", zone = ""] = TIMESTAMP.exec(value) ?? [];
  const ms = Date.parse(`${day}T${clock}${zone.toUpperCase()}`);
  if (Number.isNaN(ms)) throw new CelError(`parsing time ${JSON.stringify(value)}: not an RFC 3339 time`);
  return new Timestamp(BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0")));
}

export function durationText(duration: Duration): string {
  const whole = duration.ns / UNIT;
  const rest = duration.ns % UNIT;
  const fraction = (rest < 0n ? -rest : rest).toString().padStart(9, "0").replace(/0+$/, "");
  const sign = duration.ns < 0n && whole === 0n ? "-" : "";
  return `${sign}${whole}${fraction === "" ? "" : `.${fraction}`}s`;
}

export function timestampText(timestamp: Timestamp): string {
  const fraction = (((timestamp.ns % UNIT) + UNIT) % UNIT).toString().padStart(9, "0").replace(/0+$/, "");
  const text = dateOf(timestamp).toISOString().slice(0, 19);
  return `${text}${fraction === "" ? "" : `.${fraction}`}Z`;
}

const UNIT = 1_000_000_000n;

function dateOf(timestamp: Timestamp): Date {
  const date = new Date(Number(timestamp.ns / 1_000_000n));
  if (Number.isNaN(date.getTime())) throw new CelError("timestamp out of range");
  return date;
}

/** A part of a time in UTC or in the zone that a second argument names; of a duration its whole length in that unit. */
function part(name: string, ofDate: (date: Date) => number, unit?: bigint) {
  return member(
    name,
    0,
    ([value, zone]) => {
      if (value instanceof Duration && unit !== undefined && zone === undefined) return value.ns / unit;
      const date = dateOf(instance(Timestamp, value));
      return BigInt(ofDate(zone === undefined ? date : new Date(date.getTime() + offset(zone))));
    },
    1,
  );
}

function offset(zone: Value): number {
  if (text(zone) === "UTC") return 0;
  const found = /^([+-]?)(\d\d):(\d\d)$/.exec(text(zone));
  if (found === null) throw noOverload();
  const minutes = Number(found[2]) * 60 + Number(found[3]);
  return (found[1] === "-" ? -minutes : minutes) * 60_000;
}

const DAY_MS = 86_400_000;

export const TIME = [
  globally("duration", 1, ([value]) => (value instanceof Duration ? value : parseDuration(text(value)))),
  globally("timestamp", 1, ([value]) => {
    if (typeof value === "bigint") return new Timestamp(value * UNIT);
    return value instanceof Timestamp ? value : parseTimestamp(text(value));
  }),
  part("getHours", (date) => date.getUTCHours(), UNITS.h),
  part("getMinutes", (date) => date.getUTCMinutes(), UNITS.m),
  part("getSeconds", (date) => date.getUTCSeconds(), UNITS.s),
  part("getMilliseconds", (date) => date.getUTCMilliseconds(), UNITS.ms),
  part("getFullYear", (date) => date.getUTCFullYear()),
  part("getMonth", (date) => date.getUTCMonth()),
  part("getDate", (date) => date.getUTCDate()),
  part("getDayOfMonth", (date) => date.getUTCDate() - 1),
  part("getDayOfWeek", (date) => date.getUTCDay()),
  part("getDayOfYear", (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS)),
] as const;
