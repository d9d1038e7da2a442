import type { EndpointSlice, Node, Service } from "#api/kubernetes";
import type { IPAddressPool, L2Advertisement } from "#api/metallb";
import { LABEL } from "#api/names";
import { ENDPOINT_SLICES, IP_ADDRESS_POOLS, L2_ADVERTISEMENTS, NODES, SERVICES } from "#api/resources";
import { formatAddress, tryParseAddress } from "#core/address";
import { type AnnounceAnswer, electAnnouncer, type NodeFacts } from "#core/election";
import { poolOfAll } from "#core/pools";
import { toServiceView } from "#core/service-view";
import type { Cluster, ObjectCache } from "#kube/port";
import { compileConfig, EMPTY_CONFIG, type SpeakerConfig } from "./config.ts";

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
  readonly #pools: ObjectCache<IPAddressPool>;
  readonly #advertisements: ObjectCache<L2Advertisement>;
  readonly #slicesOf = new Map<string, Map<string, EndpointSlice>>();
  readonly #lbClass: string | null;
  readonly #ignoreExcludeLabel: boolean;
  #config: SpeakerConfig = EMPTY_CONFIG;

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
    },
  ) {
    const { namespace, onChange, onNodes, onConfig } = options;
    this.#lbClass = options.lbClass;
    this.#ignoreExcludeLabel = options.ignoreExcludeLabel;
    this.services = cluster.cache(SERVICES);
    this.#slices = cluster.cache(ENDPOINT_SLICES);
    this.#nodes = cluster.cache(NODES);
    this.#pools = cluster.cache(IP_ADDRESS_POOLS, { namespace });
    this.#advertisements = cluster.cache(L2_ADVERTISEMENTS, { namespace });
    for (const slice of this.#slices.list()) this.#index(slice, undefined);
    this.services.onChange((key) => onChange([key]));
    this.#slices.onChange((_key, now, before) => {
      this.#index(now, before);
      onChange([now, before].flatMap((slice) => serviceKeyOf(slice) ?? []));
    });
    this.#nodes.onChange((_key, now, before) => {
      if (now !== undefined && before !== undefined && sameNode(now, before)) return;
      onNodes();
      onChange(null);
    });
    const reconfigure = () => {
      this.recompile();
      onConfig();
      onChange(null);
    };
    this.#pools.onChange(reconfigure);
    this.#advertisements.onChange(reconfigure);
  }

  get config(): SpeakerConfig {
    return this.#config;
  }

  get synced(): boolean {
    return this.#caches().every(({ synced }) => synced);
  }

  /** Resolves when every cache has been filled once. */
  async whenSynced(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#caches().map((cache) => cache.whenSynced(signal)));
    this.recompile();
  }

  /** Problems of the connection, one sentence each; empty when all is well. */
  get problems(): readonly string[] {
    return this.#caches().flatMap(({ health }) => health.error ?? []);
  }

  recompile(): void {
    this.#config = compileConfig(this.#pools.list(), this.#advertisements.list(), this.#config);
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
    const pool = view.held === null ? undefined : poolOfAll(this.#config.pools, view.held);
    const answer = electAnnouncer({
      service: { ...view, addresses: view.ingress },
      pool: pool?.name ?? null,
      advertisements: pool === undefined ? [] : (this.#config.byPool.get(pool.name) ?? []),
      nodes,
      endpoints: this.#endpointsOf(key),
      ignoreExcludeLabel: this.#ignoreExcludeLabel,
    });
    return { key, addresses: view.ingress.map(canonical), answer };
  }

  #caches(): readonly ObjectCache<unknown>[] {
    return [this.services, this.#slices, this.#nodes, this.#pools, this.#advertisements];
  }

  #endpointsOf(key: string): readonly { readonly nodeName: string | null; readonly serving: boolean }[] {
    return [...(this.#slicesOf.get(key)?.values() ?? [])].flatMap(({ endpoints }) =>
      (endpoints ?? []).map(({ nodeName, conditions }) => ({
        nodeName: nodeName ?? null,
        serving: (conditions?.ready ?? true) || conditions?.serving === true,
      })),
    );
  }

  #index(now: EndpointSlice | undefined, before: EndpointSlice | undefined): void {
    const old = serviceKeyOf(before);
    if (old !== null) this.#slicesOf.get(old)?.delete(before?.metadata.name ?? "");
    const key = serviceKeyOf(now);
    if (key === null || now === undefined) return;
    const slices = this.#slicesOf.get(key) ?? new Map<string, EndpointSlice>();
    this.#slicesOf.set(key, slices.set(now.metadata.name ?? "", now));
  }
}

function serviceKeyOf(slice: EndpointSlice | undefined): string | null {
  const name = slice?.metadata.labels?.[LABEL.sliceService];
  return name === undefined ? null : `${slice?.metadata.namespace ?? "default"}/${name}`;
}

function isNetworkUnavailable({ status }: Node): boolean {
  return (status?.conditions ?? []).some(
    (condition) => condition.type === "NetworkUnavailable" && condition.status === "True",
  );
}

/** Nodes are written every few seconds; hardly ever does anything change that an election looks at. */
function sameNode(a: Node, b: Node): boolean {
  const facts = (node: Node) =>
    JSON.stringify([node.metadata.labels, isNetworkUnavailable(node), node.status?.addresses ?? []]);
  return facts(a) === facts(b);
}

function canonical(text: string): string {
  const address = tryParseAddress(text);
  return address === null ? text : formatAddress(address);
}
