import { invalid, required } from "#sandbox/kinds/causes";
import type { Cause, Json, JsonValue } from "#sandbox/kinds/definition";
import { at, equal, isObject, listAt, textAt, textList } from "../json.ts";
import type { Expression } from "./ast.ts";
import { type Compiled, compileCel, type Declarations } from "./check.ts";
import { type Budget, evaluate, OVER_BUDGET } from "./evaluate.ts";
import { fromJson } from "./from-json.ts";
import { CelError, Optional, type Value } from "./values.ts";

/** Steps that the rules of one object may take in all (well under a second). */
const STEPS_MAX = 1_000_000;
const MESSAGE_MAX = 5 * 1024;

interface Rule {
  readonly rule: Json;
  readonly expression: Expression;
  readonly message: Expression | undefined;
  /** Looks at `oldSelf`: runs on updates only, unless `optionalOldSelf`. */
  readonly transition: boolean;
  readonly optional: boolean;
}

/** The rules of a schema and of what is below it; only branches that have rules are kept. */
export interface RuleTree {
  readonly schema: Json;
  readonly rules: readonly Rule[];
  readonly properties: ReadonlyMap<string, RuleTree>;
  readonly items: RuleTree | undefined;
  readonly additional: RuleTree | undefined;
}

/** Reads every `x-kubernetes-validations` of a schema; undefined when there is none. Rules that cannot be read are left out. */
export function compileRules(schema: Json, root = true): RuleTree | undefined {
  const below = (part: JsonValue) => (isObject(part) ? compileRules(part, false) : undefined);
  const properties = new Map<string, RuleTree>();
  for (const [name, part] of Object.entries(objectOf(schema.properties))) {
    const tree = below(part);
    if (tree !== undefined) properties.set(name, tree);
  }
  const items = below(schema.items);
  const additional = below(schema.additionalProperties);
  const shown = root ? withType(schema) : schema;
  const rules = listAt(schema, "x-kubernetes-validations")
    .filter(isObject)
    .flatMap((rule) => compileRule(rule, shown));
  if (rules.length === 0 && properties.size === 0 && items === undefined && additional === undefined) return undefined;
  return { schema: shown, rules, properties, items, additional };
}

function compileRule(rule: Json, schema: Json): readonly Rule[] {
  const compiled = compiledRule(rule, schema);
  if (compiled.kind === "refused") return [];
  const message = compiledMessage(rule, schema);
  return [
    {
      rule,
      expression: compiled.expression,
      message: message?.kind === "program" ? message.expression : undefined,
      transition: compiled.names.has("oldSelf"),
      optional: rule.optionalOldSelf === true,
    },
  ];
}

function compiledRule(rule: Json, schema: Json): Compiled {
  return compileCel(textAt(rule, "rule"), declarationsOf(rule, schema), "bool");
}

function compiledMessage(rule: Json, schema: Json): Compiled | undefined {
  const text = textAt(rule, "messageExpression");
  return text === "" ? undefined : compileCel(text, declarationsOf(rule, schema), "string");
}

function declarationsOf(rule: Json, schema: Json): Declarations {
  return new Map([
    ["self", schema],
    ["oldSelf", rule.optionalOldSelf === true ? undefined : schema],
  ]);
}

/** At the root every object has a type and a name. */
function withType(schema: Json): Json {
  const text: Json = { type: "string" };
  const metadata: Json = { type: "object", properties: { name: text, generateName: text } };
  return { ...schema, properties: { ...objectOf(schema.properties), apiVersion: text, kind: text, metadata } };
}

const REASONS = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/** What is wrong with the rules of a schema, for whoever writes the CustomResourceDefinition; `path` is the schema's. */
export function ruleCauses(schema: JsonValue, path: string, root = true): readonly Cause[] {
  if (!isObject(schema)) return [];
  const shown = root ? withType(schema) : schema;
  const own = listAt(schema, "x-kubernetes-validations").flatMap((rule, index) => {
    const here = `${path}.x-kubernetes-validations[${index}]`;
    if (!isObject(rule)) return [];
    if (textAt(rule, "rule").trim() === "") return [required(`${here}.rule`, "rule is not specified")];
    const compiled = compiledRule(rule, shown);
    const message = compiledMessage(rule, shown);
    const reason = textAt(rule, "reason");
    return [
      ...(compiled.kind === "refused" ? [invalid(`${here}.rule`, rule, compiled.message)] : []),
      ...(message?.kind === "refused"
        ? [invalid(`${here}.messageExpression`, rule, `messageExpression ${message.message}`)]
        : []),
      ...(/[\n\r]/.test(textAt(rule, "message"))
        ? [invalid(`${here}.message`, rule.message, "message must not contain line breaks")]
        : []),
      ...(reason === "" || REASONS.includes(reason)
        ? []
        : [
            {
              reason: "FieldValueNotSupported",
              field: `${here}.reason`,
              message: `Unsupported value: ${JSON.stringify(reason)}: supported values: ${REASONS.map((one) => JSON.stringify(one)).join(", ")}`,
            } as const,
          ]),
    ];
  });
  const below = Object.entries(objectOf(schema.properties)).flatMap(([name, part]) =>
    ruleCauses(part, `${path}.properties[${name}]`, false),
  );
  return [
    ...own,
    ...below,
    ...ruleCauses(schema.items, `${path}.items`, false),
    ...ruleCauses(schema.additionalProperties, `${path}.additionalProperties`, false),
  ];
}

