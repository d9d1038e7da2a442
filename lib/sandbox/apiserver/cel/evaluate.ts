import { add, divide, multiply, negate, remainder, subtract } from "./arithmetic.ts";
import type { BinaryOperator, Expression } from "./ast.ts";
import { callFunction } from "./functions.ts";
import {
  CelError,
  compareValues,
  equalValues,
  isList,
  isMap,
  type Key,
  keyOf,
  noOverload,
  TypeName,
  type Value,
} from "./values.ts";

/** How much work is left; shared by everything that is evaluated for one object. */
export interface Budget {
  left: number;
}

type Scope = ReadonlyMap<string, Value>;

const TYPES: ReadonlyMap<string, Value> = new Map(
  ["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"].map((name) => [
    name,
    new TypeName(name),
  ]),
);

export const OVER_BUDGET = "operation cancelled: actual cost limit exceeded";

/** Evaluates an expression. Throws CelError in CEL's words; every step and every byte looked at costs of `budget`. */
export function evaluate(expression: Expression, variables: Scope, budget: Budget): Value {
  const spend = (steps: number) => {
    budget.left -= steps;
    if (budget.left < 0) throw new CelError(OVER_BUDGET);
  };
  return new Evaluation(spend).of(expression, variables);
}

class Evaluation {
  readonly #spend: (steps: number) => void;

  constructor(spend: (steps: number) => void) {
    this.#spend = spend;
  }

  of(one: Expression, scope: Scope): Value {
    this.#spend(1);
    switch (one.kind) {
      case "literal":
        return one.value;
      case "name":
        return this.#name(one.name, scope);
      case "select":
        return this.#member(this.of(one.object, scope), one.field);
      case "has":
        return this.#has(this.of(one.object, scope), one.field);
      case "index":
        return this.#index(this.of(one.object, scope), this.of(one.index, scope));
      case "call":
        return this.#call(one, scope);
      case "list":
        return one.items.map((item) => this.of(item, scope));
      case "map":
        return new Map(one.entries.map(([key, value]) => [keyOf(this.of(key, scope)), this.of(value, scope)]));
      case "unary": {
        const operand = this.of(one.operand, scope);
        if (one.operator === "-") return negate(operand);
        return !truth(operand);
      }
      case "choice":
        return this.of(truth(this.of(one.condition, scope)) ? one.yes : one.no, scope);
      case "binary":
        if (one.operator === "&&") return this.#either(one.left, one.right, scope, false);
        if (one.operator === "||") return this.#either(one.left, one.right, scope, true);
        return this.#binary(one.operator, this.of(one.left, scope), this.of(one.right, scope));
      case "macro":
        return this.#macro(one, scope);
    }
  }

