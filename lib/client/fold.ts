import { rowName } from "#api/dashboard/row-name";
import type { RowOf, StreamMessage, Topic } from "#api/dashboard/stream";

/** Topics that only grow: the browser keeps the newest this many. */
const KEEP: Partial<Record<Topic, number>> = { activity: 500, operations: 200 };

type RowsMessage = Extract<StreamMessage, { kind: "snapshot" | "delta" }>;

/**
 * The rows of a topic after a message. Pure; a row that did not change keeps
 * its identity and its place, new rows are appended, and a delta before any
 * snapshot starts from nothing.
 */
export function fold<T extends Topic>(
  rows: readonly RowOf<T>[] | undefined,
  message: RowsMessage & { readonly topic: T },
): readonly RowOf<T>[] {
  if (message.kind === "snapshot") return keep(message.topic, message.rows as RowOf<T>[]);
  if (message.topic === "session")
    return (message.upserts.slice(-1) as RowOf<T>[]).concat(message.upserts.length ? [] : [...(rows ?? [])]);
  const removed = new Set(message.removes);
  const fresh = new Map<string, RowOf<T>>();
  for (const row of message.upserts) fresh.set(rowName(message.topic, row), row as RowOf<T>);
  const next: RowOf<T>[] = [];
  for (const row of rows ?? []) {
    const name = rowName(message.topic, row);
    if (removed.has(name) && !fresh.has(name)) continue;
    const newer = fresh.get(name);
    fresh.delete(name);
    next.push(newer ?? row);
  }
  next.push(...fresh.values());
  return keep(message.topic, next);
}

function keep<T extends Topic>(topic: T, rows: readonly RowOf<T>[]): readonly RowOf<T>[] {
  const limit = KEEP[topic];
  return limit === undefined || rows.length <= limit ? rows : rows.slice(rows.length - limit);
}