/** Every rule that `object` breaks. Bounded in work; never throws. */
export function brokenRules(tree: RuleTree, object: Json, old: Json | undefined): readonly Cause[] {
  const { name, generateName } = objectOf(object.metadata);
  const rootOf = (one: Json): Json => ({ ...one, metadata: { name, generateName } });
  const run: Run = { causes: [], budget: { left: STEPS_MAX } };
  walk(run, tree, rootOf(object), old === undefined ? undefined : rootOf(old), "");
  return run.causes;
}

interface Run {
  readonly causes: Cause[];
  readonly budget: Budget;
}

function walk(run: Run, tree: RuleTree, value: JsonValue, old: JsonValue, path: string): void {
  if (value === undefined || value === null || run.budget.left < 0) return;
  if (tree.rules.length > 0) checkRules(run, tree, value, old, path);
  if (Array.isArray(value)) {
    if (tree.items === undefined) return;
    const before = correlated(tree.schema, old);
    for (const [index, item] of value.entries()) walk(run, tree.items, item, before(item), `${path}[${index}]`);
    return;
  }
  if (!isObject(value)) return;
  for (const [key, member] of Object.entries(value)) {
    const part = tree.properties.get(key) ?? tree.additional;
    if (part !== undefined) walk(run, part, member, at(old, key), path === "" ? key : `${path}.${key}`);
  }
}

/** Which old item a new one of a list is: known for lists of type map only. */
function correlated(schema: Json, old: JsonValue): (item: JsonValue) => JsonValue {
  if (textAt(schema, "x-kubernetes-list-type") !== "map" || !Array.isArray(old)) return () => undefined;
  const keys = textList(schema["x-kubernetes-list-map-keys"]);
  return (item) => old.find((one) => keys.every((key) => equal(at(one, key), at(item, key))));
}

function checkRules(run: Run, tree: RuleTree, value: JsonValue, old: JsonValue, path: string): void {
  const unchanged = old !== undefined && equal(value, old);
  const self = fromJson(value, tree.schema);
  const oldSelf = old === undefined || old === null ? undefined : fromJson(old, tree.schema);
  for (const one of tree.rules) {
    if (one.transition && oldSelf === undefined && !one.optional) continue;
    // What was so before may stay so: a rule that came later must not block other changes (ratcheting).
    if (!one.transition && unchanged) continue;
    const variables = new Map<string, Value>([["self", self]]);
    if (one.optional) variables.set("oldSelf", new Optional(oldSelf));
    else if (oldSelf !== undefined) variables.set("oldSelf", oldSelf);
    const type = textAt(tree.schema, "type") || "object";
    const why = verdict(run, one, variables);
    if (why !== undefined) run.causes.push(causeOf(one.rule, type, path, why));
    if (run.budget.left < 0) return;
  }
}

/** Why the rule does not hold; undefined when it does. */
function verdict(run: Run, one: Rule, variables: ReadonlyMap<string, Value>): string | undefined {
  const fallback = textAt(one.rule, "message").trim();
  const name = fallback || textAt(one.rule, "rule").trim();
  try {
    if (evaluate(one.expression, variables, run.budget) === true) return undefined;
  } catch (thrown) {
    if (!(thrown instanceof CelError)) throw thrown;
    const { message } = thrown;
    if (message === OVER_BUDGET) {
      return `'${message}': no further validation rules will be run due to call cost exceeds limit for rule: ${name}`;
    }
    if (message === "no such overload") {
      return `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${name}`;
    }
    return `${message} evaluating rule: ${name}`;
  }
  return said(run, one, variables) ?? (fallback || `failed rule: ${name}`);
}

/** What the rule's messageExpression says, when it is fit to be said. */
function said(run: Run, one: Rule, variables: ReadonlyMap<string, Value>): string | undefined {
  if (one.message === undefined) return undefined;
  try {
    const text = evaluate(one.message, variables, run.budget);
    const fit = typeof text === "string" && text.trim() !== "" && !text.includes("\n") && text.length <= MESSAGE_MAX;
    return fit ? text.trim() : undefined;
  } catch (thrown) {
    if (thrown instanceof CelError) return undefined;
    throw thrown;
  }
}

const WORDS: Readonly<Record<string, string>> = {
  FieldValueRequired: "Required value: ",
  FieldValueForbidden: "Forbidden: ",
};

function causeOf(rule: Json, type: string, path: string, why: string): Cause {
  const reason = REASON_OF.get(textAt(rule, "reason")) ?? "FieldValueInvalid";
  const field = `${path}${textAt(rule, "fieldPath")}`.replace(/^\./, "") || "<nil>";
  if (reason === "FieldValueDuplicate") return { reason, field, message: `Duplicate value: ${JSON.stringify(type)}` };
  const words = WORDS[reason] ?? `Invalid value: ${JSON.stringify(type)}: `;
  return { reason, field, message: `${words}${why}` };
}

const REASON_OF: ReadonlyMap<string, Cause["reason"]> = new Map([
  ["FieldValueDuplicate", "FieldValueDuplicate"],
  ["FieldValueForbidden", "FieldValueForbidden"],
  ["FieldValueRequired", "FieldValueRequired"],
]);

function objectOf(value: JsonValue): Json {
  return isObject(value) ? value : {};
}
