import { ConfigurationSource, NOTHING_COMPILED } from "#api/configuration-source";
import { isNetworkUnavailable, serviceOfSlice, toEndpointFacts } from "#api/facts";
import type { Node } from "#api/kubernetes/cluster";
import type { EndpointSlice, Service } from "#api/kubernetes/services";
import { ENDPOINT_SLICES, keyOf, NODES, SERVICES } from "#api/resources";
import { canonicalText, tryParseAddress } from "#core/address";
import { sameL2, sameLeftOut } from "#core/configuration/same";
import { type AnnounceAnswer, electAnnouncer, type NodeFacts } from "#core/election";
import { changedAmong, type PoolView, poolOfAll } from "#core/pools";
import { type ServiceView, toServiceView } from "#core/service-view";
import type { Cluster, ObjectCache } from "#kube/port";
import { Grouping } from "#runtime/grouping";
import { type SpeakerConfig, speakerConfig, speakerKinds } from "./config.ts";

/** What a speaker knows of another one, or of itself, when it elects. */
export interface Liveness {
  readonly alive: boolean;
  readonly ready: boolean;
  readonly interfaces: readonly string[] | null;
}

/** The outcome for one Service that has, or wants, an address. */
export interface Decision {
  readonly key: string;
  /** Canonical texts, in the order of the Service's status. */
  readonly addresses: readonly string[];
  readonly answer: AnnounceAnswer;
}

const UNKNOWN: Liveness = { alive: false, ready: false, interfaces: null };

/**
 * The cluster's objects as the election needs them. Stays as it last was
 * while the API server is away: caches are never emptied by a failure.
 */
export class World {
  readonly services: ObjectCache<Service>;
  readonly #slices: ObjectCache<EndpointSlice>;
  readonly #nodes: ObjectCache<Node>;
  readonly #kinds: ReturnType<typeof speakerKinds>;
  readonly #source: ConfigurationSource;
  readonly #slicesOf = new Grouping<EndpointSlice>(serviceOfSlice);
  readonly #lbClass: string | null;
  readonly #ignoreExcludeLabel: boolean;
  #config: SpeakerConfig = speakerConfig(NOTHING_COMPILED);

