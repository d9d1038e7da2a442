import type { ActivityRow } from "#api/dashboard/activity";
import type { Dashboard } from "./context.ts";
import { activityRows } from "./rows/activity.ts";

/** The newest Events first; `object` is matched as a whole ("Service default/nginx"). */
export function listActivity(
  on: Dashboard,
  query: { readonly limit: number; readonly object?: string | undefined },
): ActivityRow[] {
  const rows = activityRows(on.world.events.list(), on.namespace);
  return rows.filter((row) => query.object === undefined || row.object === query.object).slice(0, query.limit);
}
