import {
  type CompiledConfiguration,
  type ConfigurationInput,
  compileConfiguration,
  EMPTY_CONFIGURATION,
} from "#core/configuration";
import type { ConfigurationFinding } from "#core/configuration/finding";
import type { KubeObject } from "./kubernetes/objects.ts";
import {
  BFD_PROFILES,
  BGP_ADVERTISEMENTS,
  BGP_PEERS,
  COMMUNITIES,
  IP_ADDRESS_POOLS,
  isSameSpec,
  L2_ADVERTISEMENTS,
  type ResourceRef,
} from "./resources.ts";
import { asList, asObject } from "./unsound.ts";

/** The kinds that the configuration is written in, by the list of the compiler's input that they fill. */
export const CONFIGURATION_RESOURCES = {
  pools: IP_ADDRESS_POOLS,
  l2Advertisements: L2_ADVERTISEMENTS,
  bgpAdvertisements: BGP_ADVERTISEMENTS,
  peers: BGP_PEERS,
  communities: COMMUNITIES,
  bfdProfiles: BFD_PROFILES,
} as const satisfies Partial<Record<keyof ConfigurationInput, ResourceRef>>;

/** The watched caches of those kinds, each as `cacheOf` gives it. */
export function configurationKinds<C>(
  cacheOf: (resource: ResourceRef) => C,
): Readonly<Record<keyof typeof CONFIGURATION_RESOURCES, C>> {
  const { pools, l2Advertisements, bgpAdvertisements, peers, communities, bfdProfiles } = CONFIGURATION_RESOURCES;
  return {
    pools: cacheOf(pools),
    l2Advertisements: cacheOf(l2Advertisements),
    bgpAdvertisements: cacheOf(bgpAdvertisements),
    peers: cacheOf(peers),
    communities: cacheOf(communities),
    bfdProfiles: cacheOf(bfdProfiles),
  };
}

type List = keyof typeof CONFIGURATION_RESOURCES | "nodes" | "namespaces" | "secrets";

/** A watched kind: what of a cache is needed here. */
export interface WatchedKind {
  readonly synced: boolean;
  whenSynced(signal?: AbortSignal): Promise<void>;
  get(key: string): KubeObject | undefined;
  list(): readonly KubeObject[];
  onChange(listener: (key: string, now: KubeObject | undefined, before: KubeObject | undefined) => void): unknown;
}

export type WatchedKinds = Readonly<Partial<Record<List, WatchedKind>>>;

interface ConfigurationSourceOptions {
  readonly kinds: WatchedKinds;
  /** Where the configuration lives. */
  readonly namespace: string;
  readonly signal: AbortSignal;
  /** Runs the task a moment later: changes that come together are compiled together. */
  readonly soon: (task: () => void) => void;
  readonly onCompiled: (now: CompiledConfiguration, before: CompiledConfiguration) => void;
}

export const NOTHING_COMPILED: CompiledConfiguration = {
  configuration: EMPTY_CONFIGURATION,
  findings: [],
  leftOut: [],
};

/**
 * The configuration of a cluster, compiled anew whenever something changed that it depends on. The last valid version
 * of an object outlives an invalid edit, not the deletion of the object. A kind that is not listed yet, because its
 * CRD is missing say, holds up nothing: what would need it is not judged.
 */
export class ConfigurationSource {
  readonly #options: ConfigurationSourceOptions;
  #current = NOTHING_COMPILED;
  #isStale = true;
  /** How many kinds were listed when it was compiled. */
  #listed = 0;
  #isScheduled = false;

  constructor(options: ConfigurationSourceOptions) {
    this.#options = options;
    for (const [list, kind] of Object.entries(options.kinds)) {
      kind.onChange((_key, now, before) => {
        if (!isSame(list, now, before)) this.#touch();
      });
      if (kind.synced) continue;
      void kind.whenSynced(options.signal).then(
        () => this.#touch(),
        () => undefined,
      );
    }
  }

  /** As last compiled. */
  get current(): CompiledConfiguration {
    return this.#current;
  }

  /** Takes in at once what changed. */
  refresh(): CompiledConfiguration {
    const listed = Object.values(this.#options.kinds).filter(({ synced }) => synced).length;
    if (!this.#isStale && listed === this.#listed) return this.#current;
    this.#isStale = false;
    this.#listed = listed;
    const before = this.#current;
    this.#current = compileConfiguration(this.#input(), before.configuration);
    this.#options.onCompiled(this.#current, before);
    return this.#current;
  }

  /** The object that a finding is about, as it is now. */
  objectOf({
    kind,
    object,
  }: ConfigurationFinding): { readonly object: KubeObject; readonly resource: ResourceRef } | null {
    for (const [list, resource] of Object.entries(CONFIGURATION_RESOURCES)) {
      const found = resource.kind === kind ? this.#options.kinds[list as List]?.get(object) : undefined;
      if (found !== undefined) return { object: found, resource };
    }
    return null;
  }

  #input(): ConfigurationInput {
    const { kinds, namespace } = this.#options;
    const lists = Object.entries(kinds).filter(([, kind]) => kind.synced);
    return { ...Object.fromEntries(lists.map(([list, kind]) => [list, kind.list()])), namespace };
  }

  #touch(): void {
    this.#isStale = true;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.soon(() => {
      this.#isScheduled = false;
      if (!this.#options.signal.aborted) this.refresh();
    });
  }
}

/** Nothing that the compiler looks at changed: statuses and heartbeats are written all the time. */
function isSame(list: string, now: KubeObject | undefined, before: KubeObject | undefined): boolean {
  if (list !== "nodes" && list !== "secrets") return isSameSpec(now, before);
  if (now === undefined || before === undefined) return false;
  const facts = list === "nodes" ? nodeFacts : secretFacts;
  return JSON.stringify(facts(now)) === JSON.stringify(facts(before));
}

function nodeFacts({ metadata, ...node }: KubeObject): unknown {
  return [metadata.labels, asList(asObject(node.status).addresses)];
}

function secretFacts({ type, data }: KubeObject): unknown {
  return [type, asObject(data).password !== undefined];
}
