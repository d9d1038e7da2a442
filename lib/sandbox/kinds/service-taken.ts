import type { AdmissionContext, Json } from "./definition.ts";
import { isObject, metaOf } from "./json.ts";

const PROTOCOLS = ["TCP", "UDP", "SCTP"];

/** What the other Services of the cluster have, and what was given out during this admission. */
export class Taken {
  readonly #holders: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #self: string;
  readonly #claimed = new Set<string>();

  constructor(context: AdmissionContext, service: Json) {
    const { namespace, name } = metaOf(service);
    this.#holders = context.holders("", "services", takenBy);
    this.#self = `${namespace}/${name}`;
  }

  hasAddress(address: string): boolean {
    return this.#has(address);
  }

  /** A node port counts per protocol; without one it counts when any protocol has it. */
  hasPort(port: number, protocol?: string): boolean {
    const wanted = protocol === undefined ? PROTOCOLS : [protocol];
    return wanted.some((name) => this.#has(`${name}/${port}`));
  }

  /** From now on this port is taken too. */
  claimPort(port: number, protocol?: string): void {
    for (const name of protocol === undefined ? PROTOCOLS : [protocol]) this.#claimed.add(`${name}/${port}`);
  }

  #has(value: string): boolean {
    if (this.#claimed.has(value)) return true;
    const holders = this.#holders.get(value);
    return holders !== undefined && (holders.size > 1 || !holders.has(this.#self));
  }
}

/** Cluster addresses and "protocol/nodePort" of a stored Service. */
function takenBy({ spec }: Json): readonly string[] {
  if (!isObject(spec)) return [];
  const found: string[] = [];
  if (Array.isArray(spec.clusterIPs)) {
    for (const address of spec.clusterIPs) if (typeof address === "string" && address !== "None") found.push(address);
  }
  if (Array.isArray(spec.ports)) {
    for (const port of spec.ports) {
      if (isObject(port) && typeof port.nodePort === "number") found.push(`${port.protocol}/${port.nodePort}`);
    }
  }
  const check = spec.healthCheckNodePort;
  if (typeof check === "number" && check !== 0) found.push(...PROTOCOLS.map((name) => `${name}/${check}`));
  return found;
}
