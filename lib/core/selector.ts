/** A Kubernetes label selector (metav1.LabelSelector): all of its requirements must hold. */
export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?:
    | readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] | undefined }[]
    | undefined;
}

/** Labels or annotations of an object (metav1.ObjectMeta). */
export type Labels = Readonly<Record<string, string>>;

/** True when `labels` meet every requirement; the empty selector matches everything, an unknown operator nothing. */
export function selectorMatches(selector: Selector, labels: Labels | undefined): boolean {
  const own = labels ?? {};
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (labelValue(own, key) !== value) return false;
  }
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labelValue(own, key);
    switch (operator) {
      case "In":
        return value !== undefined && values.includes(value);
      case "NotIn":
        return value === undefined || !values.includes(value);
      case "Exists":
        return value !== undefined;
      case "DoesNotExist":
        return value === undefined;
      default:
        return false;
    }
  });
}

/** A list of selectors means OR; the empty list matches nothing (callers decide what an absent list means). */
export function anySelectorMatches(selectors: readonly Selector[], labels: Labels | undefined): boolean {
  return selectors.some((selector) => selectorMatches(selector, labels));
}

/** What is wrong with a selector in words, or null (metallb.md 4.1 "Selectors everywhere"). */
export function selectorProblem(selector: Selector): string | null {
  const seen = new Set<string>();
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    if (key === "") return "an expression has no key";
    const name = JSON.stringify(key);
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) return `the expression on ${name} needs values for ${operator}`;
      if (new Set(values).size !== values.length) return `the expression on ${name} repeats a value`;
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) return `the expression on ${name} takes no values with ${operator}`;
    } else {
      return `the expression on ${name} has the unknown operator ${JSON.stringify(operator)}`;
    }
    const text = `${key} ${operator} ${values.toSorted().join(",")}`;
    if (seen.has(text)) return `the expression on ${name} is written twice`;
    seen.add(text);
  }
  return null;
}

/** One text for one meaning: equal for selectors that differ only in order. */
function selectorText(selector: Selector): string {
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) => `${key} ${operator} (${values.toSorted().join(",")})`,
  );
  return [...labels.toSorted(), ...expressions.toSorted()].join(", ");
}

/** What is wrong with a list of selectors, by index: each by itself, and one that means what an earlier one does. */
export function selectorProblems(
  selectors: readonly Selector[],
): readonly (readonly [index: number, problem: string])[] {
  const seen = new Set<string>();
  return selectors.flatMap((selector, index) => {
    const isRepeated = seen.size === seen.add(selectorText(selector)).size;
    const problem = selectorProblem(selector) ?? (isRepeated ? "the selector is written twice" : null);
    return problem === null ? [] : [[index, problem] as const];
  });
}

// `labels` come from users: "constructor" must not find Object's own.
function labelValue(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
