import {
  ConfigurationSource,
  configurationKinds,
  NOTHING_COMPILED,
  type WatchedKinds,
} from "#api/configuration-source";
import { IP_ADDRESS_POOLS, NAMESPACES, NODES, SECRETS } from "#api/resources";
import type { CompiledConfiguration } from "#core/configuration";
import { sameL2, samePools } from "#core/configuration/same";
import { errorsAmong, findingText } from "#core/findings";
import type { PoolView } from "#core/pools";
import type { Cluster } from "#kube/port";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { EventRecorder } from "./events.ts";

/** What addresses are given out by. */
export interface PoolConfig {
  readonly pools: readonly PoolView[];
  /** Objects that exist, are invalid, and have no earlier valid version in force. */
  readonly leftOut: ReadonlySet<string>;
}

export function poolConfig({ configuration, leftOut }: CompiledConfiguration): PoolConfig {
  return { pools: configuration.pools, leftOut: new Set(leftOut.map(({ name }) => name)) };
}

/** Every kind that the configuration is written in, and what it depends on. */
export function controllerKinds(cluster: Cluster, namespace: string) {
  const own = { namespace };
  return {
    ...configurationKinds((resource) => cluster.cache(resource, own)),
    // The very same cache, known to hold pools: their statuses are written from it.
    pools: cluster.cache(IP_ADDRESS_POOLS, own),
    secrets: cluster.cache(SECRETS, own),
    nodes: cluster.cache(NODES),
    namespaces: cluster.cache(NAMESPACES),
  };
}

/** Changes of the configuration that come within so many ms are one. */
const GATHER_MS = 5;

interface ConfigurationDeps {
  readonly kinds: WatchedKinds;
  readonly namespace: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly events: EventRecorder;
  readonly onPools: (config: PoolConfig) => void;
  readonly onAdvertisements: () => void;
  /** Compiled anew; `valid` when nothing in it is wrong. */
  readonly onCompiled: (valid: boolean) => void;
}

/**
 * The configuration as the controller follows it. An object that is wrong gets a Warning Event and a line in the log,
 * once per sentence for as long as it stays true.
 */
export function controllerConfiguration(deps: ConfigurationDeps): ConfigurationSource {
  const { clock, log, events, onPools, onAdvertisements, onCompiled } = deps;
  let said: ReadonlySet<string> = new Set();
  const complain = (compiled: CompiledConfiguration) => {
    const errors = errorsAmong(compiled.findings);
    for (const finding of errors) {
      const text = findingText(finding);
      const subject = said.has(text) ? null : source.objectOf(finding);
      if (subject === null) continue;
      const { object, resource } = subject;
      const { apiVersion = `${resource.group}/${resource.version}` } = object;
      events.emit({ ...object, kind: resource.kind, apiVersion }, "Warning", "ConfigurationError", text);
      log.warn("configuration is invalid", { ...finding });
    }
    said = new Set(errors.map(findingText));
    onCompiled(errors.length === 0);
  };
  const source = new ConfigurationSource({
    ...deps,
    soon: (task) => void clock.schedule(GATHER_MS, task),
    onCompiled: (now, before) => {
      complain(now);
      const isFirst = before === NOTHING_COMPILED;
      if (isFirst || !samePools(now, before)) onPools(poolConfig(now));
      if (isFirst || !sameL2(now, before)) onAdvertisements();
    },
  });
  return source;
}
