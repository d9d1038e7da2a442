import type { Selector } from "#core/selector";

type Unsound = Readonly<Record<string, unknown>>;

/** Readers for values of which only a CRD says what they are: wrong types become values that are refused later, in words. */
export function asObject(value: unknown): Unsound {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Unsound) : {};
}

/** Absent and anything that is no list are the empty list. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Texts as they are; anything else as its JSON, which is no address and nobody's name. */
export function asTexts(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return [JSON.stringify(value)];
  return value.every((item) => typeof item === "string") ? value : value.map(asText);
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** A selector that cannot be read must not select everything, so it becomes one that is invalid. */
const UNREADABLE: Selector = { matchExpressions: [{ key: "", operator: "" }] };

export function asSelectors(value: unknown): readonly Selector[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return [UNREADABLE];
  return value.every(isSelector) ? value : value.map((item) => (isSelector(item) ? item : UNREADABLE));
}

function isSelector(value: unknown): value is Selector {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { matchLabels = {}, matchExpressions = [] } = value as Unsound;
  return (
    typeof matchLabels === "object" &&
    matchLabels !== null &&
    Object.values(matchLabels).every((label) => typeof label === "string") &&
    Array.isArray(matchExpressions) &&
    matchExpressions.every(isRequirement)
  );
}

function isRequirement(value: unknown): boolean {
  const { key, operator, values = [] } = asObject(value);
  return (
    typeof key === "string" &&
    typeof operator === "string" &&
    Array.isArray(values) &&
    values.every((text) => typeof text === "string")
  );
}
