import type { PoolRow } from "#api/dashboard/pools";
import { type AddressRange, formatRange, parseRange, rangeSize, rangesOverlap } from "#core/address";
import { Fault } from "#core/errors";

/** One range as typed, judged while typing. */
export interface TypedRange {
  readonly text: string;
  readonly size: bigint | null;
  readonly family: 4 | 6 | null;
  readonly error: string | null;
}

/** Ranges may be pasted one a line, comma-separated or mixed; dashes may be long and have blanks around them. */
export function splitRanges(text: string): readonly string[] {
  return text
    .split(/[\n,;]+/)
    .map((part) => part.trim().replace(/\s*[-–—]\s*/g, "-"))
    .filter((part) => part !== "");
}

function read(text: string): AddressRange | string {
  try {
    return parseRange(text);
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

/** Every range with its size, or with what is wrong: how it is written, or whom it overlaps (by name). */
export function judgeRanges(
  text: string,
  pools: readonly Pick<PoolRow, "name" | "addresses">[],
  editing: string | null,
): readonly TypedRange[] {
  const others = pools
    .filter((pool) => pool.name !== editing)
    .flatMap((pool) =>
      pool.addresses.flatMap((range) => {
        const parsed = read(range);
        return typeof parsed === "string" ? [] : [{ pool: pool.name, range: parsed }];
      }),
    );
  const before: AddressRange[] = [];
  return splitRanges(text).map((part) => {
    const range = read(part);
    if (typeof range === "string") return { text: part, size: null, family: null, error: range };
    const clash = others.find((other) => rangesOverlap(other.range, range));
    const twice = before.find((other) => rangesOverlap(other, range));
    before.push(range);
    const error =
      clash !== undefined
        ? `Overlaps ${formatRange(clash.range)} of pool ${clash.pool}`
        : twice !== undefined
          ? `Overlaps ${formatRange(twice)} above`
          : null;
    return { text: part, size: rangeSize(range), family: range.first.family, error };
  });
}

/** Names as typed into one line: "shop, web" or one a line. */
export function splitNames(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((name) => name !== "");
}
