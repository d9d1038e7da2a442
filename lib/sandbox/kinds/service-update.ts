import type { Json } from "./definition.ts";
import { arr, at, num, obj, objects, sameJson, str, without } from "./json.ts";
import { mapped } from "./pod-defaults.ts";
import {
  canHaveNodePorts,
  isExternallyAccessible,
  needsClusterIp,
  needsHealthCheckPort,
  typeOf,
} from "./service-defaults.ts";

/** An update as the server takes it: with what it leaves out of the allocated, without what its new type cannot have. */
export function afterUpdate(service: Json, old: Json): Json {
  return dropTypeDependent(carryOver(service, old), old);
}

const same = (left: Json, right: Json, field: string) =>
  sameJson(at(left, "spec", field) ?? null, at(right, "spec", field) ?? null);

const nodePorts = (service: Json) => arr(at(service, "spec", "ports")).map((port) => num(obj(port).nodePort));

/**
 * An update without the fields that the new type cannot have, as long as the user did not touch them
 * (registry/core/service dropTypeDependentFields); what they did touch is left for validation to refuse.
 */
function dropTypeDependent(service: Json, old: Json): Json {
  let spec = obj(service.spec);
  const drop = (gone: boolean, ...fields: readonly string[]) => {
    if (gone) spec = without(spec, ...fields.filter((field) => same(service, old, field)));
  };
  drop(
    needsClusterIp(old) && !needsClusterIp(service),
    "clusterIP",
    "clusterIPs",
    "ipFamilies",
    "ipFamilyPolicy",
    "internalTrafficPolicy",
  );
  const samePorts = sameJson(nodePorts(service), nodePorts(old));
  if (canHaveNodePorts(old) && !canHaveNodePorts(service) && samePorts) {
    spec = { ...spec, ...mapped(spec, "ports", (port) => without(port, "nodePort")) };
  }
  drop(needsHealthCheckPort(old) && !needsHealthCheckPort(service), "healthCheckNodePort");
  const left = typeOf(old) === "LoadBalancer" && typeOf(service) !== "LoadBalancer";
  drop(left, "allocateLoadBalancerNodePorts", "loadBalancerClass");
  drop(isExternallyAccessible(old) && !isExternallyAccessible(service), "externalTrafficPolicy");
  const sameStatus = sameJson(at(service, "status", "loadBalancer"), at(old, "status", "loadBalancer"));
  const status = left && sameStatus ? { status: { ...obj(service.status), loadBalancer: {} } } : {};
  return { ...service, spec, ...status };
}

/** An update that leaves out what was allocated keeps it (registry/core/service patchAllocatedValues). */
function carryOver(service: Json, old: Json): Json {
  let spec = obj(service.spec);
  const before = obj(old.spec);
  if (needsClusterIp(old) && needsClusterIp(service)) {
    // Of the two spellings of one thing, the one that was changed counts.
    const single = str(spec.clusterIP);
    const list = arr(spec.clusterIPs);
    if (single === "" && list.length === 0)
      spec = { ...spec, clusterIP: before.clusterIP, clusterIPs: before.clusterIPs };
    else if (list.length === 0)
      spec = { ...spec, clusterIPs: single === before.clusterIP ? before.clusterIPs : [single] };
    else if (single === "") spec = { ...spec, clusterIP: list[0] };
    else if (single !== before.clusterIP && list[0] === before.clusterIP) spec = { ...spec, clusterIPs: [single] };
    if (spec.ipFamilies === undefined) spec = { ...spec, ipFamilies: before.ipFamilies };
    if (spec.ipFamilyPolicy === undefined) spec = { ...spec, ipFamilyPolicy: before.ipFamilyPolicy };
  }
  if (canHaveNodePorts(old) && canHaveNodePorts(service)) {
    const had = new Map(objects(before.ports).map((port) => [portKey(port), port.nodePort]));
    const kept = objects(spec.ports).map((port) => {
      const nodePort = had.get(portKey(port));
      return num(port.nodePort) === 0 && nodePort !== undefined ? { ...port, nodePort } : port;
    });
    spec = { ...spec, ports: [...kept] };
  }
  if (needsHealthCheckPort(old) && needsHealthCheckPort(service) && num(spec.healthCheckNodePort) === 0) {
    spec = { ...spec, healthCheckNodePort: before.healthCheckNodePort };
  }
  return { ...service, spec };
}

const portKey = (port: Json) => `${str(port.protocol) || "TCP"}/${num(port.port)}`;
