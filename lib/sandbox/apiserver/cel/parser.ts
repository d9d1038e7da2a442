import { type BinaryOperator, CelSyntaxError, type Expression, type MacroName } from "./ast.ts";
import { type Token, tokensOf } from "./lexer.ts";

const TEXT_MAX = 100_000;
const DEPTH_MAX = 200;

const RESERVED: ReadonlySet<string> = new Set(
  "as break const continue else for function if import let loop package namespace return var void while".split(" "),
);
const MACROS: ReadonlyMap<string, MacroName> = new Map([
  ["all", "all"],
  ["exists", "exists"],
  ["exists_one", "exists_one"],
  ["existsOne", "exists_one"],
  ["filter", "filter"],
  ["map", "map"],
]);

/** From the loosest; all bind to the left. */
const LEVELS: readonly (readonly BinaryOperator[])[] = [
  ["||"],
  ["&&"],
  ["==", "!=", "<", "<=", ">", ">=", "in"],
  ["+", "-"],
  ["*", "/", "%"],
];

/** Reads a CEL expression (github.com/google/cel-spec). Throws CelSyntaxError; bounded in length and depth. */
export function parseCel(text: string): Expression {
  if (text.length > TEXT_MAX) throw new CelSyntaxError(0, `expression exceeds ${TEXT_MAX} characters`);
  const parser = new Parser(tokensOf(text));
  return parser.whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const expression = this.#expression();
    if (this.#peek().kind !== "end") throw this.#unexpected("<EOF>");
    return expression;
  }

  #expression(): Expression {
    this.#depth++;
    if (this.#depth > DEPTH_MAX) throw new CelSyntaxError(this.#peek().at, "expression recursion limit exceeded");
    const condition = this.#binary(0);
    let result = condition;
    if (this.#take("?") !== undefined) {
      const yes = this.#binary(0);
      this.#expect(":");
      result = { kind: "choice", at: condition.at, condition, yes, no: this.#expression() };
    }
    this.#depth--;
    return result;
  }

  #binary(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    let count = 0;
    for (;;) {
      const token = this.#peek();
      const operator = token.kind === "sign" ? operators.find((one) => one === token.text) : undefined;
      if (operator === undefined) return left;
      this.#next++;
      // A chain is as deep as it is long.
      if (++count > DEPTH_MAX) throw new CelSyntaxError(token.at, "expression recursion limit exceeded");
      left = { kind: "binary", at: token.at, operator, left, right: this.#binary(level + 1) };
    }
  }

  #unary(): Expression {
    const token = this.#peek();
    if (token.kind !== "sign" || (token.text !== "!" && token.text !== "-")) return this.#member();
    this.#next++;
    const literal = this.#peek();
    if (token.text === "-" && literal.kind === "literal") {
      const { value } = literal;
      if (typeof value === "bigint" || typeof value === "number") {
        this.#next++;
        return this.#postfix({ kind: "literal", at: token.at, value: -value });
      }
    }
    this.#depth++;
    if (this.#depth > DEPTH_MAX) throw new CelSyntaxError(token.at, "expression recursion limit exceeded");
    const operand = this.#unary();
    this.#depth--;
    return { kind: "unary", at: token.at, operator: token.text, operand };
  }

  #member(): Expression {
    return this.#postfix(this.#primary());
  }

  #postfix(first: Expression): Expression {
    let object = first;
    if (object.kind === "literal" && object.value === 2n ** 63n) {
      throw new CelSyntaxError(object.at, `invalid int literal: ${2n ** 63n}`);
    }
    let count = 0;
    for (;;) {
      if (++count > DEPTH_MAX) throw new CelSyntaxError(object.at, "expression recursion limit exceeded");
      const dot = this.#take(".");
      if (dot !== undefined) object = this.#memberOf(object);
      else if (this.#take("[") !== undefined) {
        const index = this.#expression();
        this.#expect("]");
        object = { kind: "index", at: object.at, object, index };
      } else return object;
    }
  }

  #memberOf(object: Expression): Expression {
    const token = this.#peek();
    if (token.kind !== "name") throw this.#unexpected("an identifier");
    this.#next++;
    if (this.#take("(") === undefined) return { kind: "select", at: object.at, object, field: token.text };
    const args = this.#arguments(")");
    const macro = MACROS.get(token.text);
    return macro === undefined || args.length < 2
      ? { kind: "call", at: token.at, name: token.text, target: object, args }
      : macroOf(token.at, macro, object, args);
  }

  #primary(): Expression {
    const token = this.#peek();
    if (token.kind === "literal") {
      this.#next++;
      return { kind: "literal", at: token.at, value: token.value };
    }
    if (token.kind === "name") return this.#named(token.at, token.text);
    if (this.#take("(") !== undefined) {
      const inner = this.#expression();
      this.#expect(")");
      return inner;
    }
    if (this.#take("[") !== undefined) return { kind: "list", at: token.at, items: this.#arguments("]") };
    if (this.#take("{") !== undefined) return { kind: "map", at: token.at, entries: this.#entries() };
    throw this.#unexpected("an expression");
  }

  #named(at: number, name: string): Expression {
    if (RESERVED.has(name)) throw new CelSyntaxError(at, `reserved identifier: ${name}`);
    this.#next++;
    if (this.#take("(") === undefined) return { kind: "name", at, name };
    const args = this.#arguments(")");
    if (name !== "has") return { kind: "call", at, name, args };
    const [field] = args;
    if (args.length !== 1 || field?.kind !== "select") throw new CelSyntaxError(at, "invalid argument to has() macro");
    return { kind: "has", at, object: field.object, field: field.field };
  }

  #arguments(close: ")" | "]"): readonly Expression[] {
    const args: Expression[] = [];
    while (this.#take(close) === undefined) {
      if (args.length > 0) this.#expect(",");
      // A list may end in a comma.
      if (close === "]" && args.length > 0 && this.#take(close) !== undefined) break;
      args.push(this.#expression());
    }
    return args;
  }

  #entries(): readonly (readonly [Expression, Expression])[] {
    const entries: (readonly [Expression, Expression])[] = [];
    while (this.#take("}") === undefined) {
      if (entries.length > 0) this.#expect(",");
      if (entries.length > 0 && this.#take("}") !== undefined) break;
      const key = this.#expression();
      this.#expect(":");
      entries.push([key, this.#expression()]);
    }
    return entries;
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: "end", at: 0 };
  }

  #take(sign: string): Token | undefined {
    const token = this.#peek();
    if (token.kind !== "sign" || token.text !== sign) return undefined;
    this.#next++;
    return token;
  }

  #expect(sign: string): void {
    if (this.#take(sign) === undefined) throw this.#unexpected(`'${sign}'`);
  }

  #unexpected(expected: string): CelSyntaxError {
    const token = this.#peek();
    const input =
      token.kind === "end" ? "<EOF>" : token.kind === "literal" ? `${String(token.value).slice(0, 40)}` : token.text;
    return new CelSyntaxError(token.at, `Syntax error: mismatched input '${input}' expecting ${expected}`);
  }
}

function macroOf(at: number, name: MacroName, range: Expression, args: readonly Expression[]): Expression {
  const [variable, first, second, ...more] = args;
  if (variable?.kind !== "name") throw new CelSyntaxError(variable?.at ?? at, "argument must be a simple name");
  if (first === undefined || more.length > 0 || (second !== undefined && name !== "map")) {
    throw new CelSyntaxError(at, `found no matching overload for '${name}'`);
  }
  const shared = { kind: "macro", at, name, range, variable: variable.name } as const;
  return second === undefined ? { ...shared, body: first } : { ...shared, filter: first, body: second };
}
