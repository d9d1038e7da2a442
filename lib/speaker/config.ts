import { toL2Facts, toPoolInput } from "#api/facts";
import type { IPAddressPool, L2Advertisement } from "#api/metallb";
import { byAge } from "#api/resources";
import { compileAdvertisements } from "#core/advertisements";
import { advertisementsOf, type L2Facts } from "#core/election";
import type { Finding } from "#core/findings";
import { compilePools, type PoolView } from "#core/pools";

/** Pools and advertisements in force. */
export interface SpeakerConfig {
  readonly pools: readonly PoolView[];
  readonly advertisements: readonly L2Facts[];
  /** The advertisements of each pool object by its name, of those that are not in force too. */
  readonly byPool: ReadonlyMap<string, readonly L2Facts[]>;
  /** Names of the pool objects that are invalid and have no valid version in force. */
  readonly leftOut: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

export const EMPTY_CONFIG: SpeakerConfig = {
  pools: [],
  advertisements: [],
  byPool: new Map(),
  leftOut: new Set(),
  findings: [],
};

/** An invalid object keeps its version of `previous` in force; without one it is left out. */
export function compileConfig(
  pools: readonly IPAddressPool[],
  advertisements: readonly L2Advertisement[],
  previous: SpeakerConfig,
): SpeakerConfig {
  const before = new Map(previous.pools.map((pool) => [pool.name, pool]));
  const inputs = pools.toSorted(byAge).map(toPoolInput);
  // Which namespaces may use a pool matters to who assigns from it, not to who announces.
  const compiled = compilePools(inputs, [], before);
  const ads = compileAdvertisements(advertisements.toSorted(byAge).map(toL2Facts), previous.advertisements);
  const inForce = new Set(compiled.pools.map(({ name }) => name));
  const leftOut = inputs.filter(({ name }) => !inForce.has(name));
  const covered = [...compiled.pools, ...leftOut.map(({ name, labels = {} }) => ({ name, labels }))];
  return {
    pools: compiled.pools,
    advertisements: ads.advertisements,
    byPool: new Map(covered.map((pool) => [pool.name, advertisementsOf(pool, ads.advertisements)])),
    leftOut: new Set(leftOut.map(({ name }) => name)),
    findings: [...compiled.findings, ...ads.findings],
  };
}
