import type { Log } from "#runtime/log";
import type { Engine } from "./context.ts";
import { textAt } from "./json.ts";
import { bucketOf } from "./resource.ts";

const TTL_MS = 3_600_000;
const BUCKETS = [bucketOf("", "events"), bucketOf("events.k8s.io", "events")];

/** Removes Events that nothing has renewed for an hour, as the real server does. */
export function expireEvents(engine: Engine, log: Log): void {
  const { store, clock } = engine;
  const oldest = clock.now() - TTL_MS;
  let removed = 0;
  for (const bucket of BUCKETS) {
    for (const entry of store.list(bucket)) {
      const times = [
        ["lastTimestamp"],
        ["eventTime"],
        ["series", "lastObservedTime"],
        ["metadata", "creationTimestamp"],
      ];
      const latest = Math.max(...times.map((path) => Date.parse(textAt(entry.object, ...path)) || 0));
      if (latest >= oldest) continue;
      store.remove(bucket, entry.key, entry.revision);
      removed++;
    }
  }
  if (removed > 0) log.debug("events expired", { removed });
}
