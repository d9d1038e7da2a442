import { formatAddress, tryParseAddress } from "#core/address";
import { Fault } from "#core/errors";
import type { AdmissionContext, Json, JsonValue } from "./definition.ts";
import { arr, at, metaOf, num, obj, objects, str, without } from "./json.ts";
import { canHaveNodePorts, isHeadless, needsClusterIp, needsHealthCheckPort, typeOf } from "./service-defaults.ts";
import { Taken } from "./service-taken.ts";
import { afterUpdate } from "./service-update.ts";

/** Service network of the sandbox: IPv4 by default, IPv6 for Services that ask for it. */
const NETWORK = {
  IPv4: { base: 0x0a60_0000n, bits: 16n, text: "10.96.0.0/16" },
  IPv6: { base: 0xfd00_0010_0096_0000_0000_0000_0000_0000n, bits: 16n, text: "fd00:10:96::/112" },
} as const;
type Family = keyof typeof NETWORK;

const NODE_PORTS = { first: 30_000, count: 2_768 };

/**
 * Gives a Service what the server allocates: families, cluster addresses, node ports. Values that the object already
 * has, or had before an update, are kept. Throws Fault `invalid` with the field when a requested value is taken or
 * outside its range, or nothing is left.
 */
export function admitService(service: Json, old: Json | undefined, context: AdmissionContext): Json {
  const updated = old === undefined ? service : afterUpdate(service, old);
  if (!needsClusterIp(updated)) return updated;
  const taken = new Taken(context, service);
  return allocateNodePorts(allocateClusterIps(updated, old, taken, context), old, taken, context);
}

function refuse(service: Json, field: string, problem: string): Fault {
  const name = str(metaOf(service).name);
  return new Fault("invalid", `Service "${name}" is invalid: ${field}: ${problem}`, { fields: { [field]: problem } });
}

function familiesOf(spec: Json): { readonly families: readonly Family[]; readonly policy: string } {
  const asked = arr(spec.ipFamilies)
    .map(str)
    .filter((one): one is Family => one === "IPv4" || one === "IPv6");
  const addresses = arr(spec.clusterIPs).map(str);
  const fromAddresses = addresses
    .filter((text) => text !== "None")
    .map((text): Family => (text.includes(":") ? "IPv6" : "IPv4"));
  const policy =
    str(spec.ipFamilyPolicy) || (Math.max(asked.length, addresses.length) > 1 ? "RequireDualStack" : "SingleStack");
  const known = asked.length > 0 ? asked : fromAddresses.length > 0 ? fromAddresses : ["IPv4" as const];
  const first = known[0] ?? "IPv4";
  if (policy === "SingleStack") return { families: known.length > 1 ? known : [first], policy };
  return { families: known.length > 1 ? known : [first, first === "IPv4" ? "IPv6" : "IPv4"], policy };
}

function allocateClusterIps(service: Json, old: Json | undefined, taken: Taken, context: AdmissionContext): Json {
  const raw = obj(service.spec);
  const single = str(raw.clusterIP);
  const spec = arr(raw.clusterIPs).length === 0 && single !== "" ? { ...raw, clusterIPs: [single] } : raw;
  const { families: all, policy } = familiesOf(spec);
  const families = policy === "SingleStack" ? all.slice(0, 1) : all;
  const withFamilies = { ...spec, ipFamilies: [...families], ipFamilyPolicy: policy };
  if (isHeadless({ spec })) return { ...service, spec: { ...withFamilies, clusterIP: "None", clusterIPs: ["None"] } };
  const kept = new Set(arr(at(old ?? {}, "spec", "clusterIPs")).map(str));
  const given = arr(spec.clusterIPs).map(str);
  const clusterIPs = families.map((family, index) => {
    const wanted = given[index] ?? "";
    if (wanted === "") return freeAddress(service, family, taken, context);
    return kept.has(wanted) ? wanted : checkWanted(service, wanted, family, index, taken);
  });
  return { ...service, spec: { ...withFamilies, clusterIP: clusterIPs[0] ?? "", clusterIPs } };
}

