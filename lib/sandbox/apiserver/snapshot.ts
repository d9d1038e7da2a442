import type { Entry, Store } from "#sandbox/store/types";

/**
 * The objects of a bucket as they were at `revision`, by key: the newest ones with every later change undone. Throws
 * Fault `gone` when the changes since then are no longer known. Costs a copy only when something changed.
 */
export function entriesAt(
  store: Store,
  bucket: string,
  namespace: string | undefined,
  revision: number,
): readonly Entry[] {
  const newest = store.list(bucket, namespace);
  const later = store.since(bucket, revision);
  if (later.length === 0) return newest;
  const prefix = namespace === undefined ? "" : `${namespace}/`;
  const then = new Map<string, Entry | undefined>();
  // The first change after `revision` says what was there at that time.
  for (const { key, before } of later) if (key.startsWith(prefix) && !then.has(key)) then.set(key, before);
  if (then.size === 0) return newest;
  const unchanged = newest.filter((entry) => !then.has(entry.key));
  const changed = [...then.values()].filter((entry) => entry !== undefined);
  return [...unchanged, ...changed].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}
