import { compilePattern } from "../pattern.ts";
import { toText } from "./conversions.ts";
import { both, globally, integer, list, member, text } from "./signature.ts";
import { CelError, type Value } from "./values.ts";

type Spend = (steps: number) => void;

/** The text, its length paid for. */
function paid(value: Value | undefined, spend: Spend): string {
  const read = text(value);
  spend(read.length / 10);
  return read;
}

function result(value: string, spend: Spend): string {
  spend(value.length / 10);
  return value;
}

/** The string functions of CEL and of its strings extension; positions count code points. */
export const STRINGS = [
  member("startsWith", 1, ([a, b], spend) => paid(a, spend).startsWith(text(b))),
  member("endsWith", 1, ([a, b], spend) => paid(a, spend).endsWith(text(b))),
  member("contains", 1, ([a, b], spend) => paid(a, spend).includes(text(b))),
  both("matches", 2, ([a, b], spend) => pattern(text(b)).test(paid(a, spend))),
  member("find", 1, ([a, b], spend) => pattern(text(b)).exec(paid(a, spend))?.[0] ?? ""),
  member(
    "findAll",
    1,
    ([a, b, most], spend) => {
      const subject = paid(a, spend);
      const compiled = pattern(text(b));
      const global = new RegExp(compiled.source, `${compiled.flags}g`);
      const all = subject.match(global) ?? [];
      spend(all.length);
      return most === undefined || integer(most) < 0n ? all : all.slice(0, Number(integer(most)));
    },
    2,
  ),
  member(
    "split",
    1,
    ([a, b, most], spend) => {
      const parts = paid(a, spend).split(text(b));
      spend(parts.length);
      const limit = most === undefined ? -1 : Number(integer(most));
      if (limit < 0 || parts.length <= limit) return parts;
      return limit === 0 ? [] : [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(text(b))];
    },
    2,
  ),
  member(
    "join",
    0,
    ([a, b], spend) => {
      spend(list(a).length);
      return result(
        list(a)
          .map(text)
          .join(b === undefined ? "" : text(b)),
        spend,
      );
    },
    1,
  ),
  member("lowerAscii", 0, ([a], spend) => paid(a, spend).replace(/[A-Z]+/g, (found) => found.toLowerCase())),
  member("upperAscii", 0, ([a], spend) => paid(a, spend).replace(/[a-z]+/g, (found) => found.toUpperCase())),
  member("trim", 0, ([a], spend) => paid(a, spend).trim()),
  member(
    "replace",
    2,
    ([a, b, c, most], spend) => {
      const parts = paid(a, spend).split(text(b));
      const times = most === undefined || integer(most) < 0n ? parts.length - 1 : Number(integer(most));
      const cut = Math.min(times, parts.length - 1);
      spend(parts.length + (cut * text(c).length) / 10);
      const rest = parts.slice(cut).join(text(b));
      return result([...parts.slice(0, cut), rest].join(text(c)), spend);
    },
    3,
  ),
  member(
    "substring",
    1,
    ([a, b, c], spend) => {
      const chars = [...paid(a, spend)];
      const from = position(b, chars.length);
      const to = c === undefined ? chars.length : position(c, chars.length);
      if (from > to) throw new CelError(`invalid substring range. start: ${from}, end: ${to}`);
      return chars.slice(from, to).join("");
    },
    2,
  ),
  member("charAt", 1, ([a, b], spend) => {
    const chars = [...paid(a, spend)];
    return chars[position(b, chars.length)] ?? "";
  }),
  member("indexOf", 1, ([a, b, c], spend) => find(paid(a, spend), text(b), c, "first"), 2),
  member("lastIndexOf", 1, ([a, b, c], spend) => find(paid(a, spend), text(b), c, "last"), 2),
  member("reverse", 0, ([a], spend) => [...paid(a, spend)].reverse().join("")),
  member("format", 1, ([a, b], spend) => result(format(paid(a, spend), list(b)), spend)),
  globally("strings.quote", 1, ([a], spend) => JSON.stringify(paid(a, spend))),
] as const;

const compiled = new Map<string, RegExp>();
const PATTERNS_MAX = 500;

function pattern(source: string): RegExp {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  let made: RegExp;
  try {
    made = compilePattern(source);
  } catch (thrown) {
    throw new CelError(`error parsing regexp: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
  if (compiled.size >= PATTERNS_MAX) compiled.clear();
  compiled.set(source, made);
  return made;
}

function position(value: Value | undefined, length: number): number {
  const at = integer(value);
  if (at < 0n || at > BigInt(length)) throw new CelError(`index out of range: ${at}`);
  return Number(at);
}

function find(subject: string, wanted: string, from: Value | undefined, which: "first" | "last"): bigint {
  const chars = [...subject];
  const offset = from === undefined ? undefined : chars.slice(0, position(from, chars.length)).join("").length;
  const found = which === "first" ? subject.indexOf(wanted, offset) : subject.lastIndexOf(wanted, offset);
  return BigInt(found < 0 ? found : [...subject.slice(0, found)].length);
}

function format(template: string, args: readonly Value[]): string {
  let next = 0;
  return template.replace(/%(%|(?:\.(\d{1,2}))?([a-zA-Z]))/g, (_all, body: string, digits: string, verb: string) => {
    if (body === "%") return "%";
    const value = args[next++];
    if (value === undefined) throw new CelError(`index ${next - 1} out of range`);
    if (verb === "s") return toText(value);
    if (verb === "d") return String(integer(value));
    if (verb === "f" && typeof value === "number") return value.toFixed(digits === undefined ? 6 : Number(digits));
    if (verb === "x" && typeof value === "bigint") return value.toString(16);
    throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
  });
}
