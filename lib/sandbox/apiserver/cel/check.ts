import type { Json } from "#sandbox/kinds/definition";
import { isObject, textAt } from "../json.ts";
import { CelSyntaxError, type Expression, partsOf } from "./ast.ts";
import { unescapeMember } from "./evaluate.ts";
import { accepts, isFunction } from "./functions.ts";
import { parseCel } from "./parser.ts";

/** Names that an expression may use, each with the schema of what it stands for (undefined: anything). */
export type Declarations = ReadonlyMap<string, Json | undefined>;

export type Compiled =
  | { readonly kind: "program"; readonly expression: Expression; readonly names: ReadonlySet<string> }
  | { readonly kind: "refused"; readonly message: string };

const TYPES: ReadonlySet<string> = new Set("bool int uint double string bytes list map null_type type".split(" "));

/**
 * Reads and checks an expression: syntax, unknown names, functions and fields, and a result that can only be of another
 * type than `result`. Refusals are in cel-go's words, with the place. Never throws.
 */
export function compileCel(text: string, declared: Declarations, result: "bool" | "string"): Compiled {
  const refuse = (at: number, why: string): Compiled => ({ kind: "refused", message: located(text, at, why) });
  try {
    const expression = parseCel(text);
    const names = new Set<string>();
    check(expression, declared, names);
    const type = certainType(expression);
    if (type !== undefined && type !== result) {
      return { kind: "refused", message: `cel expression must evaluate to a ${result}` };
    }
    return { kind: "program", expression, names };
  } catch (thrown) {
    if (thrown instanceof CelSyntaxError) return refuse(thrown.at, thrown.message);
    throw thrown;
  }
}

function located(text: string, at: number, why: string): string {
  const before = text.slice(0, at).split("\n");
  const column = before.at(-1)?.length ?? 0;
  const line = text.split("\n")[before.length - 1] ?? "";
  const place = `ERROR: <input>:${before.length}:${column + 1}: ${why}`;
  return `compilation failed: ${place}\n | ${line.slice(0, 400)}\n | ${".".repeat(Math.min(column, 400))}^`;
}

function check(one: Expression, declared: Declarations, names: Set<string>): void {
  switch (one.kind) {
    case "name":
      if (declared.has(one.name)) names.add(one.name);
      else if (!TYPES.has(one.name)) throw undeclared(one.at, one.name);
      return;
    case "select":
    case "has": {
      check(one.object, declared, names);
      const schema = schemaOf(one.object, declared);
      if (schema !== undefined && memberSchema(schema, one.field) === "unknown") {
        throw new CelSyntaxError(one.at, `undefined field '${one.field}'`);
      }
      return;
    }
    case "call":
      checkCall(one, declared, names);
      return;
    case "macro": {
      check(one.range, declared, names);
      const range = schemaOf(one.range, declared);
      const items = range?.items;
      const inner = new Map([...declared, [one.variable, isObject(items) ? items : undefined] as const]);
      const inside = new Set<string>();
      if (one.filter !== undefined) check(one.filter, inner, inside);
      check(one.body, inner, inside);
      inside.delete(one.variable);
      for (const name of inside) names.add(name);
      return;
    }
    default:
      for (const part of partsOf(one)) check(part, declared, names);
  }
}

function checkCall(one: Expression & { kind: "call" }, declared: Declarations, names: Set<string>): void {
  const { target, args, name } = one;
  for (const arg of args) check(arg, declared, names);
  const spaced = target?.kind === "name" && !declared.has(target.name) && !TYPES.has(target.name);
  const full = spaced ? `${target.name}.${name}` : name;
  if (!isFunction(full)) throw undeclared(one.at, full);
  const member = target !== undefined && !spaced;
  if (member) check(target, declared, names);
  if (!accepts(full, args.length + (member ? 1 : 0), member)) {
    throw new CelSyntaxError(one.at, `found no matching overload for '${full}' applied to ${args.length} arguments`);
  }
}

function undeclared(at: number, name: string): CelSyntaxError {
  return new CelSyntaxError(at, `undeclared reference to '${name}' (in container '')`);
}

/** The schema of what a chain of members, indexes and names stands for; undefined when that cannot be told. */
function schemaOf(one: Expression, declared: Declarations): Json | undefined {
  if (one.kind === "name") return declared.get(one.name);
  if (one.kind === "select") {
    const object = schemaOf(one.object, declared);
    const found = object === undefined ? undefined : memberSchema(object, one.field);
    return found === "unknown" ? undefined : found;
  }
  if (one.kind !== "index") return undefined;
  const object = schemaOf(one.object, declared);
  const items = object?.items ?? object?.additionalProperties;
  return isObject(items) ? items : undefined;
}

function memberSchema(schema: Json, field: string): Json | "unknown" | undefined {
  if (isObject(schema.additionalProperties)) return schema.additionalProperties;
  if (schema["x-kubernetes-preserve-unknown-fields"] === true || schema.additionalProperties === true) return undefined;
  if (textAt(schema, "type") !== "object" || !isObject(schema.properties)) {
    return textAt(schema, "type") === "" || schema["x-kubernetes-int-or-string"] === true ? undefined : "unknown";
  }
  const found = [field, unescapeMember(field)].find((name) => Object.hasOwn(objectOf(schema.properties), name));
  const property = found === undefined ? undefined : objectOf(schema.properties)[found];
  return isObject(property) ? property : "unknown";
}

function objectOf(value: unknown): Json {
  return isObject(value) ? value : {};
}

const TRUTHS: ReadonlySet<string> = new Set(["&&", "||", "==", "!=", "<", "<=", ">", ">=", "in"]);

/** The type an expression has whatever it is about; undefined when it depends. */
function certainType(one: Expression): string | undefined {
  switch (one.kind) {
    case "literal":
      return typeof one.value === "boolean" ? "bool" : typeof one.value === "string" ? "string" : "other";
    case "list":
    case "map":
      return "other";
    case "has":
      return "bool";
    case "unary":
      return one.operator === "!" ? "bool" : "other";
    case "binary":
      return TRUTHS.has(one.operator) ? "bool" : undefined;
    case "macro":
      return one.name === "map" || one.name === "filter" ? "other" : "bool";
    default:
      return undefined;
  }
}
