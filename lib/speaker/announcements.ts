import type { Service } from "#api/kubernetes/services";
import type { AnnounceReason } from "#core/reasons";
import type { Log } from "#runtime/log";
import type { Gauge, Metrics } from "#runtime/metrics";
import type { Announcer } from "./announcer.ts";
import { ByAddress } from "./by-address.ts";
import type { EventWriter } from "./events.ts";
import type { Decision } from "./world.ts";

/** One Service that this node announces. */
export interface Announced {
  readonly addresses: readonly string[];
  /** Names of the interfaces; null means all. */
  readonly interfaces: readonly string[] | null;
  /** RFC 3339. */
  readonly since: string;
}

interface AnnouncementsDeps {
  readonly node: string;
  readonly announcer: Announcer;
  readonly events: EventWriter;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly time: () => string;
  readonly service: (key: string) => Service | undefined;
  /** What is announced for a Service changed. */
  readonly onChange: (key: string) => void;
}

/** What this node announces, kept equal to the decisions: on the wire, in metrics, Events and log. */
export class Announcements {
  readonly #deps: AnnouncementsDeps;
  readonly #gauge: Gauge;
  readonly #mine = new Map<string, Announced>();
  readonly #holders = new ByAddress<Announced>();
  readonly #warned = new Set<string>();

  constructor(deps: AnnouncementsDeps) {
    this.#deps = deps;
    this.#gauge = deps.metrics.gauge(
      "metallb_speaker_announced",
      "Services being announced from this node. This is desired state, it does not guarantee that the routing protocols have converged.",
    );
  }

  get(key: string): Announced | undefined {
    return this.#mine.get(key);
  }

  get all(): ReadonlyMap<string, Announced> {
    return this.#mine;
  }

  /** Forgets everything without touching the wire: for the shutdown. */
  clear(): void {
    this.#mine.clear();
  }

  /**
   * Makes a decision true; null means the Service is gone. `quiet` leaves out the Event: an announcement that survived
   * a restart of this process is no news. `waits`: nothing is announced yet, even if it is won.
   */
  apply(
    key: string,
    decision: Decision | null,
    { quiet, waits }: { readonly quiet: boolean; readonly waits: boolean },
  ): void {
    const { node, announcer } = this.#deps;
    const before = this.#mine.get(key);
    const winner = decision?.answer.winner ?? null;
    const won = decision !== null && winner === node && !waits;
    const now = won ? this.#announcement(decision, before) : undefined;
    this.#warnOfInterfaces(key, decision);
    if (now === before) return;
    if (now === undefined) this.#mine.delete(key);
    else this.#mine.set(key, now);
    for (const ip of this.#holders.set(key, new Map(now?.addresses.map((address) => [address, now])))) {
      const holders = this.#holders.at(ip);
      if (holders.has(key)) this.#gauge.set(this.#labels(key, ip), 1);
      else this.#gauge.remove(this.#labels(key, ip));
      // An address that the Service has no longer has no successor either.
      const passesOn = winner !== null && winner !== node && decision?.addresses.includes(ip) === true;
      if (holders.size > 0) announcer.hold(ip, unionOf([...holders.values()]));
      else if (passesOn) announcer.handOver(ip);
      else announcer.drop(ip);
    }
    this.#deps.onChange(key);
    this.#report(key, decision, before, now, quiet);
  }

  #announcement({ addresses, answer }: Decision, before: Announced | undefined): Announced {
    const same =
      before?.addresses.join() === addresses.join() && before.interfaces?.join() === answer.interfaces?.join();
    if (before !== undefined && same) return before;
    return { addresses, interfaces: answer.interfaces, since: before?.since ?? this.#deps.time() };
  }

  #report(
    key: string,
    decision: Decision | null,
    before: Announced | undefined,
    now: Announced | undefined,
    quiet: boolean,
  ): void {
    const { log, node, service, events } = this.#deps;
    if (now === undefined) {
      const lost = decision === null ? "service_gone" : reasonAt(node, decision);
      const reason = lost === "announced" ? "address_changed" : lost;
      log.info("service withdrawn", { event: "serviceWithdrawn", service: key, ips: before?.addresses, reason });
      return;
    }
    log.info("service announced", { event: "serviceAnnounced", service: key, ips: now.addresses, protocol: "layer2" });
    const object = service(key);
    if (quiet || object === undefined || before?.addresses.join() === now.addresses.join()) return;
    const message = `announcing from node "${node}" with protocol "layer2"`;
    events.emit(object, { type: "Normal", reason: "nodeAssigned", message });
  }

  /** Nobody announces, and what stops this node is that it has none of the interfaces asked for. */
  #warnOfInterfaces(key: string, decision: Decision | null): void {
    const { node, service, events } = this.#deps;
    if (decision === null || decision.answer.winner !== null || reasonAt(node, decision) !== "no_usable_interface") {
      this.#warned.delete(key);
      return;
    }
    const object = service(key);
    if (object === undefined || this.#warned.has(key)) return;
    this.#warned.add(key);
    const message = `no interface of node "${node}" is up and allowed by the L2Advertisements of this service`;
    events.emit(object, { type: "Warning", reason: "announceFailed", message });
  }

  #labels(service: string, ip: string) {
    return { service, protocol: "layer2", node: this.#deps.node, ip };
  }
}

/** Why a node does, or does not, announce. */
export function reasonAt(node: string, { answer }: Decision): AnnounceReason {
  return answer.reasons.get(node) ?? answer.reason;
}

/** Services that share an address are announced wherever one of them may be. */
function unionOf(holders: readonly Announced[]): readonly string[] | null {
  if (holders.some(({ interfaces }) => interfaces === null)) return null;
  return [...new Set(holders.flatMap(({ interfaces }) => interfaces ?? []))].toSorted();
}
