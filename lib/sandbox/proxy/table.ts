import type { HealthCheck } from "./health-ports.ts";
import { frontendsOf, serviceKey } from "./service-frontends.ts";
import type { Backend, EndpointSliceLike, Frontend, ServiceLike } from "./shapes.ts";

/** Everything the proxies forward, for all nodes at once. */
export interface ProxyTable {
  /** By `frontendKey`: ClusterIPs and LoadBalancer addresses. */
  readonly frontends: ReadonlyMap<string, Frontend>;
  /** TCP and UDP node ports, keyed "30080/TCP". */
  readonly nodePorts: ReadonlyMap<string, Frontend & { readonly port: number }>;
  /** Every address that a LoadBalancer Service holds. */
  readonly loadBalancerAddresses: ReadonlySet<string>;
  /** By healthCheckNodePort. */
  readonly healthChecks: ReadonlyMap<number, HealthCheck>;
}

export const EMPTY_TABLE: ProxyTable = {
  frontends: new Map(),
  nodePorts: new Map(),
  loadBalancerAddresses: new Set(),
  healthChecks: new Map(),
};

const SLICE_SERVICE = "kubernetes.io/service-name";

/**
 * What kube-proxy programs for these Services, for all nodes at once: ready
 * endpoints, or those that terminate but still serve when none is ready
 * (`usableBackends` decides per node). Order of input does not matter, except
 * that of two Services claiming one address and port the first by name wins.
 * Addresses that cannot be read are left out.
 */
export function buildTable(services: readonly ServiceLike[], slices: readonly EndpointSliceLike[]): ProxyTable {
  const slicesByService = groupSlices(slices);
  const frontends = new Map<string, Frontend>();
  const nodePorts = new Map<string, Frontend & { readonly port: number }>();
  const loadBalancerAddresses = new Set<string>();
  const healthChecks = new Map<number, HealthCheck>();
  const byName = services
    .map((service) => ({ key: serviceKey(service), service }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));

  for (const { key, service } of byName) {
    const own = frontendsOf(service, slicesByService.get(key) ?? []);
    for (const [id, frontend] of own.frontends) if (!frontends.has(id)) frontends.set(id, frontend);
    for (const [id, frontend] of own.nodePorts) if (!nodePorts.has(id)) nodePorts.set(id, frontend);
    const { healthCheck } = own;
    if (healthCheck !== null && !healthChecks.has(healthCheck.port)) healthChecks.set(healthCheck.port, healthCheck);
    for (const address of own.loadBalancerAddresses) loadBalancerAddresses.add(address);
  }
  return { frontends, nodePorts, loadBalancerAddresses, healthChecks };
}

/**
 * Where a connection that arrives at `node` may go. "drop" is kube-proxy's
 * silence for policy Local on a node without an endpoint of its own while
 * others have some; "refuse" means that no endpoint exists anywhere.
 */
export function usableBackends(frontend: Frontend, node: string): readonly Backend[] | "drop" | "refuse" {
  const candidates = frontend.local ? frontend.backends.filter((backend) => backend.node === node) : frontend.backends;
  const ready = candidates.filter((backend) => backend.state === "ready");
  if (ready.length > 0) return ready;
  if (candidates.length > 0) return candidates;
  return frontend.backends.length > 0 ? "drop" : "refuse";
}

function groupSlices(slices: readonly EndpointSliceLike[]): ReadonlyMap<string, readonly EndpointSliceLike[]> {
  const groups = new Map<string, EndpointSliceLike[]>();
  for (const slice of slices) {
    const service = slice.metadata.labels?.[SLICE_SERVICE];
    if (service === undefined) continue;
    const key = `${slice.metadata.namespace ?? "default"}/${service}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [slice]);
    else group.push(slice);
  }
  return groups;
}
