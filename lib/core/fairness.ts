/** Is the spread of replies what chance would make of the expected shares? (ux.md 3.4) */
import { percent } from "./share.ts";

/** How many requests one pod answered, and which share it should have. */
export interface PodCount {
  readonly pod: string;
  readonly count: number;
  /** Expected share, 0 to 1. The shares of all rows should add up to 1. */
  readonly expected: number;
}

/** What a window of counts says about the spread, in one word and in one sentence. */
interface Verdict {
  readonly kind: "collecting" | "even" | "uneven" | "too_even";
  readonly sentence: string;
  /** Probability that a fair spread would look at least this uneven; null when not tested. */
  readonly p: number | null;
  /** Jain's index of observed ÷ expected: 1 is perfectly even. Null when nothing was counted. */
  readonly jain: number | null;
}

/** The chi-square test means nothing below this expected count per pod. */
const MIN_EXPECTED = 5;
// A live verdict is looked at every second: one window may cry wolf (0.01 alarms in 47 % of fair ten-minute
// sessions), two in a row that do not overlap hardly ever (0.1 %). Alone, a window must be an order clearer.
const ALPHA_TWICE = 0.01;
const ALPHA_ALONE = 0.001;
const TOO_EVEN = 0.999;

/**
 * Judges one window of counts. `before` is the window before it, not
 * overlapping: given, "uneven" needs both to disagree with chance at 1 %;
 * without it the one window must at 0.1 %. Rows with expectation 0 are no part
 * of the test, but replies from them are named.
 */
export function verdict(counts: readonly PodCount[], before?: readonly PodCount[]): Verdict {
  const rows = counts.filter(({ expected }) => expected > 0);
  const total = sum(rows.map(({ count }) => count));
  const stray = sum(counts.filter(({ expected }) => expected <= 0).map(({ count }) => count));
  const jain = jainIndex(rows);
  if (stray > 0) {
    const sentence = `Uneven (${total + stray} requests): ${stray} answered by pods that should get none`;
    return { kind: "uneven", sentence, p: null, jain };
  }
  const missing = neededFor(rows, total);
  if (rows.length === 0 || missing > 0) {
    const sentence = rows.length === 0 ? "Collecting (no pod to compare)" : `Collecting (needs ${missing} more)`;
    return { kind: "collecting", sentence, p: null, jain };
  }
  if (rows.length === 1)
    return { kind: "even", sentence: `One pod answers everything (${total} requests)`, p: null, jain };

  const p = chiSquareP(rows, total);
  const facts = `${total} requests, ${pText(p)}`;
  if (p > TOO_EVEN) {
    return { kind: "too_even", sentence: `More even than random, looks like round robin (${facts})`, p, jain };
  }
  if (isUneven(p, before)) return { kind: "uneven", sentence: `Uneven (${facts}): ${worst(rows, total)}`, p, jain };
  return { kind: "even", sentence: `Even, within chance (${facts})`, p, jain };
}

function isUneven(p: number, before: readonly PodCount[] | undefined): boolean {
  if (p < ALPHA_ALONE && before === undefined) return true;
  if (p >= ALPHA_TWICE || before === undefined) return false;
  const rows = before.filter(({ expected }) => expected > 0);
  const total = sum(rows.map(({ count }) => count));
  if (rows.length < 2 || neededFor(rows, total) > 0) return p < ALPHA_ALONE;
  return chiSquareP(rows, total) < ALPHA_TWICE;
}

/** How many more requests until every pod is expected to have 5. */
function neededFor(rows: readonly PodCount[], total: number): number {
  if (rows.length === 0) return 0;
  const smallest = Math.min(...rows.map(({ expected }) => expected)) / sum(rows.map(({ expected }) => expected));
  // The small allowance keeps 1/3 × 15 from being just below 5.
  return Math.max(0, Math.ceil(MIN_EXPECTED / smallest - 1e-9) - total);
}

function worst(rows: readonly PodCount[], total: number): string {
  const [row] = rows.toSorted(
    (a, b) => Math.abs(b.count / total - b.expected) - Math.abs(a.count / total - a.expected),
  );
  return row === undefined
    ? ""
    : `${row.pod} got ${percent(row.count / total)} where ${percent(row.expected)} is expected`;
}

function pText(p: number): string {
  if (p < 0.001) return "p < 0.001";
  if (p > TOO_EVEN) return "p > 0.999";
  return `p = ${p < 0.1 ? p.toFixed(3) : p.toFixed(2)}`;
}

/** p-value of Pearson's chi-square test of the counts against the expected shares. */
export function chiSquareP(rows: readonly PodCount[], total: number): number {
  const scale = sum(rows.map(({ expected }) => expected));
  const statistic = sum(
    rows.map(({ count, expected }) => {
      const want = (expected / scale) * total;
      return (count - want) ** 2 / want;
    }),
  );
  return upperGamma((rows.length - 1) / 2, statistic / 2);
}

/** (Σx)² ÷ (n Σx²) with x = observed ÷ expected; null when nothing was counted. */
function jainIndex(rows: readonly PodCount[]): number | null {
  const x = rows.map(({ count, expected }) => count / expected);
  const squares = sum(x.map((value) => value * value));
  return squares === 0 ? null : sum(x) ** 2 / (rows.length * squares);
}

/** What Jain's index is on average under a fair random spread: never quite 1. */
export function jainExpected(pods: number, requests: number): number {
  return requests === 0 ? 1 : 1 / (1 + (pods - 1) / requests);
}

/** Half of the 95 % range around an expected share (0 to 1) after `requests` requests; 0 when there are none. */
export function halfWidth95(share: number, requests: number): number {
  return requests <= 0 ? 0 : 1.959964 * Math.sqrt((share * (1 - share)) / requests);
}

/**
 * Regularised upper incomplete gamma function Q(a, x), to about 1e-12: by
 * series below a + 1, by continued fraction (modified Lentz) above.
 */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let series = term;
    for (let n = 1; n < 1000 && term > series * 1e-15; n++) {
      term *= x / (a + n);
      series += term;
    }
    return Math.min(1, Math.max(0, 1 - series * front));
  }
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < 1000; n++) {
    const an = -n * (n - a);
    b += 2;
    d = an * d + b;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    c = b + an / c;
    if (Math.abs(c) < tiny) c = tiny;
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return Math.min(1, front * fraction);
}

/** ln Γ(x) for x > 0 (Lanczos, g = 7, n = 9). */
function logGamma(x: number): number {
  const coefficients = [
    676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
    -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
  ];
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const shifted = x - 1;
  const t = shifted + 7.5;
  let series = 0.9999999999998099;
  for (const [index, coefficient] of coefficients.entries()) series += coefficient / (shifted + index + 1);
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(series);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
