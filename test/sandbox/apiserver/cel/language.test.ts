import { describe, expect, it } from "vitest";
import { compileCel } from "#sandbox/apiserver/cel/check";
import { evaluate } from "#sandbox/apiserver/cel/evaluate";
import { fromJson } from "#sandbox/apiserver/cel/from-json";
import { CelError, typeNameOf, type Value } from "#sandbox/apiserver/cel/values";
import type { JsonValue } from "#sandbox/kinds/definition";
import { fc } from "../../../support/random.ts";

const SELF: JsonValue = {
  name: "web",
  port: 80,
  ratio: 0.5,
  on: true,
  nothing: null,
  tags: ["a", "b", "c"],
  labels: { "app.io/name": "x", tier: "front" },
  items: [
    { name: "one", size: 1 },
    { name: "two", size: 2 },
  ],
  "a-b": "dash",
  namespace: "ns",
};

/** The value, or what went wrong. */
function run(text: string, steps = 100_000): Value | { readonly error: string } {
  const declared = new Map([["self", undefined]]);
  const compiled = compileCel(`[${text}]`, declared, "bool");
  // Wrapped in a list it is no bool, which is all that is wrong with it; unwrapped it is what the test is about.
  if (compiled.kind === "refused" && compiled.message !== "cel expression must evaluate to a bool") {
    return { error: compiled.message };
  }
  const bare = compileCel(`dyn(${text})`, declared, "bool");
  if (bare.kind === "refused") return { error: bare.message };
  try {
    return evaluate(bare.expression, new Map([["self", fromJson(SELF)]]), { left: steps });
  } catch (thrown) {
    if (thrown instanceof CelError) return { error: thrown.message };
    throw thrown;
  }
}

