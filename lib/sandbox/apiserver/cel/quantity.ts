import { int } from "./arithmetic.ts";
import { globally, instance, member, text } from "./signature.ts";
import { CelError, Quantity, type Value } from "./values.ts";

const NANO = 1_000_000_000n;
const DECIMAL: Readonly<Record<string, bigint>> = {
  n: 1n,
  u: 1000n,
  m: 1_000_000n,
  "": NANO,
  k: NANO * 10n ** 3n,
  M: NANO * 10n ** 6n,
  G: NANO * 10n ** 9n,
  T: NANO * 10n ** 12n,
  P: NANO * 10n ** 15n,
  E: NANO * 10n ** 18n,
};
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** A quantity in billionths, what is finer rounded up; undefined when it is none. */
function readQuantity(whole: string): bigint | undefined {
  const found = /^([+-]?)(\d{1,30})?(?:\.(\d{0,30}))?([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,2})?$/.exec(whole);
  if (found === null || (found[2] === undefined && (found[3] ?? "") === "")) return undefined;
  const [, sign, before = "0", after = "", unit = ""] = found;
  const digits = BigInt(before + after);
  const scale = 10n ** BigInt(after.length);
  const binary = BINARY.indexOf(unit);
  let factor = binary >= 0 ? NANO * 1024n ** BigInt(binary + 1) : DECIMAL[unit];
  let divisor = scale;
  if (factor === undefined) {
    const exponent = Number(unit.slice(1));
    factor = NANO * 10n ** BigInt(Math.max(exponent, 0));
    divisor *= 10n ** BigInt(Math.max(-exponent, 0));
  }
  const value = (digits * factor + divisor - 1n) / divisor;
  return sign === "-" ? -value : value;
}

function parse(value: string): Quantity {
  const nano = readQuantity(value);
  if (nano === undefined) {
    throw new CelError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  }
  return new Quantity(nano);
}

const nano = (value: Value | undefined) => instance(Quantity, value).nano;
const operand = (value: Value | undefined) => (typeof value === "bigint" ? value * NANO : nano(value));

/** Kubernetes' quantity library. */
export const QUANTITIES = [
  globally("isQuantity", 1, ([value]) => readQuantity(text(value)) !== undefined),
  globally("quantity", 1, ([value]) => parse(text(value))),
  member("isGreaterThan", 1, ([a, b]) => nano(a) > nano(b)),
  member("isLessThan", 1, ([a, b]) => nano(a) < nano(b)),
  member("compareTo", 1, ([a, b]) => (nano(a) < nano(b) ? -1n : nano(a) > nano(b) ? 1n : 0n)),
  member("sign", 0, ([a]) => (nano(a) < 0n ? -1n : nano(a) > 0n ? 1n : 0n)),
  member("isInteger", 0, ([a]) => nano(a) % NANO === 0n),
  member("asInteger", 0, ([a]) => {
    if (nano(a) % NANO !== 0n) throw new CelError("cannot convert value to integer");
    return int(nano(a) / NANO);
  }),
  member("asApproximateFloat", 0, ([a]) => Number(nano(a)) / 1e9),
  member("add", 1, ([a, b]) => new Quantity(nano(a) + operand(b))),
  member("sub", 1, ([a, b]) => new Quantity(nano(a) - operand(b))),
] as const;
