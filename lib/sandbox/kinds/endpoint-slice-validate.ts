import { tryParseAddress } from "#core/address";
import { duplicate, invalid, notSupported, required } from "./causes.ts";
import { isPort, PORT_RULE } from "./container-validate.ts";
import type { Cause, Json } from "./definition.ts";
import { arr, fill, metaOf, num, objects, str } from "./json.ts";
import { checkLabelName, checkSubdomain } from "./names.ts";
import { mapped } from "./pod-defaults.ts";

/** What the server fills into an EndpointSlice. */
export function defaultSlice(slice: Json): Json {
  const defaulted = (port: Json) => fill(port, { name: "", protocol: "TCP" });
  return { ...fill(slice, { endpoints: [], ports: [] }), ...mapped(slice, "ports", defaulted) };
}

/** Special-use addresses that may not be endpoints (core/validation ValidateEndpointIP). */
function checkEndpointAddress(field: string, text: string, family: number): readonly Cause[] {
  const address = tryParseAddress(text);
  if (address === null || address.family !== family) {
    return [invalid(field, text, family === 4 ? "must be a valid IPv4 address" : "must be a valid IPv6 address")];
  }
  const { value } = address;
  const four = address.family === 4;
  const rules: readonly (readonly [boolean, string])[] = [
    [value === 0n, `may not be unspecified (${four ? "0.0.0.0" : "::"})`],
    [four ? value >> 24n === 127n : value === 1n, "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
    [
      four ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan,
      "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
    ],
    [four && value >> 8n === 0xe00000n, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"],
  ];
  return rules.filter(([hit]) => hit).map(([, rule]) => invalid(field, text, rule));
}

/** EndpointSlice (discovery/validation ValidateEndpointSlice). */
export function validateSlice(slice: Json, old: Json | undefined): readonly Cause[] {
  const type = str(slice.addressType);
  if (type === "") return [required("addressType")];
  if (!["IPv4", "IPv6", "FQDN"].includes(type)) return [notSupported("addressType", type, ["FQDN", "IPv4", "IPv6"])];
  const family = type === "IPv4" ? 4 : 6;
  const endpoints = objects(slice.endpoints).flatMap((endpoint, index) => {
    const addresses = arr(endpoint.addresses);
    const path = `endpoints[${index}].addresses`;
    if (addresses.length === 0) return [required(path, "must contain at least 1 address")];
    const node = str(endpoint.nodeName);
    const placed = node === "" ? [] : checkSubdomain(`endpoints[${index}].nodeName`, node);
    if (type === "FQDN") return placed;
    return [
      ...addresses.flatMap((text, position) => checkEndpointAddress(`${path}[${position}]`, str(text), family)),
      ...placed,
    ];
  });
  const moved = old !== undefined && old.addressType !== slice.addressType;
  return [
    ...checkSubdomain("metadata.name", str(metaOf(slice).name)),
    ...checkPorts(objects(slice.ports)),
    ...endpoints,
    ...(moved ? [invalid("addressType", type, "field is immutable")] : []),
  ];
}

function checkPorts(ports: readonly Json[]): readonly Cause[] {
  const seen = new Set<string>();
  return ports.flatMap((port, index) => {
    const path = `ports[${index}]`;
    const name = str(port.name);
    const twice = seen.has(name);
    seen.add(name);
    const protocols = ["SCTP", "TCP", "UDP"];
    return [
      ...(twice ? [duplicate(`${path}.name`, name)] : name === "" ? [] : checkLabelName(`${path}.name`, name)),
      ...(protocols.includes(str(port.protocol)) ? [] : [notSupported(`${path}.protocol`, port.protocol, protocols)]),
      ...(port.port === undefined || isPort(port.port) ? [] : [invalid(`${path}.port`, num(port.port), PORT_RULE)]),
    ];
  });
}
