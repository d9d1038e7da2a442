import { describe, expect, it } from "vitest";
import { type Selector, selectorMatches, selectorProblem } from "#core/selector";

const labels = { app: "web", tier: "front" };
const expression = (key: string, operator: string, values?: string[]): Selector => ({
  matchExpressions: [{ key, operator, values }],
});

const rows: readonly { name: string; selector: Selector; want: boolean }[] = [
  { name: "the empty selector matches everything", selector: {}, want: true },
  { name: "a label must be equal", selector: { matchLabels: { app: "web" } }, want: true },
  { name: "all labels must be equal", selector: { matchLabels: { app: "web", tier: "back" } }, want: false },
  { name: "In takes one of the values", selector: expression("app", "In", ["api", "web"]), want: true },
  { name: "In needs the key", selector: expression("zone", "In", [""]), want: false },
  { name: "NotIn refuses the values", selector: expression("app", "NotIn", ["web"]), want: false },
  { name: "NotIn is content without the key", selector: expression("zone", "NotIn", ["a"]), want: true },
  { name: "Exists needs the key only", selector: expression("tier", "Exists"), want: true },
  { name: "DoesNotExist refuses the key", selector: expression("tier", "DoesNotExist"), want: false },
  { name: "an unknown operator matches nothing", selector: expression("app", "Like", ["w"]), want: false },
  {
    name: "a key that every JavaScript object has is not a label",
    selector: expression("toString", "Exists"),
    want: false,
  },
];

describe("selectorMatches", () => {
  it.each(rows)("$name", ({ selector, want }) => expect(selectorMatches(selector, labels)).toBe(want));
  it("treats missing labels as none", () =>
    expect(selectorMatches({ matchLabels: { a: "b" } }, undefined)).toBe(false));
});

const problems: readonly { name: string; selector: Selector; says: string | null }[] = [
  { name: "accepts a sound selector", selector: expression("app", "In", ["web"]), says: null },
  { name: "wants values for In", selector: expression("app", "In"), says: "needs values" },
  { name: "wants no values for Exists", selector: expression("app", "Exists", ["x"]), says: "takes no values" },
  { name: "names an unknown operator", selector: expression("app", "Like", ["x"]), says: '"Like"' },
  { name: "wants a key", selector: expression("", "Exists"), says: "no key" },
  { name: "refuses a repeated value", selector: expression("app", "In", ["a", "a"]), says: "repeats" },
];

describe("selectorProblem", () => {
  it.each(problems)("$name", ({ selector, says }) => {
    if (says === null) expect(selectorProblem(selector)).toBeNull();
    else expect(selectorProblem(selector)).toContain(says);
  });
});