describe("CEL", () => {
  const truths: readonly string[] = [
    // numbers
    "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9",
    "7 / 2 == 3 && -7 / 2 == -3 && 7 % 3 == 1 && -7 % 3 == -1",
    "1.5 + 0.5 == 2.0 && 7.0 / 2.0 == 3.5",
    "1 == 1.0 && 1 == 1u && 2 > 1.5 && 3u < 4",
    "0x1F == 31 && 5u == 5 && 1e3 == 1000.0 && .5 == 0.5",
    "-9223372036854775808 < 9223372036854775807",
    "self.port == 80 && self.ratio < 1.0",
    // texts and bytes
    "'it\\'s' == \"it's\" && r'\\d' == '\\\\d' && '''a'b''' == \"a'b\" && '\\u00e9' == 'é' && '\\x41\\101' == 'AA'",
    "'abc' < 'abd' && 'B' < 'a' && 'a' + 'b' == 'ab'",
    "size('naïve') == 5 && 'naïve'.size() == 5 && size(b'é') == 2",
    "self.name.startsWith('w') && self.name.endsWith('b') && self.name.contains('e')",
    "self.name.matches('^w.b$') && !self.name.matches('^e') && matches('abc', '[a-c]+')",
    "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c']",
    "['a', 'b'].join('-') == 'a-b' && ['a', 'b'].join() == 'ab'",
    "'AbC'.lowerAscii() == 'abc' && 'AbC'.upperAscii() == 'ABC' && ' x '.trim() == 'x'",
    "'aXbX'.replace('X', '-') == 'a-b-' && 'aXbX'.replace('X', '-', 1) == 'a-bX'",
    "'hello'.substring(1, 3) == 'el' && 'hello'.substring(3) == 'lo' && 'abc'.charAt(1) == 'b'",
    "'banana'.indexOf('an') == 1 && 'banana'.lastIndexOf('an') == 3 && 'x'.indexOf('y') == -1",
    "'a1b22'.find('[0-9]+') == '1' && 'a1b22'.findAll('[0-9]+') == ['1', '22'] && 'a1b22'.findAll('[0-9]+', 1) == ['1']",
    "'%s has %d of %d%%'.format(['a', 1, 2]) == 'a has 1 of 2%'",
    // lists and maps
    "2 in [1, 2] && !('x' in ['y']) && 'tier' in self.labels && self.tags[1] == 'b'",
    "self.labels['app.io/name'] == 'x' && {'a': 1}.a == 1 && {1: 'x'}[1] == 'x' && size({'a': 1}) == 1",
    "[1, 2] + [3] == [1, 2, 3] && [[1], [2]] == [[1], [2]] && {'a': [1]} == {'a': [1.0]}",
    "[1, 2, 2].isSorted() && [1, 2].sum() == 3 && [3, 1].min() == 1 && [3, 1].max() == 3 && [1, 2].indexOf(2) == 1",
    "sets.contains([1, 2], [2]) && sets.equivalent([1, 1], [1]) && sets.intersects([1], [1, 2])",
    "self.a__dash__b == 'dash' && has(self.a__dash__b) && self.__namespace__ == 'ns'",
    "has(self.name) && !has(self.other) && has(self.labels.tier)",
    "self.nothing == null && type(null) == null_type",
    // macros
    "self.tags.all(t, t.size() == 1) && self.tags.exists(t, t == 'b') && self.tags.exists_one(t, t == 'c')",
    "self.items.map(i, i.name) == ['one', 'two'] && self.items.map(i, i.size > 1, i.name) == ['two']",
    "self.items.filter(i, i.size == 1).size() == 1 && self.labels.all(k, self.labels[k] != '')",
    "self.items.all(i, self.items.exists_one(j, j.name == i.name))",
    // logic takes in errors
    "true || self.missing.deep && !(false && 1 / 0 == 1)",
    "self.missing == 1 || true",
    "[1, 0].exists(x, 4 / x == 4) && ![0, 1].all(x, 4 / x == 5)",
    "self.on ? true : self.missing == 1",
    // types
    "type(1) == int && type('a') == string && type([]) == list && type({}) == map && type(1.0) == double",
    "int('42') == 42 && int(3.9) == 3 && string(42) == '42' && double(1) == 1.0 && bool('true') && uint(3) == 3u",
    // time
    "duration('1h30m') == duration('90m') && duration('90s').getMinutes() == 1 && duration('1.5s').getMilliseconds() == 1500",
    "duration('10s') > duration('9s') && duration('1m') + duration('1s') == duration('61s')",
    "timestamp('2026-01-02T03:04:05Z').getFullYear() == 2026 && timestamp('2026-01-02T03:04:05Z').getMonth() == 0",
    "timestamp('2026-01-02T00:00:00Z') - timestamp('2026-01-01T00:00:00Z') == duration('24h')",
    "timestamp('2026-01-01T00:00:00Z') + duration('1h') == timestamp('2026-01-01T01:00:00Z')",
    "timestamp('2026-01-01T12:00:00+02:00').getHours() == 10 && timestamp('2026-01-01T10:00:00Z').getHours('02:00') == 12",
    // addresses and quantities
    "isIP('192.0.2.1') && isIP('2001:db8::1') && !isIP('192.0.2.256') && !isIP('fe80::1%eth0') && !isIP('::ffff:1.2.3.4')",
    "ip('192.0.2.1').family() == 4 && ip('::1').isLoopback() && !ip('127.0.0.1').isGlobalUnicast()",
    "ip('2001:db8::1') == ip('2001:DB8:0::1') && ip.isCanonical('2001:db8::1') && !ip.isCanonical('2001:DB8::1')",
    "isCIDR('192.0.2.0/24') && !isCIDR('192.0.2.0') && !isCIDR('192.0.2.0/33')",
    "cidr('192.0.2.0/24').containsIP('192.0.2.7') && !cidr('192.0.2.0/24').containsIP(ip('192.0.3.7'))",
    "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))",
    "cidr('192.0.2.7/24').masked() == cidr('192.0.2.0/24') && cidr('192.0.2.0/24').prefixLength() == 24",
    "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('100m').compareTo(quantity('0.1')) == 0 && isQuantity('5k')",
    "quantity('2').add(quantity('500m')).asApproximateFloat() == 2.5 && quantity('2k').asInteger() == 2000",
    "optional.of(1).hasValue() && optional.none().orValue(3) == 3",
  ];
  it.each(truths)("finds %s", (text) => {
    expect(run(text)).toBe(true);
  });

  const failures: readonly (readonly [string, string])[] = [
    ["self.missing", "no such key: missing"],
    ["self.tags[3]", "index out of bounds: 3"],
    ["1 / 0", "division by zero"],
    ["1 % 0", "modulus by zero"],
    ["9223372036854775807 + 1", "integer overflow"],
    ["1u - 2u", "unsigned integer overflow"],
    ["1 + 1.0", "no such overload"],
    ["'a' < 1", "no such overload"],
    ["self.name.all(x, true)", "no such overload"],
    ["!1", "no such overload"],
    ["duration('soon')", 'time: invalid duration "soon"'],
    ["ip('1.2.3')", 'IP Address "1.2.3" parse error during conversion from string'],
    ["'x'.matches('(')", "error parsing regexp"],
    ["'abc'.substring(2, 1)", "invalid substring range. start: 2, end: 1"],
    ["optional.none().value()", "optional.none() dereference"],
    ["false || self.missing == 1", "no such key: missing"],
  ];
  it.each(failures)("fails at %s with %s", (text, words) => {
    expect(run(text)).toEqual({ error: expect.stringContaining(words) });
  });

  const refused: readonly (readonly [string, string])[] = [
    ["self.", "Syntax error"],
    ["1 +", "Syntax error: mismatched input '<EOF>'"],
    ["(1", "mismatched input"],
    ["'open", "token recognition error"],
    ["a ? b", "expecting ':'"],
    ["other == 1", "undeclared reference to 'other'"],
    ["self.name.shout()", "undeclared reference to 'shout'"],
    ["size()", "found no matching overload for 'size'"],
    ["has(self)", "invalid argument to has() macro"],
    ["self.tags.all(1, true)", "argument must be a simple name"],
    ["if == 1", "reserved identifier: if"],
    ["99999999999999999999", "invalid int literal"],
    ["@", "token recognition error at: '@'"],
    [`${"(".repeat(500)}1${")".repeat(500)}`, "recursion limit exceeded"],
  ];
  it.each(refused)("refuses %s as it is read", (text, words) => {
    const compiled = compileCel(text, new Map([["self", undefined]]), "bool");
    expect(compiled).toEqual({ kind: "refused", message: expect.stringContaining(words) });
  });

  it("says where, as the real compiler does", () => {
    const schema = { type: "object", properties: { name: { type: "string" } } };
    const compiled = compileCel("self.nme == 'x'", new Map([["self", schema]]), "bool");
    expect(compiled).toEqual({
      kind: "refused",
      message: "compilation failed: ERROR: <input>:1:1: undefined field 'nme'\n | self.nme == 'x'\n | ^",
    });
    expect(compileCel("'text'", new Map(), "bool")).toEqual({
      kind: "refused",
      message: "cel expression must evaluate to a bool",
    });
  });

  it("stops at the end of its budget, whatever the nesting", () => {
    const ten = "[1,2,3,4,5,6,7,8,9,10]";
    const nested = `${ten}.all(a, ${ten}.all(b, ${ten}.all(c, ${ten}.all(d, ${ten}.all(e, ${ten}.all(f, true))))))`;
    expect(run(nested)).toEqual({ error: "operation cancelled: actual cost limit exceeded" });
    expect(run(`${nested} || true`)).toEqual({ error: "operation cancelled: actual cost limit exceeded" });
  });

  it("matches patterns that would keep a backtracking engine busy for ages", () => {
    expect(run(`'${"a".repeat(60)}b'.matches('^(a+)+$')`)).toBe(false);
  });
});

