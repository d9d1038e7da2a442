import type { Log } from "#runtime/log";
import type { Entry } from "#sandbox/store/types";
import type { Engine } from "./context.ts";
import { textAt } from "./json.ts";
import { bucketOf } from "./resource.ts";

const TTL_MS = 3_600_000;
/** What a real cluster leaves to the size of its etcd: a day of churn must not fill this one's memory. */
const EVENTS_MAX = 5_000;
const BUCKETS = [bucketOf("", "events"), bucketOf("events.k8s.io", "events")];
const TIMES = [["lastTimestamp"], ["eventTime"], ["series", "lastObservedTime"], ["metadata", "creationTimestamp"]];

/** Removes Events that nothing has renewed for an hour, as the real server does, and the oldest of more than 5,000. */
export function expireEvents(engine: Engine, log: Log): void {
  const { store, clock } = engine;
  const oldest = clock.now() - TTL_MS;
  let removed = 0;
  for (const bucket of BUCKETS) {
    const known = store.list(bucket).map((entry) => ({ entry, at: latest(entry) }));
    const surplus = Math.max(0, known.length - EVENTS_MAX);
    known.sort((a, b) => a.at - b.at || a.entry.revision - b.entry.revision);
    for (const [index, { entry, at }] of known.entries()) {
      if (at >= oldest && index >= surplus) break;
      store.remove(bucket, entry.key, entry.revision);
      removed++;
    }
  }
  if (removed > 0) log.debug("events expired", { removed });
}

function latest({ object }: Entry): number {
  return Math.max(...TIMES.map((path) => Date.parse(textAt(object, ...path)) || 0));
}
