import type { ActivityRow } from "#api/dashboard/activity";

/** One line of "Recent changes". */
interface Change {
  readonly id: string;
  readonly at: string;
  readonly warning: boolean;
  /** Printed strong: a Service, a pool, a node. */
  readonly subject: string;
  readonly text: string;
  readonly count: number;
  /** Reason and message as the Event has them. */
  readonly original: string;
}

const ANNOUNCING = /announcing from node "([^"]+)"/;
const ASSIGNED = /^Assigned IP \["?([^"\]]+(?:"[, ]+"[^"\]]+)*)"?\]$/;
const REFUSED = /^Failed to allocate IP for "[^"]*": /;
const NODE_STATE: ReadonlyMap<string, string> = new Map([
  ["NodeReady", "is ready"],
  ["NodeNotReady", "is not ready"],
  ["Rebooted", "was started again"],
]);
/** How often a probe must fail before it is more than a start that took its time. */
const SICK = 3;

/** The newest changes, the newest first: what happened to Services, pools and nodes, and what went wrong anywhere. */
export function changes(rows: readonly ActivityRow[], limit: number): readonly Change[] {
  const announcer = new Map<string, string>();
  const told: Change[] = [];
  for (const row of [...rows].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))) {
    if (isChatter(row)) continue;
    told.push({
      id: row.id,
      at: row.at,
      warning: row.type === "Warning",
      subject: subject(row.object),
      text: words(row, announcer),
      count: row.count,
      original: `${row.reason}: ${row.message}`,
    });
  }
  return told.slice(-limit).reverse();
}

/** Every pod that starts says so four times; Health shows the pods. */
function isChatter(row: ActivityRow): boolean {
  if (row.object.startsWith("Node ")) return row.type === "Normal" && !NODE_STATE.has(row.reason);
  if (!/^(Pod|ReplicaSet|DaemonSet|Deployment) /.test(row.object)) return false;
  return row.type === "Normal" || (row.reason === "Unhealthy" && row.count < SICK);
}

function words(row: ActivityRow, announcer: Map<string, string>): string {
  const node = row.reason === "nodeAssigned" ? ANNOUNCING.exec(row.message)?.[1] : undefined;
  if (node !== undefined) {
    const before = announcer.get(row.object);
    announcer.set(row.object, node);
    return before === undefined || before === node ? `announced by ${node}` : `moved from ${before} to ${node}`;
  }
  const state = row.object.startsWith("Node ") ? NODE_STATE.get(row.reason) : undefined;
  if (state !== undefined) return state;
  const addresses = ASSIGNED.exec(row.message)?.[1];
  if (addresses !== undefined) return `got ${addresses.replaceAll(/"[, ]+"/g, " and ")}`;
  return row.message.replace(REFUSED, "waits for an address: ");
}

/** "Service default/nginx" → "default/nginx"; "Pod x/nginx-app-6c9f7d8b5-h7vjd" → "nginx-app…h7vjd". */
function subject(object: string): string {
  const [kind = "", name = ""] = object.split(" ");
  const bare = name.slice(name.indexOf("/") + 1);
  if (kind === "Pod") {
    const match = /^(.*?)-[a-z0-9]{8,10}-([a-z0-9]{5})$/.exec(bare);
    return match === null ? bare : `${match[1]}…${match[2]}`;
  }
  return kind === "Service" || kind === "Node" ? name : `${kind} ${bare}`.trim();
}