describe("random input", () => {
  const word = fc.constantFrom(
    ..."self . ( ) [ ] { } , ? : ! - + * / % == != < && || in has size all exists map x 1 2.5 3u 'a' true null self.tags self.items self.name .map( .all( x, duration ip cidr quantity string \\ \" @".split(
      " ",
    ),
  );
  it("is read and evaluated, or refused in words; nothing crashes, nothing hangs", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 40 }),
          fc.array(word, { maxLength: 30 }).map((w) => w.join(" ")),
        ),
        (text) => {
          const outcome = run(text, 10_000);
          if (typeof outcome === "object" && outcome !== null && "error" in outcome) expect(outcome.error).not.toBe("");
          else expect(typeNameOf(outcome as Value)).not.toBe("");
        },
      ),
      { numRuns: 5000 },
    );
  });

  /** Expressions that can be read, so that evaluation gets its share. */
  const { expression } = fc.letrec<{ expression: string; leaf: string }>((tie) => ({
    leaf: fc.constantFrom(
      "1",
      "0",
      "-1",
      "2.5",
      "3u",
      "'a'",
      "''",
      "true",
      "null",
      "self",
      "self.tags",
      "self.port",
      "self.x",
      "x",
      "[]",
      "{}",
      "duration('1s')",
      "ip('::1')",
    ),
    expression: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      tie("leaf"),
      fc
        .tuple(
          tie("expression"),
          fc.constantFrom("+", "-", "*", "/", "%", "==", "<", "&&", "||", "in"),
          tie("expression"),
        )
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      fc.tuple(tie("expression"), tie("expression"), tie("expression")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc
        .tuple(tie("expression"), fc.constantFrom("all", "exists", "exists_one", "map", "filter"), tie("expression"))
        .map(([a, macro, b]) => `${a}.${macro}(x, ${b})`),
      fc
        .tuple(fc.constantFrom("size", "string", "int", "type", "duration", "cidr", "quantity"), tie("expression"))
        .map(([f, a]) => `${f}(${a})`),
      fc
        .tuple(
          tie("expression"),
          fc.constantFrom("matches", "split", "replace", "substring", "containsIP", "indexOf"),
          tie("expression"),
          tie("expression"),
        )
        .map(([a, f, b, c]) => `${a}.${f}(${f === "replace" || f === "substring" ? `${b}, ${c}` : b})`),
      fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `[${a}, ${b}][0]`),
    ),
  }));
  it("that can be read ends in a value or an error in CEL's words", () => {
    fc.assert(
      fc.property(expression, (text) => {
        const outcome = run(`[1].map(x, ${text})`, 10_000);
        if (typeof outcome === "object" && outcome !== null && "error" in outcome) expect(outcome.error).not.toBe("");
        else expect(typeNameOf(outcome as Value)).toBe("list");
      }),
      { numRuns: 5000 },
    );
  });
});
