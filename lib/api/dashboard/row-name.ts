import type { Topic } from "./stream.ts";

/** The field that names a row within its topic. Here alone, so that browsers need no schema for it. */
export const ROW_KEY = {
  session: "cluster",
  services: "key",
  pools: "name",
  advertisements: "name",
  nodes: "name",
  components: "component",
  operations: "id",
  activity: "id",
  probes: "id",
} as const satisfies Record<Topic, string>;

/** The name of a row on the wire and in the browser; the one row of `session` is named "session". */
export function rowName(topic: Topic, row: unknown): string {
  if (topic === "session") return "session";
  const value = typeof row === "object" && row !== null ? (row as Record<string, unknown>)[ROW_KEY[topic]] : undefined;
  return String(value);
}
