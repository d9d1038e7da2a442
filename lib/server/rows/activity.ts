import type { ActivityRow } from "#api/dashboard/activity";
import type { CoreEvent } from "#api/kubernetes/cluster";
import { COMPONENT } from "#api/names";

/** How many of the newest Events are kept as rows. */
const ACTIVITY_ROWS = 200;

const KINDS = new Set(["Service", "IPAddressPool", "L2Advertisement", "BGPAdvertisement", "BGPPeer", "Node"]);
const COMPONENTS = new Set<string>([COMPONENT.controller, COMPONENT.speaker]);

/** The Events that concern load balancing, the newest first. */
export function activityRows(events: readonly CoreEvent[], namespace: string): readonly ActivityRow[] {
  return events
    .filter((event) => concerns(event, namespace))
    .map(activityRow)
    .sort((a, b) => (a.at === b.at ? (a.id < b.id ? -1 : 1) : a.at > b.at ? -1 : 1))
    .slice(0, ACTIVITY_ROWS);
}

function concerns(event: CoreEvent, namespace: string): boolean {
  if (COMPONENTS.has(componentOf(event))) return true;
  if (KINDS.has(event.involvedObject.kind ?? "")) return true;
  return event.involvedObject.namespace === namespace;
}

function activityRow(event: CoreEvent): ActivityRow {
  const { kind = "Object", namespace, name = "" } = event.involvedObject;
  const at = event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? event.metadata.creationTimestamp ?? "";
  return {
    id: event.metadata.uid ?? `${event.metadata.namespace}/${event.metadata.name}`,
    at: normalised(at),
    type: event.type === "Warning" ? "Warning" : "Normal",
    reason: event.reason ?? "",
    object: `${kind} ${namespace === undefined || namespace === "" ? name : `${namespace}/${name}`}`,
    message: event.message ?? "",
    component: componentOf(event),
    count: event.count ?? 1,
  };
}

function componentOf(event: CoreEvent): string {
  return event.source?.component || event.reportingComponent || "";
}

/** `eventTime` has microseconds and `lastTimestamp` seconds; one form sorts as text. */
function normalised(time: string): string {
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? time : new Date(parsed).toISOString();
}
