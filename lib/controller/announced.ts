import type { EndpointSlice, Node } from "#api/kubernetes";
import type { L2Advertisement, ServiceL2Status, SpeakerState } from "#api/metallb";
import { CONDITION, LABEL } from "#api/names";
import { advertisementsOf, electAnnouncer, type L2Facts, type NodeFacts } from "#core/election";
import { explainAnnounce } from "#core/explain";
import type { PoolView } from "#core/pools";
import { conditionReason } from "#core/reasons";
import type { ServiceView } from "#core/service-view";
import type { ObjectCache } from "#kube/port";
import type { Wanted } from "./conditions.ts";
import { toEndpointFacts, toL2Facts, toNodeFacts } from "./facts.ts";
import { isNewer } from "./latest.ts";

export interface AnnounceSources {
  readonly nodes: ObjectCache<Node>;
  readonly slices: ObjectCache<EndpointSlice>;
  readonly advertisements: ObjectCache<L2Advertisement>;
  readonly l2Statuses: ObjectCache<ServiceL2Status>;
  readonly speakers: ObjectCache<SpeakerState>;
}

export interface AnnounceWatcher {
  /** A Service ("namespace/name") to look at again. */
  readonly onService: (key: string) => void;
  /** Something that concerns every Service changed. */
  readonly onAll: () => void;
}

/** Reason of condition Announced while the elected speaker has not reported yet: neither yes nor no. */
export const AWAITING = "AwaitingSpeaker";

/**
 * Derives condition `berth.dev/Announced`: what speakers report
 * (ServiceL2Status), and where nobody does, why, by the same election that the
 * speakers hold. Keeps indexes, so that one Service costs what concerns it.
 */
export class AnnouncedView {
  readonly #sources: AnnounceSources;
  readonly #slices = new Map<string, Map<string, EndpointSlice>>();
  readonly #reports = new Map<string, Map<string, ServiceL2Status>>();
  #nodes: readonly NodeFacts[] | null = null;
  #advertisements: readonly L2Facts[] | null = null;

  constructor(sources: AnnounceSources) {
    this.#sources = sources;
  }

