import type { WantedCondition } from "#api/conditions";
import { interfacesUp, serviceOfReport, serviceOfSlice, toEndpointFacts } from "#api/facts";
import type { Node } from "#api/kubernetes/cluster";
import type { EndpointSlice } from "#api/kubernetes/services";
import type { L2Advertisement, ServiceL2Status, SpeakerState } from "#api/metallb";
import { CONDITION } from "#api/names";
import { keyOf } from "#api/resources";
import { asList, asObject } from "#api/unsound";
import { advertisementsOf, electAnnouncer, type L2Facts, type NodeFacts } from "#core/election";
import { explainAnnounce } from "#core/explain";
import type { PoolView } from "#core/pools";
import { conditionReason } from "#core/reasons";
import type { ServiceView } from "#core/service-view";
import type { ObjectCache } from "#kube/port";
import { Grouping } from "#runtime/grouping";
import { toNodeFacts } from "./facts.ts";
import { isNewer } from "./latest.ts";

interface AnnounceSources {
  readonly nodes: ObjectCache<Node>;
  readonly slices: ObjectCache<EndpointSlice>;
  /** Waited for only: they are read as the configuration has them in force. */
  readonly advertisements: ObjectCache<L2Advertisement>;
  readonly l2Statuses: ObjectCache<ServiceL2Status>;
  readonly speakers: ObjectCache<SpeakerState>;
}

interface AnnounceWatcher {
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
  readonly #advertisements: () => readonly L2Facts[];
  readonly #slices = new Grouping<EndpointSlice>(serviceOfSlice);
  readonly #reports = new Grouping<ServiceL2Status>(serviceOfReport);
  #nodes: readonly NodeFacts[] | null = null;

  /** `advertisements`: those in force, whoever changes them says so. */
  constructor(sources: AnnounceSources, advertisements: () => readonly L2Facts[]) {
    this.#sources = sources;
    this.#advertisements = advertisements;
  }

  /** True once every source was listed; before that nothing is claimed about announcing. */
  get synced(): boolean {
    return Object.values(this.#sources).every((cache) => cache.synced);
  }

  /** Builds the indexes and keeps them current, telling the watcher what to look at again. */
  follow({ onService, onAll }: AnnounceWatcher): void {
    const { nodes, slices, l2Statuses, speakers } = this.#sources;
    for (const slice of slices.list()) this.#slices.change(keyOf(slice), slice, undefined);
    for (const report of l2Statuses.list()) this.#reports.change(keyOf(report), report, undefined);
    slices.onChange((key, now, before) => {
      const touched = this.#slices.change(key, now, before);
      if (!same(now, before, (slice) => [serviceOfSlice(slice), toEndpointFacts([slice])])) touched.forEach(onService);
    });
    l2Statuses.onChange((key, now, before) => {
      const touched = this.#reports.change(key, now, before);
      if (!same(now, before, (report) => [serviceOfReport(report), report.status])) touched.forEach(onService);
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
  }

  /** The condition of a Service that holds `addresses` (texts) of `pool`. */
  conditionOf(service: ServiceView, addresses: readonly string[], pool: PoolView | undefined): WantedCondition {
    this.#nodes ??= toNodeFacts(this.#sources.nodes.list(), this.#sources.speakers.list());
    const answer = electAnnouncer({
      service: { ...service, addresses },
      pool: pool?.name ?? null,
      advertisements: pool === undefined ? [] : advertisementsOf(pool, this.#advertisements()),
      nodes: this.#nodes,
      endpoints: toEndpointFacts(this.#slices.of(service.key)),
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
    const reports = this.#reports.of(key).toSorted((a, b) => (isNewer(a, b) ? -1 : 1));
    // A plain upstream speaker publishes no SpeakerState: then its report is all there is to know.
    const trusted = this.#sources.speakers.list().length === 0;
    const ranked = trusted ? reports : order.flatMap((node) => reports.filter(({ status }) => status?.node === node));
    const status = ranked.find((report) => report.status?.node !== undefined)?.status;
    if (status === undefined) return null;
    const interfaces = asList(status.interfaces).flatMap((each) => {
      const { name } = asObject(each);
      return typeof name === "string" ? [name] : [];
    });
    return { node: status.node, interfaces: interfaces.length > 0 ? interfaces : null };
  }
}

function same<T>(now: T | undefined, before: T | undefined, facts: (object: T) => unknown): boolean {
  if (now === undefined || before === undefined) return false;
  return JSON.stringify(facts(now)) === JSON.stringify(facts(before));
}

/** What of a SpeakerState an election depends on: heartbeats and memory change all the time and mean nothing here. */
function speakerFacts({ status }: SpeakerState): unknown {
  return [
    status?.node,
    status?.ready,
    interfacesUp(status),
    asList(status?.members).map((member) => {
      const { node, alive } = asObject(member);
      return [node, alive];
    }),
  ];
}
