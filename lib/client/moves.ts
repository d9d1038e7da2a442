import type { ActivityRow } from "#api/dashboard/activity";
import type { NodeRow } from "#api/dashboard/nodes";

/** An address that one node took over from another. */
interface Move {
  readonly at: string;
  readonly service: string;
  readonly from: string | null;
  readonly to: string;
}

const ANNOUNCING = /announcing from node "([^"]+)"/;

/** Announcements as the speakers' Events tell them, oldest first; `from` is the node before, when it is known. */
export function moves(activity: readonly ActivityRow[]): readonly Move[] {
  const last = new Map<string, string>();
  const result: Move[] = [];
  for (const row of [...activity].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))) {
    const node = row.reason === "nodeAssigned" ? ANNOUNCING.exec(row.message)?.[1] : undefined;
    if (node === undefined) continue;
    const service = row.object.replace(/^Service /, "");
    const before = last.get(service) ?? null;
    if (before !== node) result.push({ at: row.at, service, from: before, to: node });
    last.set(service, node);
  }
  return result;
}

/** The newest move between two nodes; a first announcement is none. */
export function lastMove(activity: readonly ActivityRow[]): Move | undefined {
  return moves(activity).findLast((move) => move.from !== null);
}

/** How many addresses are announced, by family. */
export function announcedCount(nodes: readonly NodeRow[]): { readonly four: number; readonly six: number } {
  const all = new Set(nodes.flatMap((node) => node.announces.map((entry) => entry.address)));
  const six = [...all].filter((address) => address.includes(":")).length;
  return { four: all.size - six, six };
}
