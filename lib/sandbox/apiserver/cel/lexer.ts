import { CelSyntaxError } from "./ast.ts";
import { Unsigned, type Value } from "./values.ts";

export type Token =
  | { readonly kind: "literal"; readonly at: number; readonly value: Value }
  | { readonly kind: "name"; readonly at: number; readonly text: string }
  | { readonly kind: "sign"; readonly at: number; readonly text: string }
  | { readonly kind: "end"; readonly at: number };

const BLANK = /(?:[\s]|\/\/[^\n]*)+/y;
const NUMBER =
  /(?:0[xX]([0-9a-fA-F]+)|(\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|(\d+))([uU]?)/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const SIGN = /&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()[\]{}]/y;
const QUOTE = /([rRbB]{0,2})("""|'''|"|')/y;

const INT_MAX = 2n ** 63n;
const UINT_MAX = 2n ** 64n;

/** The tokens of a CEL expression. Throws CelSyntaxError. */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  while (at < text.length) {
    const blank = match(BLANK);
    if (blank !== null) {
      at += blank[0].length;
      continue;
    }
    const quote = match(QUOTE);
    if (quote !== null) {
      const [token, next] = readText(text, at, quote[1] ?? "", quote[2] ?? "");
      tokens.push(token);
      at = next;
      continue;
    }
    const name = match(NAME);
    const number = name === null ? match(NUMBER) : null;
    const sign = name === null && number === null ? match(SIGN) : null;
    const found = name ?? number ?? sign;
    if (found === null) {
      const odd = String.fromCodePoint(text.codePointAt(at) ?? 0);
      throw new CelSyntaxError(at, `Syntax error: token recognition error at: '${odd}'`);
    }
    if (name !== null) tokens.push(nameToken(at, name[0]));
    else if (number !== null) tokens.push({ kind: "literal", at, value: numberOf(number, at) });
    else tokens.push({ kind: "sign", at, text: found[0] });
    at += found[0].length;
  }
  tokens.push({ kind: "end", at });
  return tokens;
}

function nameToken(at: number, text: string): Token {
  if (text === "true" || text === "false") return { kind: "literal", at, value: text === "true" };
  if (text === "null") return { kind: "literal", at, value: null };
  return text === "in" ? { kind: "sign", at, text } : { kind: "name", at, text };
}

function numberOf(found: RegExpExecArray, at: number): Value {
  const [all, hex, float, whole, unsigned = ""] = found;
  if (float !== undefined) {
    if (unsigned !== "") throw new CelSyntaxError(at, `Syntax error: extraneous input '${unsigned}'`);
    return Number(float);
  }
  const value = BigInt(hex === undefined ? (whole ?? "0") : `0x${hex}`);
  if (unsigned !== "") {
    if (value >= UINT_MAX) throw new CelSyntaxError(at, `invalid uint literal: ${all}`);
    return new Unsigned(value);
  }
  // 2^63 itself is legal after a minus sign only; the parser looks for that.
  if (value > INT_MAX) throw new CelSyntaxError(at, `invalid int literal: ${all}`);
  return value;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "`": "`",
  "?": "?",
};
const NUMERIC_ESCAPE = /[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})/y;

function readText(text: string, start: number, prefix: string, quote: string): readonly [Token, number] {
  const raw = /[rR]/.test(prefix);
  const long = quote.length === 3;
  let at = start + prefix.length + quote.length;
  let value = "";
  while (!text.startsWith(quote, at)) {
    const char = text[at];
    if (char === undefined || (!long && (char === "\n" || char === "\r"))) {
      throw new CelSyntaxError(
        start,
        `Syntax error: token recognition error at: '${text.slice(start, at).slice(0, 40)}'`,
      );
    }
    if (char !== "\\" || raw) {
      value += char;
      at++;
      continue;
    }
    const simple = ESCAPES[text[at + 1] ?? ""];
    if (simple !== undefined) {
      value += simple;
      at += 2;
      continue;
    }
    NUMERIC_ESCAPE.lastIndex = at + 1;
    const numeric = NUMERIC_ESCAPE.exec(text);
    const digits = numeric?.[1] ?? numeric?.[2] ?? numeric?.[3];
    const code = digits === undefined ? Number.parseInt(numeric?.[4] ?? "", 8) : Number.parseInt(digits, 16);
    if (numeric === null || !(code <= 0x10ffff)) throw new CelSyntaxError(at, "unable to unescape string");
    value += String.fromCodePoint(code);
    at += 1 + numeric[0].length;
  }
  const bytes = /[bB]/.test(prefix);
  return [{ kind: "literal", at: start, value: bytes ? new TextEncoder().encode(value) : value }, at + quote.length];
}
