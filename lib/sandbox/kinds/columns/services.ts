import type { Column, Json } from "../definition.ts";
import { arr, at, num, objects, str } from "../json.ts";
import { AGE, column, labelText, listWithMore, NAME, orNone, wide } from "./common.ts";

function externalIp(service: Json): string {
  const external = arr(at(service, "spec", "externalIPs")).map(str);
  switch (str(at(service, "spec", "type"))) {
    case "ExternalName":
      return str(at(service, "spec", "externalName"));
    case "LoadBalancer": {
      const ingress = objects(at(service, "status", "loadBalancer", "ingress"));
      const own = new Set(ingress.map((one) => str(one.ip) || str(one.hostname)).filter((text) => text !== ""));
      return [...[...own].sort(), ...external].join(",") || "<pending>";
    }
    default:
      return orNone(external.join(","));
  }
}

function ports(service: Json): string {
  const texts = objects(at(service, "spec", "ports")).map((port) => {
    const nodePort = num(port.nodePort);
    return `${num(port.port)}${nodePort === 0 ? "" : `:${nodePort}`}/${str(port.protocol) || "TCP"}`;
  });
  return orNone(texts.join(","));
}

export const SERVICE_COLUMNS: readonly Column[] = [
  NAME,
  column("Type", "string", "type determines how the Service is exposed.", (service) =>
    str(at(service, "spec", "type")),
  ),
  column("Cluster-IP", "string", "clusterIP is the IP address of the service.", (service) =>
    orNone(str(arr(at(service, "spec", "clusterIPs"))[0]) || str(at(service, "spec", "clusterIP"))),
  ),
  column("External-IP", "string", "IP address or name by which the service is reached from outside.", externalIp),
  column("Port(s)", "string", "The list of ports that are exposed by this service.", ports),
  AGE,
  wide("Selector", "Route service traffic to pods with label keys and values matching this selector.", (service) =>
    labelText(at(service, "spec", "selector")),
  ),
];

function hostPort(ip: string, port: number): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}

export const ENDPOINTS_COLUMNS: readonly Column[] = [
  NAME,
  column("Endpoints", "string", "The set of all endpoints is the union of all subsets.", (endpoints) => {
    const list = objects(endpoints.subsets).flatMap((subset) => {
      const ips = objects(subset.addresses).map((address) => str(address.ip));
      const numbers = objects(subset.ports).map((port) => num(port.port));
      return numbers.length === 0 ? ips : numbers.flatMap((port) => ips.map((ip) => hostPort(ip, port)));
    });
    return orNone(listWithMore(list));
  }),
  AGE,
];

const orUnset = (text: string) => (text === "" ? "<unset>" : text);

export const ENDPOINT_SLICE_COLUMNS: readonly Column[] = [
  NAME,
  column("AddressType", "string", "addressType specifies the type of address carried by this EndpointSlice.", (slice) =>
    str(slice.addressType),
  ),
  column("Ports", "string", "ports specifies the list of network ports exposed by each endpoint.", (slice) =>
    orUnset(
      listWithMore(
        objects(slice.ports).map((port) => (port.port === undefined ? str(port.name) || "*" : `${num(port.port)}`)),
      ),
    ),
  ),
  column("Endpoints", "string", "endpoints is a list of unique endpoints in this slice.", (slice) =>
    orUnset(listWithMore(objects(slice.endpoints).flatMap((endpoint) => arr(endpoint.addresses).map(str)))),
  ),
  AGE,
];