  #name(name: string, scope: Scope): Value {
    const value = scope.get(name) ?? TYPES.get(name);
    if (value !== undefined) return value;
    if (scope.has(name)) return null;
    throw new CelError(`undeclared reference to '${name}'`);
  }

  /** `a && b` and `a || b`: the side that decides does so even when the other one fails. */
  #either(left: Expression, right: Expression, scope: Scope, decisive: boolean): boolean {
    let failed: CelError | undefined;
    for (const side of [left, right]) {
      try {
        if (truth(this.of(side, scope)) === decisive) return decisive;
      } catch (thrown) {
        if (!isAbsorbable(thrown)) throw thrown;
        failed ??= thrown;
      }
    }
    if (failed !== undefined) throw failed;
    return !decisive;
  }

  #member(object: Value, field: string): Value {
    if (!isMap(object)) throw noOverload();
    const value = object.get(memberName(object, field));
    if (value === undefined) throw new CelError(`no such key: ${field}`);
    return value;
  }

  #has(object: Value, field: string): boolean {
    if (!isMap(object)) throw noOverload();
    return object.has(memberName(object, field));
  }

  #index(object: Value, index: Value): Value {
    if (isMap(object)) {
      const value = object.get(keyOf(index));
      if (value === undefined) throw new CelError(`no such key: ${String(keyOf(index))}`);
      return value;
    }
    if (!isList(object)) throw noOverload();
    const position = keyOf(index);
    if (typeof position !== "bigint") throw noOverload();
    const value = position >= 0n ? object[Number(position)] : undefined;
    if (value === undefined) throw new CelError(`index out of bounds: ${position}`);
    return value;
  }

  #call(one: Expression & { kind: "call" }, scope: Scope): Value {
    const { target } = one;
    const args = () => one.args.map((arg) => this.of(arg, scope));
    // ip.isCanonical(x): the name before the dot belongs to the function's name.
    if (target?.kind === "name" && !scope.has(target.name)) {
      return callFunction(`${target.name}.${one.name}`, args(), false, this.#spend);
    }
    if (target === undefined) return callFunction(one.name, args(), false, this.#spend);
    return callFunction(one.name, [this.of(target, scope), ...args()], true, this.#spend);
  }

  #binary(operator: BinaryOperator, a: Value, b: Value): Value {
    switch (operator) {
      case "==":
        return equalValues(a, b, this.#spend);
      case "!=":
        return !equalValues(a, b, this.#spend);
      case "<":
        return compareValues(a, b) < 0;
      case "<=":
        return compareValues(a, b) <= 0;
      case ">":
        return compareValues(a, b) > 0;
      case ">=":
        return compareValues(a, b) >= 0;
      case "in":
        if (isMap(b)) return b.has(keyOf(a));
        if (isList(b)) return b.some((item) => equalValues(a, item, this.#spend));
        throw noOverload();
      case "+":
        return add(a, b, this.#spend);
      case "-":
        return subtract(a, b);
      case "*":
        return multiply(a, b);
      case "/":
        return divide(a, b);
      case "%":
        return remainder(a, b);
      default:
        throw noOverload();
    }
  }

  #macro(one: Expression & { kind: "macro" }, scope: Scope): Value {
    const range = this.of(one.range, scope);
    const items: readonly Value[] | undefined = isMap(range) ? [...range.keys()] : isList(range) ? range : undefined;
    if (items === undefined) throw noOverload();
    const inside = (item: Value, body: Expression) => this.of(body, new Map([...scope, [one.variable, item]]));
    const { body, filter } = one;
    switch (one.name) {
      case "all":
        return this.#quantified(items, (item) => inside(item, body), false);
      case "exists":
        return this.#quantified(items, (item) => inside(item, body), true);
      case "exists_one":
        return items.filter((item) => truth(inside(item, body))).length === 1;
      case "filter":
        return items.filter((item) => truth(inside(item, body)));
      case "map":
        return items
          .filter((item) => filter === undefined || truth(inside(item, filter)))
          .map((item) => inside(item, body));
    }
  }

  #quantified(items: readonly Value[], test: (item: Value) => Value, decisive: boolean): boolean {
    let failed: CelError | undefined;
    for (const item of items) {
      try {
        if (truth(test(item)) === decisive) return decisive;
      } catch (thrown) {
        if (!isAbsorbable(thrown)) throw thrown;
        failed ??= thrown;
      }
    }
    if (failed !== undefined) throw failed;
    return !decisive;
  }
}

function isAbsorbable(thrown: unknown): thrown is CelError {
  return thrown instanceof CelError && thrown.message !== OVER_BUDGET;
}

function truth(value: Value): boolean {
  if (typeof value !== "boolean") throw noOverload();
  return value;
}

const ESCAPED: ReadonlyMap<string, string> = new Map([
  ["__underscores__", "__"],
  ["__dot__", "."],
  ["__dash__", "-"],
  ["__slash__", "/"],
]);
const ESCAPE = /__(?:underscores|dot|dash|slash)__/g;
const KEYWORD =
  /^__(true|false|null|in|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return)__$/;

/** A property whose name is no identifier is written escaped: `self.a__dash__b` (Kubernetes' rule). */
function memberName(object: ReadonlyMap<Key, Value>, field: string): string {
  return object.has(field) ? field : unescapeMember(field);
}

export function unescapeMember(field: string): string {
  const keyword = KEYWORD.exec(field)?.[1];
  return keyword ?? field.replace(ESCAPE, (found) => ESCAPED.get(found) ?? found);
}
