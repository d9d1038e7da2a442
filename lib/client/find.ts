import type { NodeRow } from "#api/dashboard/nodes";
import type { PoolRow } from "#api/dashboard/pools";
import type { ServiceRow } from "#api/dashboard/services";

/** One thing the command box can go to. */
export interface Hit {
  readonly id: string;
  readonly kind: "page" | "service" | "pool" | "address" | "node" | "action";
  readonly label: string;
  readonly detail: string;
  readonly href: string;
}

interface Findable {
  readonly services: readonly ServiceRow[];
  readonly pools: readonly PoolRow[];
  readonly nodes: readonly NodeRow[];
}

const FIXED: readonly Hit[] = [
  { id: "p-overview", kind: "page", label: "Overview", detail: "Page", href: "/" },
  { id: "p-services", kind: "page", label: "Services", detail: "Page", href: "/services" },
  { id: "p-pools", kind: "page", label: "Pools", detail: "Page", href: "/pools" },
  { id: "p-traffic", kind: "page", label: "Traffic", detail: "Page", href: "/traffic" },
  { id: "p-health", kind: "page", label: "Health", detail: "Page", href: "/health" },
  {
    id: "a-expose",
    kind: "action",
    label: "Expose a Service",
    detail: "Action",
    href: "/services?tab=exposable&expose=pick",
  },
  { id: "a-pool", kind: "action", label: "New pool", detail: "Action", href: "/pools?new=pool" },
  { id: "a-probe", kind: "action", label: "Start a probe", detail: "Action", href: "/traffic?new=probe" },
];

const LIMIT = 12;

/** Link to the detail of a Service. */
export function serviceHref(key: string): string {
  return `/services?service=${encodeURIComponent(key).replace("%2F", "/")}`;
}

export function poolHref(name: string): string {
  return `/pools?pool=${encodeURIComponent(name)}`;
}

/** Best first: names that begin with the text, then names that contain it, then details. Pages and verbs when empty. */
export function find(text: string, rows: Findable): readonly Hit[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return FIXED;
  const all: Hit[] = [...FIXED];
  for (const row of rows.services) {
    all.push({
      id: `s-${row.key}`,
      kind: "service",
      label: row.key,
      detail: `Service, ${row.type}`,
      href: serviceHref(row.key),
    });
    for (const address of row.addresses)
      all.push({
        id: `i-${row.key}-${address}`,
        kind: "address",
        label: address,
        detail: row.key,
        href: serviceHref(row.key),
      });
  }
  for (const row of rows.pools)
    all.push({
      id: `o-${row.name}`,
      kind: "pool",
      label: row.name,
      detail: row.addresses.join(", "),
      href: poolHref(row.name),
    });
  for (const row of rows.nodes)
    all.push({
      id: `n-${row.name}`,
      kind: "node",
      label: row.name,
      detail: row.addresses.join(", "),
      href: "/health#nodes",
    });
  return all
    .map((hit) => ({ hit, rank: rank(hit, wanted) }))
    .filter(({ rank }) => rank < 4)
    .sort((a, b) => a.rank - b.rank || a.hit.label.localeCompare(b.hit.label, "en", { numeric: true }))
    .slice(0, LIMIT)
    .map(({ hit }) => hit);
}

function rank(hit: Hit, wanted: string): number {
  const label = hit.label.toLowerCase();
  if (label === wanted) return 0;
  if (label.startsWith(wanted) || label.split("/").some((part) => part.startsWith(wanted))) return 1;
  if (label.includes(wanted)) return 2;
  return hit.detail.toLowerCase().includes(wanted) ? 3 : 4;
}
