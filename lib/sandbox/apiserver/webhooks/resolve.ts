import { isIP } from "node:net";
import { shadowOf } from "#sandbox/proxy/pod-network";
import type { Store } from "#sandbox/store/types";
import { at, listAt, numberAt, textAt, textList } from "../json.ts";
import { bucketOf, keyOf } from "../resource.ts";
import type { HookTarget } from "./hooks.ts";

/** Where to connect, and what errors call that place. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** The pod's own address, where `address` only stands for it. */
  readonly pod?: string;
  readonly shown: string;
}

export interface Destination {
  /** As errors name it and as the request is addressed. */
  readonly url: string;
  /** For SNI and for the check of the certificate. */
  readonly serverName: string;
  readonly endpoints: readonly Endpoint[];
  /** Why there is nowhere to connect to; "" otherwise. */
  readonly problem: string;
}

const SERVICES = bucketOf("", "services");
const SLICES = bucketOf("discovery.k8s.io", "endpointslices");

/** Where a webhook's calls go now. Never throws: what is wrong is `problem`, in the server's words. */
export function destinationOf(store: Store, target: HookTarget, timeoutMs: number): Destination {
  const query = `timeout=${timeoutMs / 1000}s`;
  if (target.kind === "url") return ofUrl(target.url, query);
  const { namespace, name, port, path } = target;
  const serverName = `${name}.${namespace}.svc`;
  const tail = path === "" || path.startsWith("/") ? path : `/${path}`;
  const url = `https://${serverName}:${port}${tail}?${query}`;
  const nowhere = (problem: string): Destination => ({ url, serverName, endpoints: [], problem });
  const service = store.get(SERVICES, keyOf(namespace, name));
  if (service === undefined) return nowhere(`service ${JSON.stringify(name)} not found`);
  const wanted = listAt(service.object, "spec", "ports").find((one) => numberAt(one, "port") === port);
  if (wanted === undefined) return nowhere(`no service port ${port} found for service ${JSON.stringify(name)}`);
  const endpoints = endpointsOf(store, namespace, name, textAt(wanted, "name"));
  if (endpoints.length === 0) return nowhere(`no endpoints available for service ${JSON.stringify(name)}`);
  return { url, serverName, endpoints, problem: "" };
}

function ofUrl(text: string, query: string): Destination {
  let parsed: URL;
  try {
    parsed = new URL(text);
  } catch {
    return { url: text, serverName: "", endpoints: [], problem: "invalid URL" };
  }
  const host = parsed.hostname.replace(/^\[|\]$/g, "");
  const port = parsed.port === "" ? 443 : Number(parsed.port);
  const url = `https://${parsed.host}${parsed.pathname}?${query}`;
  if (!isLoopbackHost(host)) return { url, serverName: host, endpoints: [], problem: NOT_LOOPBACK };
  const address = host === "localhost" ? "127.0.0.1" : host;
  return { url, serverName: host, endpoints: [endpoint(address, address, port)], problem: "" };
}

const NOT_LOOPBACK = "the Berth sandbox calls webhooks on loopback addresses only";

/** `localhost`, 127.0.0.0/8 or ::1. */
function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** The ready endpoints behind one port of a Service, the first one by chance. */
function endpointsOf(store: Store, namespace: string, service: string, portName: string): readonly Endpoint[] {
  const found = store.list(SLICES, namespace).flatMap(({ object }): Endpoint[] => {
    const labels = at(object, "metadata", "labels");
    if (at(labels, "kubernetes.io/service-name") !== service) return [];
    const port = listAt(object, "ports").find((one) => textAt(one, "name") === portName);
    const number = numberAt(port, "port");
    if (number === undefined) return [];
    return listAt(object, "endpoints")
      .filter((one) => at(one, "conditions", "ready") !== false)
      .flatMap((one) => textList(at(one, "addresses")))
      .flatMap((address) => {
        // Pod addresses exist only inside the sandbox: behind each is its shadow on loopback.
        const shadow = shadowOf(address);
        return shadow === null ? [] : [{ ...endpoint(shadow, address, number), pod: address }];
      });
  });
  const first = Math.floor(Math.random() * found.length);
  return [...found.slice(first), ...found.slice(0, first)];
}

function endpoint(address: string, known: string, port: number): Endpoint {
  return { address, port, shown: `${known.includes(":") ? `[${known}]` : known}:${port}` };
}
