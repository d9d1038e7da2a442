import type { HoldCreate } from "#api/dashboard/holds";
import { splitRanges } from "#client/range-input";

/** How long a hold may last, as the form offers it; null: until it is released. */
export const HOLD_TIMES: readonly { readonly label: string; readonly hours: number | null }[] = [
  { label: "Until it is released", hours: null },
  { label: "For an hour", hours: 1 },
  { label: "For a day", hours: 24 },
  { label: "For a week", hours: 7 * 24 },
  { label: "For 30 days", hours: 30 * 24 },
];

/** What the hold form holds. */
interface HoldForm {
  readonly addresses: string;
  readonly note: string;
  /** Index into `HOLD_TIMES`. */
  readonly time: number;
}

/** The AddressHold that the form asks for; `now` is wall milliseconds. */
export function holdOf(form: HoldForm, now: number): Pick<HoldCreate, "name" | "addresses" | "note" | "expiry"> {
  const addresses = splitRanges(form.addresses);
  const hours = HOLD_TIMES[form.time]?.hours ?? null;
  return {
    name: holdName(addresses[0] ?? ""),
    addresses: [...addresses],
    note: form.note.trim(),
    expiry: hours === null ? null : new Date(now + hours * 3_600_000).toISOString().replace(/\.\d+Z$/, "Z"),
  };
}

/** A name that Kubernetes accepts and a reader understands: "hold-127-77-10-5" (RFC 1123 label). */
function holdName(first: string): string {
  const text = (first.split(/[-/]/)[0] ?? "").toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return `hold-${text}`.slice(0, 63).replace(/-+$/, "");
}
