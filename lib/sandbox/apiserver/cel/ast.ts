import type { Value } from "./values.ts";

/** A CEL expression; `at` is the offset of what it begins with, for messages. */
export type Expression =
  | { readonly kind: "literal"; readonly at: number; readonly value: Value }
  | { readonly kind: "name"; readonly at: number; readonly name: string }
  | { readonly kind: "select"; readonly at: number; readonly object: Expression; readonly field: string }
  | { readonly kind: "has"; readonly at: number; readonly object: Expression; readonly field: string }
  | { readonly kind: "index"; readonly at: number; readonly object: Expression; readonly index: Expression }
  | {
      readonly kind: "call";
      readonly at: number;
      readonly name: string;
      /** Absent for a global function. */
      readonly target?: Expression;
      readonly args: readonly Expression[];
    }
  | { readonly kind: "list"; readonly at: number; readonly items: readonly Expression[] }
  | { readonly kind: "map"; readonly at: number; readonly entries: readonly (readonly [Expression, Expression])[] }
  | {
      readonly kind: "binary";
      readonly at: number;
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "unary"; readonly at: number; readonly operator: "!" | "-"; readonly operand: Expression }
  | {
      readonly kind: "choice";
      readonly at: number;
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    }
  | {
      readonly kind: "macro";
      readonly at: number;
      readonly name: MacroName;
      readonly range: Expression;
      readonly variable: string;
      readonly body: Expression;
      /** `map(x, filter, body)` only. */
      readonly filter?: Expression;
    };

export type MacroName = "all" | "exists" | "exists_one" | "filter" | "map";

export type BinaryOperator = "&&" | "||" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "+" | "-" | "*" | "/" | "%";

/** Why an expression is none: where (offset in the text), and what is wrong with it. */
export class CelSyntaxError extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** The parts of an expression. */
export function partsOf(one: Expression): readonly Expression[] {
  switch (one.kind) {
    case "literal":
    case "name":
      return [];
    case "select":
    case "has":
      return [one.object];
    case "index":
      return [one.object, one.index];
    case "call":
      return one.target === undefined ? one.args : [one.target, ...one.args];
    case "list":
      return one.items;
    case "map":
      return one.entries.flat();
    case "binary":
      return [one.left, one.right];
    case "unary":
      return [one.operand];
    case "choice":
      return [one.condition, one.yes, one.no];
    case "macro":
      return one.filter === undefined ? [one.range, one.body] : [one.range, one.filter, one.body];
  }
}
