import type { ServiceRow, ServiceStatus } from "#api/dashboard/services";
import { addressRank } from "#client/format";

export type ServiceTab = "balancers" | "exposable" | "foreign";
export type SortKey = "urgency" | "name" | "address" | "age";

/** Which list a Service belongs to. Every type has a place: what cannot be exposed says why there. */
export function tabOf(row: ServiceRow): ServiceTab {
  if (row.status === "not_ours") return "foreign";
  return row.type === "LoadBalancer" ? "balancers" : "exposable";
}

/** The order of urgency, which is also that of the facets. */
const STATUSES: readonly ServiceStatus[] = [
  "conflict",
  "pending",
  "not_announced",
  "not_reachable",
  "no_ready_pods",
  "in_progress",
  "unknown",
  "ready",
  "not_exposed",
  "not_ours",
];
const URGENCY = new Map(STATUSES.map((status, index) => [status, index]));

/** Facets as the mock orders them: what works first, then what does not. Only those that occur. */
export function facets(
  rows: readonly ServiceRow[],
): readonly { readonly status: ServiceStatus; readonly count: number }[] {
  const counts = new Map<ServiceStatus, number>();
  for (const row of rows) counts.set(row.status, (counts.get(row.status) ?? 0) + 1);
  const order: readonly ServiceStatus[] = [
    "ready",
    "in_progress",
    ...STATUSES.filter((s) => s !== "ready" && s !== "in_progress"),
  ];
  return order.flatMap((status) => {
    const count = counts.get(status);
    return count === undefined ? [] : [{ status, count }];
  });
}

/** Every word of the text must occur in name, address, port, pool, node or type. */
export function matches(row: ServiceRow, text: string): boolean {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return true;
  const hay = [
    row.key,
    row.type,
    ...row.addresses,
    ...row.ports.map((port) => String(port.port)),
    row.pool ?? row.requestedPool ?? "",
    ...row.announcedBy,
  ]
    .join(" ")
    .toLowerCase();
  return words.every((word) => hay.includes(word));
}

export function filterServices(
  rows: readonly ServiceRow[],
  filter: { readonly text: string; readonly status: ServiceStatus | null },
): readonly ServiceRow[] {
  return rows.filter((row) => (filter.status === null || row.status === filter.status) && matches(row, filter.text));
}

/** By the key, then by name. Each row is looked at once, not once per comparison: lists have thousands. */
export function sortServices(rows: readonly ServiceRow[], key: SortKey): readonly ServiceRow[] {
  const rank = RANK[key];
  return rows
    .map((row) => ({ row, rank: rank(row) }))
    .sort((a, b) => {
      if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1;
      return a.row.key < b.row.key ? -1 : a.row.key > b.row.key ? 1 : 0;
    })
    .map(({ row }) => row);
}

/** What a row is sorted by; the lesser comes first. */
const RANK: Readonly<Record<SortKey, (row: ServiceRow) => number | string>> = {
  urgency: (row) => (URGENCY.get(row.status) ?? 99) * 2 + Number(row.exposeBlockedBy !== null),
  name: () => 0,
  address: ({ addresses: [first] }) => (first === undefined ? "9" : addressRank(first)),
  // The youngest first.
  age: (row) => -Date.parse(row.createdAt),
};

/**
 * The order to draw while the pointer is over the table: what was drawn stays
 * where it is, what is new goes to the end, what is gone leaves. `waiting` is
 * how many rows would move.
 */
export function freeze(
  drawn: readonly string[] | null,
  wanted: readonly string[],
): { readonly keys: readonly string[]; readonly waiting: number } {
  if (drawn === null) return { keys: wanted, waiting: 0 };
  const now = new Set(wanted);
  const before = new Set(drawn);
  const stay = drawn.filter((key) => now.has(key));
  const fresh = wanted.filter((key) => !before.has(key));
  const keys = [...stay, ...fresh];
  let waiting = 0;
  for (let index = 0; index < keys.length; index += 1) if (keys[index] !== wanted[index]) waiting += 1;
  return { keys, waiting };
}