  constructor(
    cluster: Cluster,
    options: {
      readonly namespace: string;
      readonly lbClass: string | null;
      readonly ignoreExcludeLabel: boolean;
      /** `keys` of Services whose inputs changed; null when it may be all of them. */
      readonly onChange: (keys: readonly string[] | null) => void;
      readonly onNodes: () => void;
      readonly onConfig: () => void;
      readonly signal: AbortSignal;
      /** Runs the task a moment later. */
      readonly soon: (task: () => void) => void;
    },
  ) {
    const { namespace, onChange, onNodes, onConfig, signal, soon } = options;
    this.#lbClass = options.lbClass;
    this.#ignoreExcludeLabel = options.ignoreExcludeLabel;
    this.services = cluster.cache(SERVICES);
    this.#slices = cluster.cache(ENDPOINT_SLICES);
    this.#nodes = cluster.cache(NODES);
    this.#kinds = speakerKinds(cluster, namespace);
    for (const slice of this.#slices.list()) this.#slicesOf.change(keyOf(slice), slice, undefined);
    this.services.onChange((key) => onChange([key]));
    this.#slices.onChange((key, now, before) => onChange(this.#slicesOf.change(key, now, before)));
    this.#nodes.onChange((_key, now, before) => {
      if (now !== undefined && before !== undefined && sameNode(now, before)) return;
      onNodes();
      onChange(null);
    });
    this.#source = new ConfigurationSource({
      kinds: this.#kinds,
      namespace,
      signal,
      soon,
      onCompiled: (now, before) => {
        this.#config = speakerConfig(now);
        onConfig();
        if (sameLeftOut(now, before) && sameL2(now, before)) {
          const keys = this.#concerned(before.configuration.pools, now.configuration.pools);
          if (keys.length > 0) onChange(keys);
        } else onChange(null);
      },
    });
  }

  get config(): SpeakerConfig {
    return this.#config;
  }

  /** Resolves when every cache that an election needs has been filled once. */
  async whenSynced(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#caches().map((cache) => cache.whenSynced(signal)));
    this.#source.refresh();
  }

  /** Problems of the connection, one sentence each; empty when all is well. */
  get problems(): readonly string[] {
    return this.#caches().flatMap(({ health }) => health.error ?? []);
  }

  /** Where the speakers of the other nodes are, by node. */
  addressesExcept(self: string): ReadonlyMap<string, string> {
    const addresses = new Map<string, string>();
    for (const node of this.#nodes.list()) {
      const name = node.metadata.name ?? "";
      const internal = node.status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
      if (name !== self && internal !== undefined) addresses.set(name, internal);
    }
    return addresses;
  }

  /** Node by each of its own addresses, canonical text. */
  get nodeAddresses(): ReadonlyMap<string, string> {
    return new Map(
      this.#nodes
        .list()
        .flatMap((node) => addressesOf(node).map((address) => [address, node.metadata.name ?? ""] as const)),
    );
  }

  /** Own addresses of a node, canonical texts; empty when there is no such node. */
  addressesOf(name: string): readonly string[] {
    const node = this.#nodes.get(name);
    return node === undefined ? [] : addressesOf(node);
  }

  nodeFacts(liveness: ReadonlyMap<string, Liveness>): readonly NodeFacts[] {
    return this.#nodes.list().map((node) => ({
      name: node.metadata.name ?? "",
      labels: node.metadata.labels ?? {},
      networkUnavailable: isNetworkUnavailable(node),
      ...(liveness.get(node.metadata.name ?? "") ?? UNKNOWN),
    }));
  }

  /** Elects for one Service; null when it is gone or none of ours. */
  decide(key: string, nodes: readonly NodeFacts[]): Decision | null {
    const object = this.services.get(key);
    if (object === undefined) return null;
    const view = toServiceView(object);
    if (!view.isLoadBalancer || view.loadBalancerClass !== this.#lbClass) return null;
    const pool = this.#poolOf(view);
    const answer = electAnnouncer({
      service: { ...view, addresses: view.ingress },
      pool,
      advertisements: pool === null ? [] : (this.#config.byPool.get(pool) ?? []),
      nodes,
      endpoints: toEndpointFacts(this.#slicesOf.of(key)),
      ignoreExcludeLabel: this.#ignoreExcludeLabel,
    });
    return { key, addresses: view.ingress.map(canonicalText), answer };
  }

  /** Whether a node's proxy serves what it gets for a Service: under externalTrafficPolicy Local only if an endpoint is there. */
  mayServe(key: string, node: string): boolean {
    const isLocal = this.services.get(key)?.spec?.externalTrafficPolicy === "Local";
    return !isLocal || toEndpointFacts(this.#slicesOf.of(key)).some(({ nodeName }) => nodeName === node);
  }

  /** Name of the pool that owns all its addresses. */
  #poolOf({ held, allocatedFrom }: ServiceView): string | null {
    if (held === null) return null;
    const owner = poolOfAll(this.#config.pools, held);
    if (owner !== undefined) return owner.name;
    // Its pool is invalid and we never saw it valid. The others did: whoever restarted meanwhile must elect as they do.
    return allocatedFrom !== null && this.#config.leftOut.has(allocatedFrom) ? allocatedFrom : null;
  }

  /** Keys of the Services that hold an address whose pool is another one, or says something else. */
  #concerned(before: readonly PoolView[], now: readonly PoolView[]): readonly string[] {
    const isChanged = changedAmong(before, now);
    const concerns = ({ status }: Service) =>
      (status?.loadBalancer?.ingress ?? []).some(({ ip }) => {
        const address = tryParseAddress(ip ?? "");
        return address !== null && isChanged(address);
      });
    return this.services.list().filter(concerns).map(keyOf);
  }

  #caches(): readonly ObjectCache<unknown>[] {
    return [this.services, this.#slices, this.#nodes, this.#kinds.pools, this.#kinds.l2Advertisements];
  }
}

/** Nodes are written every few seconds; hardly ever does anything change that an election looks at. */
function sameNode(a: Node, b: Node): boolean {
  const facts = (node: Node) =>
    JSON.stringify([node.metadata.labels, isNetworkUnavailable(node), node.status?.addresses ?? []]);
  return facts(a) === facts(b);
}

function addressesOf({ status }: Node): readonly string[] {
  return (status?.addresses ?? []).flatMap(({ type, address }) =>
    type === "InternalIP" ? canonicalText(address) : [],
  );
}