  /** True once every source was listed; before that nothing is claimed about announcing. */
  get synced(): boolean {
    return Object.values(this.#sources).every((cache) => cache.synced);
  }

  /** Builds the indexes and keeps them current, telling the watcher what to look at again. */
  follow({ onService, onAll }: AnnounceWatcher): void {
    const { nodes, slices, advertisements, l2Statuses, speakers } = this.#sources;
    for (const slice of slices.list()) index(this.#slices, slice, serviceOfSlice(slice));
    for (const report of l2Statuses.list()) index(this.#reports, report, serviceOfReport(report));
    slices.onChange((key, now, before) => {
      const service = change(this.#slices, key, { now, before, serviceOf: serviceOfSlice });
      if (service === null || same(now, before, (slice) => toEndpointFacts([slice]))) return;
      onService(service);
    });
    l2Statuses.onChange((key, now, before) => {
      const service = change(this.#reports, key, { now, before, serviceOf: serviceOfReport });
      if (service !== null && !same(now, before, ({ status }) => status)) onService(service);
    });
    nodes.onChange((_key, now, before) => {
      if (same(now, before, (node) => toNodeFacts([node], []))) return;
      this.#nodes = null;
      onAll();
    });
    speakers.onChange((_key, now, before) => {
      if (same(now, before, speakerFacts)) return;
      this.#nodes = null;
      onAll();
    });
    advertisements.onChange((_key, now, before) => {
      if (same(now, before, toL2Facts)) return;
      this.#advertisements = null;
      onAll();
    });
  }

  /** The condition of a Service that holds `addresses` (texts) of `pool`. */
  conditionOf(service: ServiceView, addresses: readonly string[], pool: PoolView | undefined): Wanted {
    this.#nodes ??= toNodeFacts(this.#sources.nodes.list(), this.#sources.speakers.list());
    this.#advertisements ??= this.#sources.advertisements.list().map(toL2Facts);
    const answer = electAnnouncer({
      service: { ...service, addresses },
      pool: pool?.name ?? null,
      advertisements: pool === undefined ? [] : advertisementsOf(pool, this.#advertisements),
      nodes: this.#nodes,
      endpoints: toEndpointFacts([...(this.#slices.get(service.key)?.values() ?? [])]),
    });
    const type = CONDITION.announced;
    const text = addresses.join(", ");
    const report = this.#reportOf(service.key, answer.order);
    if (report?.node !== undefined) {
      const facts = { node: report.node, address: text, interfaces: report.interfaces };
      return {
        type,
        status: "True",
        reason: conditionReason("announced"),
        message: explainAnnounce("announced", facts),
      };
    }
    if (answer.winner !== null) {
      const message = `${answer.winner} is elected to announce ${text} and has not reported yet`;
      return { type, status: "Unknown", reason: AWAITING, message };
    }
    const message = explainAnnounce(answer.reason, { address: text, pool: pool?.name });
    return { type, status: "False", reason: conditionReason(answer.reason), message };
  }

  /** Of several reports (a failover under way) that of the best candidate; a report by a node that is none is stale. */
  #reportOf(key: string, order: readonly string[]) {
    const reports = [...(this.#reports.get(key)?.values() ?? [])].toSorted((a, b) => (isNewer(a, b) ? -1 : 1));
    // A plain upstream speaker publishes no SpeakerState: then its report is all there is to know.
    const trusted = this.#sources.speakers.list().length === 0;
    const ranked = trusted ? reports : order.flatMap((node) => reports.filter(({ status }) => status?.node === node));
    const status = ranked.find((report) => report.status?.node !== undefined)?.status;
    if (status === undefined) return null;
    const interfaces = status.interfaces?.flatMap(({ name }) => name ?? []) ?? [];
    return { node: status.node, interfaces: interfaces.length > 0 ? interfaces : null };
  }
}

type Index<T> = Map<string, Map<string, T>>;
type Keyed = { readonly metadata: { readonly namespace?: string | undefined; readonly name?: string | undefined } };

function index<T extends Keyed>(map: Index<T>, object: T, service: string | null): void {
  if (service === null) return;
  const inner = map.get(service) ?? new Map<string, T>();
  map.set(service, inner.set(`${object.metadata.namespace}/${object.metadata.name}`, object));
}

function change<T extends Keyed>(
  map: Index<T>,
  key: string,
  { now, before, serviceOf }: { now: T | undefined; before: T | undefined; serviceOf: (object: T) => string | null },
): string | null {
  const old = before === undefined ? null : serviceOf(before);
  if (old !== null) {
    map.get(old)?.delete(key);
    if (map.get(old)?.size === 0) map.delete(old);
  }
  if (now === undefined) return old;
  index(map, now, serviceOf(now));
  return serviceOf(now) ?? old;
}

function same<T>(now: T | undefined, before: T | undefined, facts: (object: T) => unknown): boolean {
  if (now === undefined || before === undefined) return false;
  return JSON.stringify(facts(now)) === JSON.stringify(facts(before));
}

function serviceOfSlice({ metadata }: EndpointSlice): string | null {
  const name = metadata.labels?.[LABEL.sliceService];
  return name === undefined ? null : `${metadata.namespace}/${name}`;
}

function serviceOfReport({ metadata, status }: ServiceL2Status): string | null {
  const name = status?.serviceName ?? metadata.labels?.[LABEL.serviceName];
  const namespace = status?.serviceNamespace ?? metadata.labels?.[LABEL.serviceNamespace];
  return name === undefined || namespace === undefined ? null : `${namespace}/${name}`;
}

/** What of a SpeakerState an election depends on: heartbeats and memory change all the time and mean nothing here. */
function speakerFacts({ status }: SpeakerState): unknown {
  return [
    status?.node,
    status?.ready,
    status?.interfaces?.map(({ name, up }) => [name, up]),
    status?.members?.map(({ node, alive }) => [node, alive]),
  ];
}
