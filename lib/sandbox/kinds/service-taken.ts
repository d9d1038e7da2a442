import type { AdmissionContext, Json } from "./definition.ts";
import { isObject, metaOf } from "./json.ts";

const PROBES_BEFORE_INDEX = 4;
const PROTOCOLS = ["TCP", "UDP", "SCTP"];

/**
 * What the other Services of the cluster have. Nothing is read before it is asked for: most writes allocate nothing,
 * and the first random candidate is mostly free, so that thousands of Services cost one plain scan each.
 */
export class Taken {
  readonly #context: AdmissionContext;
  readonly #service: Json;
  #others: readonly Json[] | null = null;
  #index: ReadonlySet<string> | null = null;
  #probes = 0;
  readonly #claimed = new Set<string>();

  constructor(context: AdmissionContext, service: Json) {
    this.#context = context;
    this.#service = service;
  }

  hasAddress(address: string): boolean {
    return this.#has(address, (one) => addressesOf(one).includes(address));
  }

  /** A node port counts per protocol; without one it counts when any protocol has it. */
  hasPort(port: number, protocol?: string): boolean {
    const wanted = protocol === undefined ? PROTOCOLS : [protocol];
    return wanted.some((name) => this.#has(`${name}/${port}`, (one) => portsOf(one).includes(`${name}/${port}`)));
  }

  /** From now on this port is taken too. */
  claimPort(port: number, protocol?: string): void {
    for (const name of protocol === undefined ? PROTOCOLS : [protocol]) this.#claimed.add(`${name}/${port}`);
  }

  #has(key: string, scan: (service: Json) => boolean): boolean {
    if (this.#claimed.has(key)) return true;
    this.#others ??= this.#context.list("", "services").filter((one) => !isSame(one, this.#service));
    this.#probes += 1;
    if (this.#index === null && this.#probes <= PROBES_BEFORE_INDEX) return this.#others.some(scan);
    this.#index ??= new Set(this.#others.flatMap((one) => [...addressesOf(one), ...portsOf(one)]));
    return this.#index.has(key);
  }
}

function isSame(left: Json, right: Json): boolean {
  const [a, b] = [metaOf(left), metaOf(right)];
  return a.name === b.name && a.namespace === b.namespace;
}

const NONE: readonly string[] = [];

function addressesOf({ spec }: Json): readonly string[] {
  return isObject(spec) && Array.isArray(spec.clusterIPs) ? (spec.clusterIPs as readonly string[]) : NONE;
}

function portsOf({ spec }: Json): readonly string[] {
  if (!isObject(spec) || !Array.isArray(spec.ports)) return NONE;
  const found: string[] = [];
  for (const port of spec.ports) {
    if (isObject(port) && typeof port.nodePort === "number") found.push(`${port.protocol}/${port.nodePort}`);
  }
  const check = spec.healthCheckNodePort;
  if (typeof check === "number" && check !== 0) found.push(...PROTOCOLS.map((name) => `${name}/${check}`));
  return found;
}
