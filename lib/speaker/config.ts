import { configurationKinds } from "#api/configuration-source";
import { NODES } from "#api/resources";
import type { CompiledConfiguration } from "#core/configuration";
import type { ConfigurationFinding } from "#core/configuration/finding";
import { advertisementsOf, type L2Facts } from "#core/election";
import type { PoolView } from "#core/pools";
import type { Cluster } from "#kube/port";

/** Pools and advertisements in force, as an election asks for them. */
export interface SpeakerConfig {
  readonly pools: readonly PoolView[];
  /** The advertisements of each pool object by its name, of those that are not in force too. */
  readonly byPool: ReadonlyMap<string, readonly L2Facts[]>;
  /** Names of the pool objects that are invalid and have no valid version in force. */
  readonly leftOut: ReadonlySet<string>;
  readonly findings: readonly ConfigurationFinding[];
}

export function speakerConfig({ configuration, findings, leftOut }: CompiledConfiguration): SpeakerConfig {
  const { pools, l2Advertisements } = configuration;
  return {
    pools,
    byPool: new Map([...pools, ...leftOut].map((pool) => [pool.name, advertisementsOf(pool, l2Advertisements)])),
    leftOut: new Set(leftOut.map(({ name }) => name)),
    findings,
  };
}

/**
 * Every kind that the configuration is written in, and nodes. Which namespaces may use a pool matters to who assigns
 * from it, not to who announces; and Secrets are not read by a process that does not need the passwords in them.
 */
export function speakerKinds(cluster: Cluster, namespace: string) {
  const own = { namespace };
  return {
    ...configurationKinds((resource) => cluster.cache(resource, own)),
    nodes: cluster.cache(NODES),
  };
}
