import { type AddressRange, formatRange, parseRange, tryParseAddress } from "../address.ts";
import { Fault } from "../errors.ts";
import { doubt, failure, quote, type Report } from "./finding.ts";

interface Entry {
  readonly text: string;
  /** Dotted path ("spec.addresses.0"). */
  readonly path: string;
}

interface Read extends Entry {
  readonly range: AddressRange;
  readonly index: number;
}

/** Each malformed entry costs a sentence; nobody reads thousands. */
const MALFORMED_MAX = 1000;
const SENTENCE_MAX = 300;

/** The ranges of one pool, in the order listed. Malformed ones and those that overlap an earlier one are reported. */
export function compileRanges(entries: readonly Entry[], report: Report): readonly AddressRange[] {
  const read: Read[] = [];
  let malformed = 0;
  for (const [index, { text, path }] of entries.entries()) {
    if (malformed === MALFORMED_MAX) break;
    try {
      const range = parseRange(text);
      read.push({ text, path, range, index });
      warnOfHostBits({ text, path }, range, report);
    } catch (thrown) {
      malformed++;
      const { context, message } = Fault.from(thrown);
      const problem = String(context.problem ?? message).slice(0, SENTENCE_MAX);
      report(failure(path, "malformed_range", problem, String(context.fix ?? "correct the range")));
    }
  }
  for (const [later, earlier] of overlaps(read)) {
    const message = `${quote(later.text)} overlaps ${quote(earlier.text)} of the same pool`;
    report(failure(later.path, "overlap", message, "list every address once"));
  }
  return read.map(({ range }) => range);
}

/** Each entry that shares an address with an earlier one, in order: one pass over the entries sorted by where they begin. */
function overlaps(entries: readonly Read[]): readonly (readonly [later: Read, earlier: Read])[] {
  const pairs = new Map<Read, Read>();
  for (const family of [4, 6] as const) {
    const sorted = entries.filter(({ range }) => range.first.family === family).toSorted(byFirst);
    let widest: Read | undefined;
    for (const entry of sorted) {
      if (widest !== undefined && entry.range.first.value <= widest.range.last.value) {
        const [earlier, later] = entry.index < widest.index ? [entry, widest] : [widest, entry];
        if (!pairs.has(later)) pairs.set(later, earlier);
      }
      if (widest === undefined || entry.range.last.value > widest.range.last.value) widest = entry;
    }
  }
  return [...pairs].toSorted(([a], [b]) => a.index - b.index);
}

function byFirst(a: Read, b: Read): number {
  const [left, right] = [a.range.first.value, b.range.first.value];
  return left === right ? a.index - b.index : left < right ? -1 : 1;
}

function warnOfHostBits({ text, path }: Entry, range: AddressRange, report: Report): void {
  const slash = text.indexOf("/");
  const written = slash < 0 ? null : tryParseAddress(text.slice(0, slash).trim());
  if (written === null || written.value === range.first.value) return;
  const message = `${quote(text)} has bits set behind its prefix: the pool begins at the network's first address`;
  report(doubt(path, "host_bits", message, `write ${formatRange(range)}, or a range first-last`));
}

/** "10.0.0.128/25": what two ranges have in common. */
export function overlapText(a: AddressRange, b: AddressRange): string {
  const first = a.first.value > b.first.value ? a.first : b.first;
  const last = a.last.value < b.last.value ? a.last : b.last;
  return formatRange({ first, last });
}

export function sameRanges(a: readonly AddressRange[], b: readonly AddressRange[]): boolean {
  return a === b || (a.length === b.length && a.every((range, index) => sameRange(range, b[index])));
}

function sameRange(a: AddressRange, b: AddressRange | undefined): boolean {
  return a.first.family === b?.first.family && a.first.value === b.first.value && a.last.value === b.last.value;
}
