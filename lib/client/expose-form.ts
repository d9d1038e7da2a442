import type { PoolRow } from "#api/dashboard/pools";
import type { ExposeBody, ServiceRow } from "#api/dashboard/services";

/** What the popover holds while it is filled in. */
export interface ExposeForm {
  /** Pool name; "" leaves the choice to the controller. */
  readonly pool: string;
  /** "" takes the first free address. */
  readonly address: string;
  /** "443 to 8443", comma-separated. */
  readonly ports: string;
  readonly policy: "Cluster" | "Local";
}

/** Ports as people write them: "80 to 8080, 53 to 53/UDP"; the target is left out when it is the same. */
export function portsText(ports: ServiceRow["ports"]): string {
  return ports
    .map((port) => {
      const protocol = port.protocol === "TCP" ? "" : `/${port.protocol}`;
      return port.targetPort === String(port.port) || port.targetPort === ""
        ? `${port.port}${protocol}`
        : `${port.port} to ${port.targetPort}${protocol}`;
    })
    .join(", ");
}

type Port = NonNullable<ExposeBody["ports"]>[number];

/** Reads `portsText` back. An error names the part that is wrong and what would be right. */
export function parsePorts(text: string): { readonly ports: readonly Port[] } | { readonly error: string } {
  const ports: Port[] = [];
  for (const part of text.split(",").map((piece) => piece.trim())) {
    const match = /^(\d+)(?:\s+to\s+([a-z0-9-]+))?(?:\/(tcp|udp))?$/i.exec(part);
    if (match === null)
      return {
        error: part === "" ? "A port is needed, such as 80 to 8080" : `“${part}” is no port; 80 to 8080 would be`,
      };
    const port = Number(match[1]);
    if (port < 1 || port > 65_535) return { error: `${port} is no port: 1 to 65535` };
    const target = match[2];
    const targetPort = target === undefined ? undefined : /^\d+$/.test(target) ? Number(target) : target;
    if (typeof targetPort === "number" && (targetPort < 1 || targetPort > 65_535))
      return { error: `${targetPort} is no port: 1 to 65535` };
    const protocol = match[3]?.toUpperCase() === "UDP" ? "UDP" : "TCP";
    ports.push({ port, protocol, ...(targetPort === undefined ? {} : { targetPort }) });
  }
  return { ports };
}

/** The pool that a click on Expose takes: automatic ones by priority, then name, that have an address left. */
export function preferredPool(pools: readonly PoolRow[], namespace: string): string {
  const fits = pools.filter(
    (pool) =>
      pool.valid &&
      pool.autoAssign &&
      hasSpace(pool) &&
      (pool.namespaces.length === 0 || pool.namespaces.includes(namespace) || pool.namespaceSelectors.length > 0),
  );
  const rank = (pool: PoolRow) =>
    pool.priority === null || pool.priority === 0 ? Number.POSITIVE_INFINITY : pool.priority;
  const sorted = [...fits].sort(
    (a, b) =>
      Number(a.advertisedBy.length === 0) - Number(b.advertisedBy.length === 0) ||
      rank(a) - rank(b) ||
      (a.name < b.name ? -1 : 1),
  );
  return sorted[0]?.name ?? "";
}

export function hasSpace(pool: PoolRow): boolean {
  return [pool.ipv4, pool.ipv6].some((use) => use !== null && use.available !== "0");
}

export function nextFree(pool: PoolRow | undefined): string | null {
  return pool?.ipv4?.nextFree ?? pool?.ipv6?.nextFree ?? null;
}

/** The form as a request body; only what differs from the Service is sent. Null with the message when a port is wrong. */
export function exposeBody(
  form: ExposeForm,
  row: ServiceRow,
): { readonly body: ExposeBody } | { readonly error: string } {
  const unchanged = form.ports.trim() === portsText(row.ports);
  const parsed = unchanged ? { ports: [] } : parsePorts(form.ports);
  if ("error" in parsed) return parsed;
  return {
    body: {
      ...(form.pool === "" ? {} : { pool: form.pool }),
      ...(form.address.trim() === "" ? {} : { address: form.address.trim() }),
      ...(unchanged ? {} : { ports: [...parsed.ports] }),
      externalTrafficPolicy: form.policy,
    },
  };
}
