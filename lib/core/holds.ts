import { type Address, type AddressRange, parseRange, tryParseAddress } from "./address.ts";
import type { ConfigurationFinding, ConfigurationReason } from "./configuration/finding.ts";
import { Fault } from "./errors.ts";
import { RangeIndex } from "./range-index.ts";
import { HOLD_REASONS, type HoldReason } from "./reasons.ts";

/** An AddressHold as written by its author. */
export interface HoldInput {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly reason: string;
  /** RFC 3339; null: lasts until it is deleted. */
  readonly expiry: string | null;
  readonly note: string;
  readonly mac: string;
  readonly node: string;
}

/** A hold that can be read. */
export interface HoldView {
  readonly name: string;
  readonly ranges: readonly AddressRange[];
  readonly reason: HoldReason;
  /** Milliseconds since the epoch; null: never. */
  readonly expiresAt: number | null;
  readonly note: string;
  /** "" when nobody said. */
  readonly mac: string;
  readonly node: string;
}

/**
 * Turns hold objects into the holds in force, expired ones among them. An invalid object keeps its `previous`
 * version and gets `error` findings; without one it holds nothing.
 */
export function compileHolds(
  inputs: readonly HoldInput[],
  previous: ReadonlyMap<string, HoldView> = new Map(),
): { readonly holds: readonly HoldView[]; readonly findings: readonly ConfigurationFinding[] } {
  const findings: ConfigurationFinding[] = [];
  const holds: HoldView[] = [];
  for (const input of inputs) {
    const { view, problems } = compileHold(input);
    findings.push(...problems);
    const inForce = view ?? previous.get(input.name);
    if (inForce !== undefined) holds.push(inForce);
  }
  return { holds, findings };
}

/** Compiles one hold. `view` is null exactly when there are problems. */
export function compileHold(input: HoldInput): {
  readonly view: HoldView | null;
  readonly problems: readonly ConfigurationFinding[];
} {
  const problems: ConfigurationFinding[] = [];
  const { name, note, mac, node } = input;
  const wrong = (field: string, reason: ConfigurationReason, message: string, fix: string) =>
    problems.push({ severity: "error", kind: "AddressHold", object: name, field, reason, message, fix });
  const ranges: AddressRange[] = [];
  if (input.addresses.length === 0)
    wrong("spec.addresses", "missing_field", "the hold has no addresses", "list at least one");
  for (const [index, text] of input.addresses.entries()) {
    if (problems.length >= PROBLEMS_MAX) break;
    try {
      ranges.push(parseHeld(text));
    } catch (thrown) {
      const { context, message } = Fault.from(thrown);
      const problem = String(context.problem ?? message);
      wrong(`spec.addresses.${index}`, "malformed_range", problem, String(context.fix ?? HOW_TO_WRITE));
    }
  }
  const reason = HOLD_REASONS.find((each) => each === input.reason);
  if (reason === undefined) {
    wrong(
      "spec.reason",
      "out_of_range",
      `${JSON.stringify(input.reason)} is no reason`,
      `write ${HOLD_REASONS.join(" or ")}`,
    );
  }
  const expiresAt = input.expiry === null ? null : readTime(input.expiry);
  if (expiresAt === undefined) {
    wrong(
      "spec.expiry",
      "malformed_duration",
      `${JSON.stringify(input.expiry)} is no time`,
      "write it like 2026-12-24T18:00:00Z",
    );
  }
  if (problems.length > 0 || reason === undefined || expiresAt === undefined) return { view: null, problems };
  return { view: { name, ranges, reason, expiresAt, note, mac, node }, problems };
}

const PROBLEMS_MAX = 20;
const HOW_TO_WRITE = "write 192.0.2.10, 192.0.2.0/24 or 192.0.2.10-192.0.2.20";

/** As a pool's entry, and single addresses too. Throws Fault `invalid`. */
function parseHeld(text: string): AddressRange {
  const single = tryParseAddress(text.trim());
  return single === null ? parseRange(text) : { first: single, last: single };
}

/** RFC 3339 as milliseconds since the epoch; undefined for anything else, days that no calendar has among them. */
function readTime(text: string): number | undefined {
  const parts = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/.exec(text);
  if (parts === null) return undefined;
  const [, day = "", time = "", fraction = "", zone = ""] = parts;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const at = Date.parse(`${day}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`);
  const isDay = Number.isFinite(midnight) && new Date(midnight).toISOString().startsWith(day);
  return isDay && Number.isFinite(at) ? at : undefined;
}

/** The holds that hold at `now` (milliseconds since the epoch), and when the next of them ends; null: none will. */
export function holdsAt(
  holds: readonly HoldView[],
  now: number,
): { readonly active: readonly HoldView[]; readonly nextExpiry: number | null } {
  const active = holds.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
  const ends = active.flatMap(({ expiresAt }) => expiresAt ?? []);
  return { active, nextExpiry: ends.reduce<number | null>((soonest, end) => Math.min(soonest ?? end, end), null) };
}

/** Who holds an address, and what of a range nobody does. Costs depend on how many ranges there are, never on their size. */
export class HoldIndex {
  readonly #index = new RangeIndex<HoldView>();

  /** Where holds overlap, reservations are named before conflicts, then the first by name. */
  constructor(holds: readonly HoldView[]) {
    for (const hold of holds.toSorted(byWeight)) {
      for (const range of hold.ranges) for (const gap of this.gaps(range)) this.#index.add(gap, hold);
    }
  }

  of(address: Address): HoldView | undefined {
    return this.#index.overlap({ first: address, last: address })?.item;
  }

  /** The parts of the range that are not held, lowest first. */
  gaps(range: AddressRange): readonly AddressRange[] {
    const { family, value: start } = range.first;
    const gaps: AddressRange[] = [];
    for (let last = range.last.value; last >= start; ) {
      const hit = this.#index.overlap({ first: range.first, last: { family, value: last } })?.range;
      const open = hit === undefined ? start : hit.last.value + 1n;
      if (open <= last) gaps.push({ first: { family, value: open }, last: { family, value: last } });
      if (hit === undefined) break;
      last = hit.first.value - 1n;
    }
    return gaps.reverse();
  }
}

function byWeight(a: HoldView, b: HoldView): number {
  if (a.reason !== b.reason) return a.reason === "reserved" ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
