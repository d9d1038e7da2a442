import { toNamespaceFacts, toPoolInput } from "#api/facts";
import type { Namespace } from "#api/kubernetes";
import type { IPAddressPool } from "#api/metallb";
import { byAge } from "#api/resources";
import type { Finding } from "#core/findings";
import { compilePools, type PoolView } from "#core/pools";
import type { ObjectCache } from "#kube/port";

export interface PoolConfig {
  readonly pools: readonly PoolView[];
  readonly findings: readonly Finding[];
  /** Objects that exist, are invalid, and have no earlier valid version in force. */
  readonly leftOut: ReadonlySet<string>;
}

/**
 * The pools in force, compiled anew whenever pools or namespace labels change.
 * The last valid version of a pool outlives an invalid edit, not the deletion of its object.
 */
export class PoolConfigSource {
  readonly #pools: ObjectCache<IPAddressPool>;
  readonly #namespaces: ObjectCache<Namespace>;
  #inForce: ReadonlyMap<string, PoolView> = new Map();
  #current: PoolConfig = { pools: [], findings: [], leftOut: new Set() };

  constructor(pools: ObjectCache<IPAddressPool>, namespaces: ObjectCache<Namespace>) {
    this.#pools = pools;
    this.#namespaces = namespaces;
  }

  get current(): PoolConfig {
    return this.#current;
  }

  compile(): PoolConfig {
    const objects = this.#pools.list().toSorted(byAge);
    const namespaces = this.#namespaces.list().map(toNamespaceFacts);
    const { pools, findings } = compilePools(objects.map(toPoolInput), namespaces, this.#inForce);
    this.#inForce = new Map(pools.map((pool) => [pool.name, pool]));
    const leftOut = new Set(objects.flatMap(({ metadata: { name = "" } }) => (this.#inForce.has(name) ? [] : [name])));
    this.#current = { pools, findings, leftOut };
    return this.#current;
  }
}
