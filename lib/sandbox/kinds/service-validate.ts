import { tryParseAddress } from "#core/address";
import { duplicate, forbidden, invalid, notSupported, required } from "./causes.ts";
import { checkPortName, isPort, PORT_RULE } from "./container-validate.ts";
import type { Cause, Json, JsonValue } from "./definition.ts";
import { arr, at, metaOf, num, obj, objects, sameJson, str } from "./json.ts";
import { checkLabelName, checkLabels, checkServiceName, checkSubdomain } from "./names.ts";

import { isExternallyAccessible, isHeadless, needsHealthCheckPort, typeOf } from "./service-defaults.ts";
import { afterUpdate } from "./service-update.ts";

/** Everything the server refuses about a Service, in its order (core/validation ValidateService). */
export function validateService(given: Json, old: Json | undefined): readonly Cause[] {
  // What an update leaves out, or what a new type drops by itself, is no mistake of the user's.
  const service = old === undefined ? given : afterUpdate(given, old);
  const spec = obj(service.spec);
  const type = typeOf(service);
  const ports = objects(spec.ports);
  const named = new Set<string>();
  return [
    ...checkServiceName("metadata.name", str(metaOf(service).name)),
    ...(ports.length === 0 && !isHeadless(service) && type !== "ExternalName" ? [required("spec.ports")] : []),
    ...checkByType(service, type),
    ...ports.flatMap((port, index) => checkPort(port, `spec.ports[${index}]`, ports.length > 1, named)),
    ...checkLabels("spec.selector", spec.selector),
    ...checkAffinity(spec),
    ...checkAddresses(spec),
    ...checkType(type),
    ...checkDuplicatePorts(ports, type),
    ...checkLoadBalancerFields(service),
    ...checkTrafficPolicies(service),
    ...checkStatus(service),
    ...(old === undefined ? [] : checkChange(service, old)),
  ];
}

function checkByType(service: Json, type: string): readonly Cause[] {
  const spec = obj(service.spec);
  if (type === "ExternalName") {
    const name = str(spec.externalName).replace(/\.$/, "");
    return [
      ...(arr(spec.clusterIPs).length > 0
        ? [forbidden("spec.clusterIPs", "may not be set for ExternalName services")]
        : []),
      ...(name === "" ? [required("spec.externalName")] : checkSubdomain("spec.externalName", name)),
    ];
  }
  const headless = isHeadless(service) && (type === "LoadBalancer" || type === "NodePort");
  const rule = `may not be set to 'None' for ${type} services`;
  const kubelet = type === "LoadBalancer" ? objects(spec.ports).findIndex((port) => port.port === 10_250) : -1;
  return [
    ...(kubelet >= 0
      ? [
          invalid(
            `spec.ports[${kubelet}].port`,
            10_250,
            "may not expose port 10250 externally since it is used by kubelet",
          ),
        ]
      : []),
    ...(headless ? [invalid("spec.clusterIPs[0]", "None", rule)] : []),
  ];
}

function checkPort(port: Json, path: string, nameNeeded: boolean, named: Set<string>): readonly Cause[] {
  const name = str(port.name);
  const causes: Cause[] = [];
  if (name === "" && nameNeeded) causes.push(required(`${path}.name`));
  if (name !== "") {
    causes.push(...checkLabelName(`${path}.name`, name));
    if (named.has(name)) causes.push(duplicate(`${path}.name`, name));
    named.add(name);
  }
  if (!isPort(port.port)) causes.push(invalid(`${path}.port`, num(port.port), PORT_RULE));
  const protocol = str(port.protocol);
  if (!["TCP", "UDP", "SCTP"].includes(protocol)) {
    causes.push(notSupported(`${path}.protocol`, protocol, ["SCTP", "TCP", "UDP"]));
  }
  return [...causes, ...checkTarget(`${path}.targetPort`, port.targetPort)];
}

function checkTarget(field: string, target: JsonValue): readonly Cause[] {
  if (typeof target === "string") return checkPortName(field, target);
  return isPort(target) ? [] : [invalid(field, num(target), PORT_RULE)];
}

const MAX_AFFINITY_SECONDS = 86_400;

