import { type Selector, selectorProblems } from "../selector.ts";
import { doubt, failure, quote, type Report } from "./finding.ts";

type Plain = Readonly<Record<string, unknown>>;

export function isPlain(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Own members only: "constructor" is nobody's label. */
export function ownMember(value: unknown, name: string): unknown {
  return isPlain(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** The members of `value` that are text; for metadata, which API servers guarantee. */
export function textMap(value: unknown): Readonly<Record<string, string>> {
  if (!isPlain(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

/**
 * Reads members of an object of which nothing is known. What has the wrong
 * type is reported with its path and read as absent; null is absent.
 */
export class Fields {
  readonly #value: Plain;
  readonly #path: string;
  readonly #report: Report;
  readonly #known = new Set<string>();

  constructor(value: unknown, path: string, report: Report) {
    this.#path = path;
    this.#report = report;
    if (!isPlain(value)) {
      if (value !== undefined && value !== null) this.#wrongType(path, "an object", value);
      this.#value = {};
    } else this.#value = value;
  }

  path(name: string): string {
    return `${this.#path}.${name}`;
  }

  /** Something is written there, right or wrong. */
  has(name: string): boolean {
    return this.#member(name) !== undefined;
  }

  text(name: string): string | undefined {
    const value = this.#member(name);
    if (value === undefined || typeof value === "string") return value;
    return this.#wrongType(this.path(name), "text", value);
  }

  /** The empty text counts as absent, as `omitempty` has it. */
  filled(name: string): string | undefined {
    return this.text(name) || undefined;
  }

  flag(name: string): boolean | undefined {
    const value = this.#member(name);
    if (value === undefined || typeof value === "boolean") return value;
    return this.#wrongType(this.path(name), "true or false", value);
  }

  /** A whole number from `min` to `max`. */
  integer(name: string, min: number, max: number): number | undefined {
    const value = this.#member(name);
    if (value === undefined) return undefined;
    if (typeof value !== "number") return this.#wrongType(this.path(name), "a number", value);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    const message = `${value} is not a whole number from ${min} to ${max}`;
    this.#report(failure(this.path(name), "out_of_range", message, `write a number from ${min} to ${max}`));
    return undefined;
  }

  texts(name: string): readonly string[] {
    return this.textEntries(name).map(({ text }) => text);
  }

  /** As `texts`, each with its path. */
  textEntries(name: string): readonly { readonly text: string; readonly path: string }[] {
    return this.#list(name).flatMap(([value, path]) => {
      if (typeof value === "string") return [{ text: value, path }];
      this.#wrongType(path, "text", value);
      return [];
    });
  }

  /** As `texts`; a text that is there twice is reported. */
  distinctTexts(name: string): readonly string[] {
    const seen = new Set<string>();
    return this.textEntries(name).map(({ text, path }) => {
      if (seen.has(text)) {
        this.#report(failure(path, "duplicate_entry", `${quote(text)} is listed twice`, "list it once"));
      }
      seen.add(text);
      return text;
    });
  }

  objects(name: string): readonly Fields[] {
    return this.#list(name).map(([value, path]) => {
      // An entry that is null must not be taken for one that says nothing, and so selects everything.
      if (value === undefined) this.#wrongType(path, "an object", value);
      return new Fields(value, path, this.#report);
    });
  }

  /** Null when absent. */
  object(name: string): Fields | null {
    const value = this.#member(name);
    return value === undefined ? null : new Fields(value, this.path(name), this.#report);
  }

  /** Nonsense and repetition are reported (metallb.md 4.1 "Selectors everywhere"). */
  selectors(name: string): readonly Selector[] {
    const selectors = this.objects(name).map((fields) => fields.asSelector());
    for (const [index, problem] of selectorProblems(selectors)) {
      this.#report(selectorRemark(`${this.path(name)}.${index}`, problem));
    }
    return selectors;
  }

  asSelector(): Selector {
    const labels = this.object("matchLabels");
    const matchExpressions = this.objects("matchExpressions").map((fields) => ({
      key: fields.text("key") ?? "",
      operator: fields.text("operator") ?? "",
      values: fields.texts("values"),
    }));
    const matchLabels = labels === null ? {} : labels.#texts();
    return { matchLabels, matchExpressions };
  }

  /** Warns of members that nobody asked for: misspelt ones have no effect, and a server drops them. */
  warnOfOthers(): void {
    for (const name of Object.keys(this.#value)) {
      if (this.#known.has(name)) continue;
      const near = [...this.#known].find((known) => isNear(known.toLowerCase(), name.toLowerCase()));
      const fix = near === undefined ? "take it out, or correct its name" : `write ${near}`;
      this.#report(doubt(this.path(name), "unknown_field", `there is no field ${quote(name)}`, fix));
    }
  }

  #texts(): Readonly<Record<string, string>> {
    const entries = Object.keys(this.#value).flatMap((name) => {
      const text = this.text(name);
      return text === undefined ? [] : [[name, text] as const];
    });
    return Object.fromEntries(entries);
  }

  #list(name: string): readonly (readonly [value: unknown, path: string])[] {
    const value = this.#member(name);
    if (value === undefined) return [];
    if (Array.isArray(value)) return value.map((item, index) => [item ?? undefined, `${this.path(name)}.${index}`]);
    this.#wrongType(this.path(name), "a list", value);
    return [];
  }

  #member(name: string): unknown {
    this.#known.add(name);
    return ownMember(this.#value, name) ?? undefined;
  }

  #wrongType(path: string, wanted: string, value: unknown): undefined {
    const found = value === undefined ? "nothing" : Array.isArray(value) ? "a list" : typeof value;
    const message = `must be ${wanted}, and is ${found === "object" ? "an object" : found}`;
    this.#report(failure(path, "wrong_type", message, `write ${wanted}`));
    return undefined;
  }
}

/** A problem in core's words as a remark. */
export function selectorRemark(field: string, problem: string) {
  const reason =
    problem.endsWith("is written twice") && !problem.startsWith("the expression")
      ? "duplicate_entry"
      : "malformed_selector";
  return failure(field, reason, problem, "correct the selector");
}

/** At most one letter was added, left out or changed, or two neighbours swapped. */
function isNear(known: string, written: string): boolean {
  if (Math.abs(known.length - written.length) > 1) return false;
  let start = 0;
  while (start < known.length && known[start] === written[start]) start += 1;
  const [left, right] = [known.slice(start), written.slice(start)];
  return (
    left.slice(1) === right.slice(1) ||
    left.slice(1) === right ||
    left === right.slice(1) ||
    (left[0] === right[1] && left[1] === right[0] && left.slice(2) === right.slice(2))
  );
}
