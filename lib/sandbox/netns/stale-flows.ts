import type { FlowRule } from "#net/conntrack/flow-rule";
import type { Backend, Frontend } from "../proxy/shapes.ts";
import type { ProxyTable } from "../proxy/table.ts";

/**
 * Where the change from one table to the next leaves UDP flows behind that are
 * no longer to be there, as keys of `frontends` and `nodePorts`. The kernel
 * goes on sending a flow where its first datagram went, and a client that keeps
 * its port would never notice. Something must have gone away: an endpoint, the
 * address or NodePort itself, or the refusal of one that got its first endpoint
 * or begins to be served. As in kube-proxy (pkg/proxy/conntrack), traffic policy
 * and readiness do not count: a flow stays with an endpoint that serves while
 * it terminates. Pure.
 */
export function stalePlaces(before: ProxyTable, after: ProxyTable): readonly string[] {
  return [...changed(before.frontends, after.frontends), ...changed(before.nodePorts, after.nodePorts)];
}

/** What may stay at these places: flows to endpoints of `table`. Pure. */
export function flowRules(places: Iterable<string>, table: ProxyTable): readonly FlowRule[] {
  return [...places].map((place) => {
    const { backends } = table.frontends.get(place) ?? table.nodePorts.get(place) ?? { backends: [] };
    return { ...placeOf(place), keep: backends.map(({ address, port }) => ({ address, port })) };
  });
}

function changed(before: ReadonlyMap<string, Frontend>, after: ReadonlyMap<string, Frontend>): readonly string[] {
  const places: string[] = [];
  for (const [key, is] of after) {
    const was = before.get(key);
    // Frontends of a Service that did not change are the same objects.
    if (was !== is && is.protocol === "UDP" && leavesFlows(was?.backends ?? [], is.backends)) places.push(key);
  }
  for (const [key, was] of before) {
    if (!after.has(key) && was.protocol === "UDP" && was.backends.length > 0) places.push(key);
  }
  return places;
}

function leavesFlows(had: readonly Backend[], has: readonly Backend[]): boolean {
  if (had.length === 0) return has.length > 0;
  const kept = new Set(has.map(({ address, port }) => `${address}|${port}`));
  return had.some(({ address, port }) => !kept.has(`${address}|${port}`));
}

/** Reads `frontendKey`, or a key of `nodePorts` ("30053/UDP"). */
function placeOf(key: string): Pick<FlowRule, "address" | "port"> {
  const [address = "", port] = key.split("|");
  return port === undefined ? { address: null, port: Number.parseInt(key, 10) } : { address, port: Number(port) };
}
