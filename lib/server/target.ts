import type { Service } from "#api/kubernetes/services";
import { ANNOTATION } from "#api/names";
import { tryParseAddress } from "#core/address";
import { Fault } from "#core/errors";
import { addressesOf } from "./objects-to-facts.ts";

/** "80/TCP=127.0.0.1:18080, 443/TCP=127.0.0.1:18443" → by "80/TCP". Parts that are not understood are left out. */
export function parseReachableAt(text: string | undefined): ReadonlyMap<string, string> {
  const mapped = new Map<string, string>();
  for (const part of (text ?? "").split(",")) {
    const match = /^\s*(\d{1,5})\/(TCP|UDP|SCTP)\s*=\s*(\S+:\d{1,5})\s*$/.exec(part);
    if (match !== null) mapped.set(`${match[1]}/${match[2]}`, match[3] ?? "");
  }
  return mapped;
}

export interface Target {
  readonly address: string;
  readonly port: number;
  readonly url: string;
  /** Host header, when the URL goes to a mapped address. */
  readonly host: string | undefined;
}

/** Where to ask for a Service over HTTP. Throws `invalid` naming what is missing. */
export function targetOf(service: Service, port: number | undefined, path: string): Target {
  const { namespace, name } = service.metadata;
  const key = `${namespace}/${name}`;
  if (service.spec?.type !== "LoadBalancer") {
    throw refused("service", `${key} is not a LoadBalancer: expose it first`);
  }
  const address = addressesOf(service)[0];
  if (address === undefined) throw refused("service", `${key} has no address yet`);
  const tcp = (service.spec.ports ?? []).filter((one) => (one.protocol ?? "TCP") === "TCP");
  const chosen = port === undefined ? tcp[0] : tcp.find((one) => one.port === port);
  if (chosen === undefined) {
    const offered = tcp.map((one) => one.port).join(", ");
    throw refused("port", offered === "" ? `${key} has no TCP port` : `${key} has no TCP port ${port}, but ${offered}`);
  }
  // 80 goes without saying in an http URL and in its Host header (RFC 9110, 4.2.1 and 7.2).
  const plain = chosen.port === 80 ? bracketed(address) : `${bracketed(address)}:${chosen.port}`;
  const mapped = parseReachableAt(service.metadata.annotations?.[ANNOTATION.reachableAt]).get(`${chosen.port}/TCP`);
  return {
    address,
    port: chosen.port,
    url: `http://${mapped ?? plain}${path}`,
    host: mapped === undefined ? undefined : plain,
  };
}

function bracketed(address: string): string {
  return tryParseAddress(address)?.family === 6 ? `[${address}]` : address;
}

function refused(field: string, message: string): Fault {
  return new Fault("invalid", `${message}.`, { fields: { [field]: message } });
}