function checkWanted(service: Json, text: string, family: Family, index: number, taken: Taken): string {
  const field = `spec.clusterIPs[${index}]`;
  const shown = JSON.stringify([text]);
  const address = tryParseAddress(text);
  if (address === null) return text; // validation names it
  const { base, bits, text: range } = NETWORK[family];
  if ((family === "IPv6") !== (address.family === 6) || address.value >> bits !== base >> bits) {
    throw refuse(
      service,
      field,
      `Invalid value: ${shown}: failed to allocate IP ${text}: the provided IP is not in the valid range. The range of valid IPs is ${range}`,
    );
  }
  const canonical = formatAddress(address);
  if (taken.hasAddress(canonical)) {
    throw refuse(
      service,
      field,
      `Invalid value: ${shown}: failed to allocate IP ${text}: provided IP is already allocated`,
    );
  }
  return canonical;
}

function freeAddress(service: Json, family: Family, taken: Taken, context: AdmissionContext): string {
  const { base, bits } = NETWORK[family];
  const size = 1n << bits;
  // The first addresses are left to those who ask by number (10.96.0.1 is the API's, 10.96.0.10 usually DNS).
  const low = 256n;
  const span = size - low - 1n;
  const start = BigInt(randomBelow(Number(span), context));
  for (let step = 0n; step < span; step++) {
    const value = base + low + ((start + step) % span);
    const text = formatAddress({ family: family === "IPv4" ? 4 : 6, value });
    if (!taken.hasAddress(text)) return text;
  }
  throw refuse(service, "spec.clusterIPs", "Internal error: failed to allocate a serviceIP: range is full");
}

const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** A number below `limit` from the context's randomness (characters of the safe alphabet). */
function randomBelow(limit: number, context: AdmissionContext): number {
  const digits = [...context.randomName(8)].map((character) => Math.max(0, ALPHABET.indexOf(character)));
  const value = digits.reduce((sum, digit) => sum * ALPHABET.length + digit, 0);
  return value % limit;
}

function allocateNodePorts(service: Json, old: Json | undefined, taken: Taken, context: AdmissionContext): Json {
  const spec = obj(service.spec);
  const type = typeOf(service);
  const allocates = type === "NodePort" || (type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);
  if (!canHaveNodePorts(service)) return service;
  const had = new Set(objects(at(old ?? {}, "spec", "ports")).map(nodePortKey));
  // What is kept or asked for comes first, so that nothing allocated takes it away.
  for (const [index, port] of objects(spec.ports).entries()) {
    const wanted = num(port.nodePort);
    if (wanted === 0) continue;
    if (!had.has(nodePortKey(port))) checkNodePort(service, port, index, taken);
    taken.claimPort(wanted, str(port.protocol));
  }
  const ports = objects(spec.ports).map((port): JsonValue => {
    if (num(port.nodePort) !== 0) return port;
    return allocates ? { ...port, nodePort: freePort(service, taken, context) } : without(port, "nodePort");
  });
  const health = needsHealthCheckPort(service) && num(spec.healthCheckNodePort) === 0;
  const check = health ? { healthCheckNodePort: freePort(service, taken, context) } : {};
  return { ...service, spec: { ...spec, ports, ...check } };
}

const nodePortKey = (port: Json) => `${str(port.protocol)}/${num(port.nodePort)}`;

function checkNodePort(service: Json, port: Json, index: number, taken: Taken): void {
  const wanted = num(port.nodePort);
  const field = `spec.ports[${index}].nodePort`;
  const last = NODE_PORTS.first + NODE_PORTS.count - 1;
  if (wanted < NODE_PORTS.first || wanted > last) {
    const range = `The range of valid ports is ${NODE_PORTS.first}-${last}`;
    throw refuse(service, field, `Invalid value: ${wanted}: provided port is not in the valid range. ${range}`);
  }
  if (taken.hasPort(wanted, str(port.protocol))) {
    throw refuse(service, field, `Invalid value: ${wanted}: provided port is already allocated`);
  }
}

function freePort(service: Json, taken: Taken, context: AdmissionContext): number {
  const start = randomBelow(NODE_PORTS.count, context);
  for (let step = 0; step < NODE_PORTS.count; step++) {
    const port = NODE_PORTS.first + ((start + step) % NODE_PORTS.count);
    if (taken.hasPort(port)) continue;
    taken.claimPort(port);
    return port;
  }
  throw refuse(service, "spec.ports", "Internal error: failed to allocate a nodePort: range is full");
}
