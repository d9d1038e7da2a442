export type Loose = Readonly<Record<string, unknown>>;

/** Readers for objects of any shape: what is not of the asked type counts as absent. */
export function record(value: unknown): Loose {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}
export function records(value: unknown): readonly Loose[] {
  return Array.isArray(value) ? value.map(record) : [];
}
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
export function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}
export function number(value: unknown, fallback: number): number {
  return typeof value === "number" && Number.isFinite(value) ? value : fallback;
}
