import type { IPAddressPool } from "#api/metallb";
import { IP_ADDRESS_POOLS } from "#api/resources";
import type { Allocator } from "#core/allocate";
import { saturateInt64 } from "#core/pool-count";
import type { Cluster, ObjectCache } from "#kube/port";
import type { Reconcile } from "#runtime/loop";
import { Latest } from "./latest.ts";

/** Keeps the four counters in a pool's status; writes only when one of them is wrong. A pool not in force is left alone. */
export function poolStatusReconciler(deps: {
  readonly cluster: Cluster;
  readonly pools: ObjectCache<IPAddressPool>;
  readonly allocator: Allocator;
}): Reconcile {
  const { cluster, pools, allocator } = deps;
  const latest = new Latest(pools);
  return async (key, signal) => {
    const pool = latest.get(key);
    const name = pool?.metadata.name ?? "";
    if (pool === undefined || !allocator.pools.some((view) => view.name === name)) return {};
    const status = countersOf(allocator, name);
    const has = pool.status ?? {};
    if (Object.entries(status).every(([field, value]) => has[field] === value)) return {};
    const body = { metadata: { resourceVersion: pool.metadata.resourceVersion }, status };
    const at = { name, namespace: pool.metadata.namespace };
    latest.put(key, await cluster.patch(IP_ADDRESS_POOLS, at, { kind: "merge", subresource: "status", body, signal }));
    return {};
  };
}

function countersOf({ ledger }: Allocator, pool: string) {
  const assigned = (family: 4 | 6) => ledger.inUse(pool, family);
  const available = (family: 4 | 6) => saturateInt64(ledger.capacity(pool, family) - BigInt(assigned(family)));
  return {
    assignedIPv4: assigned(4),
    assignedIPv6: assigned(6),
    availableIPv4: available(4),
    availableIPv6: available(6),
  };
}