function checkAffinity(spec: Json): readonly Cause[] {
  const affinity = str(spec.sessionAffinity);
  if (affinity === "None") {
    const config = spec.sessionAffinityConfig !== undefined;
    return config ? [forbidden("spec.sessionAffinityConfig", "must not be set when session affinity is None")] : [];
  }
  if (affinity !== "ClientIP") return [notSupported("spec.sessionAffinity", affinity, ["ClientIP", "None"])];
  const seconds = at(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds");
  const good = typeof seconds === "number" && seconds > 0 && seconds <= MAX_AFFINITY_SECONDS;
  const field = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
  return good ? [] : [invalid(field, seconds ?? 0, `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`)];
}

function checkAddresses(spec: Json): readonly Cause[] {
  const families = arr(spec.ipFamilies);
  const list = arr(spec.clusterIPs);
  const clusterIp = str(spec.clusterIP);
  const malformed = list.flatMap((text, index) =>
    text === "None" || tryParseAddress(str(text)) !== null
      ? []
      : [invalid(`spec.clusterIPs[${index}]`, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")],
  );
  return [
    ...families.flatMap((family, index) =>
      family === "IPv4" || family === "IPv6"
        ? []
        : [notSupported(`spec.ipFamilies[${index}]`, family, ["IPv4", "IPv6"])],
    ),
    ...(families.length === 2 && families[0] === families[1] ? [duplicate("spec.ipFamilies[1]", families[1])] : []),
    ...policyCauses(spec.ipFamilyPolicy),
    ...(list.length > 0 && clusterIp !== list[0]
      ? [invalid("spec.clusterIP", clusterIp, "first value of `clusterIPs` must match `clusterIP`")]
      : []),
    ...malformed,
    ...arr(spec.externalIPs).flatMap((text, index) => checkExternalIp(`spec.externalIPs[${index}]`, str(text))),
  ];
}

function policyCauses(policy: JsonValue): readonly Cause[] {
  const known = ["PreferDualStack", "RequireDualStack", "SingleStack"];
  return policy === undefined || known.includes(str(policy))
    ? []
    : [notSupported("spec.ipFamilyPolicy", policy, known)];
}

function checkExternalIp(field: string, text: string): readonly Cause[] {
  const address = tryParseAddress(text);
  if (address === null) return [invalid(field, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")];
  const loopback = address.family === 4 ? address.value >> 24n === 127n : address.value === 1n;
  return loopback ? [invalid(field, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)")] : [];
}

function checkType(type: string): readonly Cause[] {
  const known = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
  return known.includes(type) ? [] : [notSupported("spec.type", type, known)];
}

function checkDuplicatePorts(ports: readonly Json[], type: string): readonly Cause[] {
  const causes: Cause[] = [];
  const [seen, seenNodePorts] = [new Set<string>(), new Set<string>()];
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    const nodePort = num(port.nodePort);
    if (nodePort !== 0 && type === "ClusterIP") {
      causes.push(forbidden(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    }
    const key = `${str(port.protocol)}/${num(port.port)}`;
    const nodeKey = `${str(port.protocol)}/${nodePort}`;
    if (nodePort !== 0 && seenNodePorts.has(nodeKey)) causes.push(duplicate(`${path}.nodePort`, nodePort));
    if (seen.has(key)) causes.push(duplicate(path, { port: num(port.port), protocol: str(port.protocol) }));
    seen.add(key);
    seenNodePorts.add(nodeKey);
  }
  return causes;
}

function checkLoadBalancerFields(service: Json): readonly Cause[] {
  if (typeOf(service) === "LoadBalancer") return [];
  const spec = obj(service.spec);
  const set = ["allocateLoadBalancerNodePorts", "loadBalancerClass"].filter((field) => spec[field] !== undefined);
  return set.map((field) => forbidden(`spec.${field}`, "may only be used when `type` is 'LoadBalancer'"));
}

function checkTrafficPolicies(service: Json): readonly Cause[] {
  const { externalTrafficPolicy: outer, internalTrafficPolicy: inner, healthCheckNodePort } = obj(service.spec);
  const policies = ["Cluster", "Local"];
  const causes: Cause[] = [];
  if (!isExternallyAccessible(service)) {
    if (str(outer) !== "") {
      causes.push(invalid("spec.externalTrafficPolicy", outer, "may only be set for externally-accessible services"));
    }
  } else if (!policies.includes(str(outer))) {
    causes.push(notSupported("spec.externalTrafficPolicy", outer ?? "", policies));
  }
  if (num(healthCheckNodePort) !== 0 && !needsHealthCheckPort(service)) {
    const rule = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    causes.push(invalid("spec.healthCheckNodePort", healthCheckNodePort, rule));
  }
  if (inner !== undefined && !policies.includes(str(inner))) {
    causes.push(notSupported("spec.internalTrafficPolicy", inner, policies));
  }
  return causes;
}

function checkStatus(service: Json): readonly Cause[] {
  const ingress = objects(at(service, "status", "loadBalancer", "ingress"));
  const path = "status.loadBalancer.ingress";
  if (ingress.length > 0 && typeOf(service) !== "LoadBalancer") {
    return [forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  return ingress.flatMap((one, index) => {
    const ip = str(one.ip);
    const good = ip === "" || tryParseAddress(ip) !== null;
    const host = str(one.hostname);
    return [
      ...(good
        ? []
        : [invalid(`${path}[${index}].ip`, ip, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]),
      ...(host === "" ? [] : checkSubdomain(`${path}[${index}].hostname`, host)),
    ];
  });
}

function checkChange(service: Json, old: Json): readonly Cause[] {
  const causes: Cause[] = [];
  const [now, before] = [arr(at(service, "spec", "clusterIPs")), arr(at(old, "spec", "clusterIPs"))];
  if (
    typeOf(service) !== "ExternalName" &&
    typeOf(old) !== "ExternalName" &&
    before.length > 0 &&
    now[0] !== before[0]
  ) {
    causes.push(invalid("spec.clusterIPs[0]", now, "may not change once set"));
  }
  const [family, familyBefore] = [arr(at(service, "spec", "ipFamilies"))[0], arr(at(old, "spec", "ipFamilies"))[0]];
  if (typeOf(service) !== "ExternalName" && familyBefore !== undefined && family !== familyBefore) {
    causes.push(invalid("spec.ipFamilies[0]", arr(at(service, "spec", "ipFamilies")), "may not change once set"));
  }
  const both = typeOf(service) === "LoadBalancer" && typeOf(old) === "LoadBalancer";
  if (
    both &&
    !sameJson(at(service, "spec", "loadBalancerClass") ?? null, at(old, "spec", "loadBalancerClass") ?? null)
  ) {
    causes.push(
      invalid("spec.loadBalancerClass", at(service, "spec", "loadBalancerClass") ?? null, "may not change once set"),
    );
  }
  return causes;
}
