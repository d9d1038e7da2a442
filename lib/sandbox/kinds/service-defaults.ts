import type { Json } from "./definition.ts";
import { arr, at, fill, num, obj, str, without } from "./json.ts";
import { mapped } from "./pod-defaults.ts";

export const typeOf = (service: Json) => str(at(service, "spec", "type")) || "ClusterIP";

export function isExternallyAccessible(service: Json): boolean {
  const type = typeOf(service);
  return type === "LoadBalancer" || type === "NodePort" || arr(at(service, "spec", "externalIPs")).length > 0;
}

/** The health check port exists for LoadBalancers that keep traffic on the node. */
export function needsHealthCheckPort(service: Json): boolean {
  return typeOf(service) === "LoadBalancer" && at(service, "spec", "externalTrafficPolicy") === "Local";
}

export const isHeadless = (service: Json) =>
  at(service, "spec", "clusterIP") === "None" || arr(at(service, "spec", "clusterIPs"))[0] === "None";

/** A Service with what the server fills in before it allocates anything (core/v1 defaults of 1.36). */
export function defaultService(service: Json): Json {
  const spec = obj(service.spec);
  const type = typeOf(service);
  const sessionAffinity = str(spec.sessionAffinity) || "None";
  const clientIp = sessionAffinity === "ClientIP";
  const filled = fill(spec, {
    type,
    sessionAffinity,
    ...(type !== "ExternalName" && { internalTrafficPolicy: "Cluster" }),
    ...(isExternallyAccessible(service) && { externalTrafficPolicy: "Cluster" }),
    ...(type === "LoadBalancer" && { allocateLoadBalancerNodePorts: true }),
    ...(clientIp && { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } } }),
  });
  const known = sessionAffinity === "None" ? without(filled, "sessionAffinityConfig") : filled;
  return {
    ...service,
    spec: { ...known, ...mapped(known, "ports", defaultPort) },
    status: defaultStatus(obj(service.status)),
  };
}

function defaultPort(port: Json): Json {
  const target =
    port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "" ? port.port : port.targetPort;
  const rest = num(port.nodePort) === 0 ? without(port, "nodePort") : port;
  return { ...fill(rest, { protocol: "TCP" }), ...(target !== undefined && { targetPort: target }) };
}

function defaultStatus(status: Json): Json {
  const balancer = obj(status.loadBalancer);
  const vip = (ingress: Json) => (str(ingress.ip) === "" ? ingress : fill(ingress, { ipMode: "VIP" }));
  return { ...status, loadBalancer: { ...balancer, ...mapped(balancer, "ingress", vip) } };
}

export const needsClusterIp = (service: Json) => typeOf(service) !== "ExternalName";
export const canHaveNodePorts = (service: Json) => ["NodePort", "LoadBalancer"].includes(typeOf(service));
