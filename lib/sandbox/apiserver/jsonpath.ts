import type { JsonValue } from "#sandbox/kinds/definition";
import { equal, isObject } from "./json.ts";

type Step =
  | { readonly kind: "member"; readonly name: string }
  | { readonly kind: "all" }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "filter"; readonly path: readonly Step[]; readonly equals: JsonValue };

/**
 * Compiles the JSONPath that printer columns use: `.a.b`, `['a.b']`, `[0]`, `[-1]`, `[*]`, `[?(@.type=="Ready")]`.
 * Returns undefined for a path it cannot read.
 */
export function parseJsonPath(text: string): ((value: JsonValue) => readonly JsonValue[]) | undefined {
  const steps = parseSteps(text.replace(/^\{|\}$/g, "").replace(/^\$/, ""));
  if (steps === undefined) return undefined;
  return (value) => walk(value, steps).filter((found) => found !== undefined);
}

function parseSteps(text: string): Step[] | undefined {
  const steps: Step[] = [];
  let rest = text;
  while (rest !== "") {
    const member = /^\.((?:\\.|[^.[\\])+)/.exec(rest);
    const quoted = /^\[(?:'([^']*)'|"([^"]*)")\]/.exec(rest);
    const index = /^\[(-?\d+)\]/.exec(rest);
    const filter = /^\[\?\(\s*@((?:\.[\w-]+)+)\s*==\s*(?:"([^"]*)"|'([^']*)'|([\w.-]+))\s*\)\]/.exec(rest);
    const all = /^(?:\[\*\]|\.\*)/.exec(rest);
    const found = all ?? filter ?? index ?? quoted ?? member;
    if (found === null) return undefined;
    if (all !== null) steps.push({ kind: "all" });
    else if (filter !== null) {
      const path = parseSteps(filter[1] ?? "");
      if (path === undefined) return undefined;
      steps.push({ kind: "filter", path, equals: filter[2] ?? filter[3] ?? literal(filter[4] ?? "") });
    } else if (index !== null) steps.push({ kind: "index", index: Number(index[1]) });
    else if (quoted !== null) steps.push({ kind: "member", name: quoted[1] ?? quoted[2] ?? "" });
    else if (member !== null) steps.push({ kind: "member", name: (member[1] ?? "").replace(/\\(.)/g, "$1") });
    rest = rest.slice(found[0].length);
  }
  return steps;
}

function literal(text: string): JsonValue {
  if (text === "true" || text === "false") return text === "true";
  return Number.isNaN(Number(text)) ? text : Number(text);
}

function walk(value: JsonValue, steps: readonly Step[]): readonly JsonValue[] {
  let current: readonly JsonValue[] = [value];
  for (const step of steps) current = current.flatMap((item) => take(item, step));
  return current;
}

function take(item: JsonValue, step: Step): readonly JsonValue[] {
  switch (step.kind) {
    case "member":
      return isObject(item) && Object.hasOwn(item, step.name) ? [item[step.name]] : [];
    case "all":
      return Array.isArray(item) ? item : isObject(item) ? Object.values(item) : [];
    case "index":
      return Array.isArray(item) ? [item.at(step.index)] : [];
    case "filter":
      return Array.isArray(item)
        ? item.filter((candidate) => walk(candidate, step.path).some((found) => equal(found, step.equals)))
        : [];
  }
}
