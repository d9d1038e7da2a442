import { formatAddress, tryParseAddress } from "#core/address";
import type { Protocol } from "#net/host";
import type { HealthCheck } from "./health-ports.ts";
import type { Backend, EndpointSliceLike, Frontend, ServiceLike } from "./shapes.ts";

/** What one Service adds to the table of every node. */
interface ServiceFrontends {
  readonly frontends: readonly (readonly [key: string, frontend: Frontend])[];
  readonly nodePorts: readonly (readonly [key: string, frontend: Frontend & { readonly port: number }])[];
  readonly loadBalancerAddresses: readonly string[];
  readonly healthCheck: HealthCheck | null;
}

/** sessionAffinityConfig.clientIP.timeoutSeconds when it is not given. */
const AFFINITY_SECONDS = 10_800;
const NOTHING: ServiceFrontends = { frontends: [], nodePorts: [], loadBalancerAddresses: [], healthCheck: null };

interface Known {
  readonly slices: readonly EndpointSliceLike[];
  readonly result: ServiceFrontends;
}

// Watched objects are replaced, never changed: with ten thousand Services one change must not cost ten thousand.
const known = new WeakMap<ServiceLike, Known>();

/** As `expandService`, remembered while the Service and its slices are the same objects. */
export function frontendsOf(service: ServiceLike, slices: readonly EndpointSliceLike[]): ServiceFrontends {
  const before = known.get(service);
  if (before !== undefined && sameItems(before.slices, slices)) return before.result;
  const result = expandService(service, slices);
  known.set(service, { slices, result });
  return result;
}

export function frontendKey(address: string, port: number, protocol: Protocol): string {
  return `${address}|${port}|${protocol}`;
}

/** "namespace/name" */
export function serviceKey(service: ServiceLike): string {
  return `${service.metadata.namespace ?? "default"}/${service.metadata.name ?? ""}`;
}

function expandService(service: ServiceLike, slices: readonly EndpointSliceLike[]): ServiceFrontends {
  const { spec } = service;
  if (spec === undefined || spec.type === "ExternalName") return NOTHING;
  const key = serviceKey(service);
  const clusterIPs = clusterIPsOf(service);
  const loadBalancerAddresses = spec.type === "LoadBalancer" ? externalOf(service) : [];
  const externalLocal = spec.externalTrafficPolicy === "Local";
  const frontends: [string, Frontend][] = [];
  const nodePorts: [string, Frontend & { readonly port: number }][] = [];

  for (const port of spec.ports ?? []) {
    const protocol = protocolOf(port.protocol);
    if (protocol === null) continue;
    const backends = perFamily((family) => backendsOf(slices, port.name ?? "", protocol, family));
    const frontendFor = (family: 4 | 6, local: boolean): Frontend => ({
      service: key,
      portKey: `${key}:${port.name ?? ""}/${port.port}/${protocol}/${family}`,
      protocol,
      local,
      affinityMs: affinityMsOf(service),
      backends: backends(family),
    });
    const add = (address: string, local: boolean) =>
      frontends.push([frontendKey(address, port.port, protocol), frontendFor(address.includes(":") ? 6 : 4, local)]);
    for (const address of clusterIPs) add(address, spec.internalTrafficPolicy === "Local");
    for (const address of loadBalancerAddresses) add(address, externalLocal);
    if (port.nodePort !== undefined && port.nodePort > 0 && spec.type !== "ClusterIP") {
      nodePorts.push([`${port.nodePort}/${protocol}`, { ...frontendFor(4, externalLocal), port: port.nodePort }]);
    }
  }
  const healthCheck = externalLocal && spec.type === "LoadBalancer" ? healthCheckOf(service, slices) : null;
  return { frontends, nodePorts, loadBalancerAddresses, healthCheck };
}

function healthCheckOf({ metadata, spec }: ServiceLike, slices: readonly EndpointSliceLike[]): HealthCheck | null {
  const port = spec?.healthCheckNodePort ?? 0;
  if (port <= 0) return null;
  const nodeOf = new Map<string, string>();
  for (const { addresses, nodeName, conditions } of slices.flatMap((slice) => slice.endpoints ?? [])) {
    const address = addresses?.[0];
    if (address !== undefined && nodeName !== undefined && stateOf(conditions ?? {}) === "ready") {
      nodeOf.set(address, nodeName);
    }
  }
  const { namespace = "default", name = "" } = metadata;
  return { port, namespace, name, nodes: [...nodeOf.values()] };
}

function affinityMsOf({ spec }: ServiceLike): number | null {
  if (spec?.sessionAffinity !== "ClientIP") return null;
  return (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS) * 1_000;
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** Computes once per family: a Service has several addresses and one set of endpoints for each. */
function perFamily<T>(compute: (family: 4 | 6) => T): (family: 4 | 6) => T {
  const known = new Map<4 | 6, T>();
  return (family) => {
    const value = known.get(family) ?? compute(family);
    known.set(family, value);
    return value;
  };
}

function backendsOf(
  slices: readonly EndpointSliceLike[],
  portName: string,
  protocol: Protocol,
  family: 4 | 6,
): readonly Backend[] {
  const backends = new Map<string, Backend>();
  for (const slice of slices) {
    const port = slice.ports?.find((p) => (p.name ?? "") === portName && protocolOf(p.protocol) === protocol)?.port;
    if (port === undefined || port === null) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const state = stateOf(endpoint.conditions ?? {});
      // All addresses of an endpoint are fungible; kube-proxy uses the first.
      const address = tryParseAddress(endpoint.addresses?.[0] ?? "");
      if (state === null || address === null || address.family !== family) continue;
      const text = formatAddress(address);
      const id = `${text}|${port}`;
      // A pod moving between slices is in both for a moment: the better state counts.
      if (backends.get(id)?.state !== "ready")
        backends.set(id, { address: text, port, node: endpoint.nodeName ?? null, state });
    }
  }
  return [...backends.values()].sort((a, b) => compare(a.address, b.address) || a.port - b.port);
}

/** EndpointConditions: `ready` unset means true, `serving` unset means as `ready`. */
function stateOf(conditions: {
  readonly ready?: boolean | null | undefined;
  readonly serving?: boolean | null | undefined;
  readonly terminating?: boolean | null | undefined;
}): Backend["state"] | null {
  const ready = conditions.ready ?? true;
  if (ready) return "ready";
  return (conditions.serving ?? ready) && conditions.terminating === true ? "terminating" : null;
}

function clusterIPsOf(service: ServiceLike): readonly string[] {
  const { clusterIPs, clusterIP } = service.spec ?? {};
  return canonical(clusterIPs ?? (clusterIP === undefined ? [] : [clusterIP]));
}

function externalOf(service: ServiceLike): readonly string[] {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  return canonical(ingress.filter((one) => one.ipMode !== "Proxy").map((one) => one.ip ?? ""));
}

function canonical(addresses: readonly string[]): readonly string[] {
  return addresses.flatMap((text) => {
    const address = tryParseAddress(text);
    return address === null ? [] : [formatAddress(address)];
  });
}

function protocolOf(text: string | null | undefined): Protocol | null {
  if (text === undefined || text === null || text === "TCP") return "TCP";
  return text === "UDP" ? "UDP" : null;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
