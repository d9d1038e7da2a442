import type { Json } from "./definition.ts";
import { metaOf } from "./json.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** A duration as kubectl prints ages (apimachinery duration.HumanDuration): "3m30s", "5h", "2d". */
export function humanDuration(milliseconds: number): string {
  if (milliseconds < -2 * SECOND) return "<invalid>";
  if (milliseconds < 0) return "0s";
  const seconds = Math.floor(milliseconds / SECOND);
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(milliseconds / MINUTE);
  if (minutes < 10) return two(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(milliseconds / HOUR);
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  if (hours < 192) return two(Math.floor(hours / 24), "d", hours % 24, "h");
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24)}d`;
  const years = Math.floor(milliseconds / YEAR);
  if (hours < 24 * 365 * 8) return two(years, "y", Math.floor(hours / 24) % 365, "d");
  return `${years}y`;
}

function two(first: number, unit: string, second: number, smaller: string): string {
  return second === 0 ? `${first}${unit}` : `${first}${unit}${second}${smaller}`;
}

/** Age of an RFC 3339 time, "<unknown>" when there is none. */
export function since(time: unknown, now: number): string {
  const at = typeof time === "string" ? Date.parse(time) : Number.NaN;
  return Number.isNaN(at) ? "<unknown>" : humanDuration(now - at);
}

/** The AGE cell of an object. */
export function ageOf(object: Json, now: number): string {
  return since(metaOf(object).creationTimestamp, now);
}
