import type { Node } from "#api/kubernetes/cluster";
import type { Pod } from "#api/kubernetes/pods";
import type { Service } from "#api/kubernetes/services";
import type { Json } from "#sandbox/kinds/definition";
import { arr, canonical, num, obj, objects, str } from "#sandbox/kinds/json";
import { isFinished, isReady, isTerminating } from "./pods.ts";

const MAX_PER_SLICE = 100;

/** The endpoints that share a family and a set of ports, at most 100: what one EndpointSlice holds. */
export interface SlicePlan {
  readonly addressType: "IPv4" | "IPv6";
  readonly ports: readonly Json[];
  readonly endpoints: readonly Json[];
}

/** What the EndpointSlices of a Service should say. Always at least one per family, if an empty one. */
export function planSlices(
  service: Service,
  pods: readonly Pod[],
  nodes: ReadonlyMap<string, Node>,
): readonly SlicePlan[] {
  const families = arr(obj(service.spec).ipFamilies).map((family): "IPv4" | "IPv6" =>
    family === "IPv6" ? "IPv6" : "IPv4",
  );
  return (families.length === 0 ? ["IPv4" as const] : families).flatMap((family) =>
    planFamily(service, pods, nodes, family),
  );
}

function planFamily(
  service: Service,
  pods: readonly Pod[],
  nodes: ReadonlyMap<string, Node>,
  addressType: "IPv4" | "IPv6",
): readonly SlicePlan[] {
  const groups = new Map<string, { readonly ports: readonly Json[]; readonly endpoints: Json[] }>();
  for (const pod of [...pods].sort(byName)) {
    const address = addressOf(pod, addressType);
    if (address === undefined || isFinished(pod)) continue;
    const ports = portsOf(service, pod);
    const key = canonical(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    group.endpoints.push(endpointOf(service, pod, address, nodes));
    groups.set(key, group);
  }
  const plans = [...groups.values()].flatMap(({ ports, endpoints }) => {
    const count = Math.ceil(endpoints.length / MAX_PER_SLICE);
    return Array.from({ length: count }, (_, index): SlicePlan => {
      const chunk = endpoints.slice(index * MAX_PER_SLICE, (index + 1) * MAX_PER_SLICE);
      return { addressType, ports, endpoints: chunk };
    });
  });
  return plans.length > 0 ? plans : [{ addressType, ports: [], endpoints: [] }];
}

const byName = (a: Pod, b: Pod) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1);

function addressOf(pod: Pod, family: "IPv4" | "IPv6"): string | undefined {
  const all = [...(pod.status?.podIPs ?? []).map((one) => one.ip), pod.status?.podIP ?? ""];
  return all.find((ip) => ip !== "" && ip.includes(":") === (family === "IPv6"));
}

/** The Service's ports with named target ports looked up in this pod; a name it does not have leaves the port out. */
function portsOf(service: Service, pod: Pod): readonly Json[] {
  return objects(obj(service.spec).ports).flatMap((port) => {
    const number = targetPort(port, pod);
    if (number === undefined) return [];
    const appProtocol = port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol };
    return [{ name: str(port.name), protocol: str(port.protocol) || "TCP", port: number, ...appProtocol }];
  });
}

function targetPort(port: Json, pod: Pod): number | undefined {
  const { targetPort: target } = port;
  if (typeof target === "number") return target;
  if (target === undefined || target === "") return num(port.port);
  const protocol = str(port.protocol) || "TCP";
  const spec = obj(pod.spec);
  for (const container of [...objects(spec.containers), ...objects(spec.initContainers)]) {
    const found = objects(container.ports).find(
      (one) => one.name === target && (str(one.protocol) || "TCP") === protocol,
    );
    if (found !== undefined) return num(found.containerPort);
  }
  return undefined;
}

function endpointOf(service: Service, pod: Pod, address: string, nodes: ReadonlyMap<string, Node>): Json {
  const serving = isReady(pod);
  const terminating = isTerminating(pod);
  const nodeName = pod.spec?.nodeName;
  const zone = nodes.get(nodeName ?? "")?.metadata.labels?.["topology.kubernetes.io/zone"];
  const { name, namespace, uid } = pod.metadata;
  const hostname = str(obj(pod.spec).hostname);
  const named = hostname !== "" && str(obj(pod.spec).subdomain) === service.metadata.name;
  return {
    addresses: [address],
    conditions: {
      ready: service.spec?.publishNotReadyAddresses === true || (serving && !terminating),
      serving,
      terminating,
    },
    ...(named && { hostname }),
    ...(nodeName !== undefined && { nodeName }),
    targetRef: { kind: "Pod", name, namespace, uid },
    ...(zone !== undefined && { zone }),
  };
}

/** The subsets of the deprecated Endpoints object, from the IPv4 or only family of the slices. */
export function planSubsets(plans: readonly SlicePlan[]): Json[] {
  const family = plans[0]?.addressType;
  const groups = new Map<
    string,
    { readonly ports: readonly Json[]; readonly ready: Json[]; readonly waiting: Json[] }
  >();
  for (const { addressType, ports, endpoints } of plans) {
    if (addressType !== family) continue;
    const key = canonical(ports);
    const group = groups.get(key) ?? { ports, ready: [], waiting: [] };
    groups.set(key, group);
    for (const endpoint of endpoints) {
      const { ready, terminating } = obj(endpoint.conditions);
      if (terminating === true && ready !== true) continue;
      const { nodeName, targetRef, addresses } = endpoint;
      const address = { ip: str(arr(addresses)[0]), ...(nodeName !== undefined && { nodeName }), targetRef };
      (ready === true ? group.ready : group.waiting).push(address);
    }
  }
  const byIp = (a: Json, b: Json) => (str(a.ip) < str(b.ip) ? -1 : 1);
  return [...groups.values()]
    .filter(({ ready, waiting }) => ready.length + waiting.length > 0)
    .map(({ ports, ready, waiting }) => ({
      ...(ready.length > 0 && { addresses: ready.sort(byIp) }),
      ...(waiting.length > 0 && { notReadyAddresses: waiting.sort(byIp) }),
      ports: ports.map((port) => (port.name === "" ? { port: port.port, protocol: port.protocol } : port)),
    }));
}
