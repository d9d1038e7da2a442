import type { Service } from "#api/kubernetes/services";
import { ANNOTATION } from "#api/names";
import { keyOf, SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import { Coalesced } from "#runtime/coalesced";
import type { Log } from "#runtime/log";
import { PENDING } from "../edge/listener.ts";
import type { Reachable, Wanted } from "../edge/mapping.ts";
import type { Edge } from "../edge/start.ts";
import type { Objects, ObjectView } from "../port.ts";

/** What the edge shall offer: every port of every address that a LoadBalancer Service holds, sorted. */
export function wantedListeners(services: readonly Service[]): readonly Wanted[] {
  const wanted: Wanted[] = [];
  for (const service of services) {
    if (service.spec?.type !== "LoadBalancer" || service.metadata.deletionTimestamp !== undefined) continue;
    const preferred = readReachableAt(service.metadata.annotations?.[ANNOTATION.reachableAt] ?? "");
    for (const { ip } of service.status?.loadBalancer?.ingress ?? []) {
      if (ip === undefined) continue;
      for (const { port, protocol = "TCP" } of service.spec.ports ?? []) {
        if (protocol !== "TCP" && protocol !== "UDP") continue;
        const preferredPort = preferred.get(`${port}/${protocol}`);
        const base = { address: ip, port, protocol, key: keyOf(service) } as const;
        wanted.push(preferredPort === undefined ? base : { ...base, preferredPort });
      }
    }
  }
  const order = ({ key, address, port, protocol }: Wanted) =>
    `${key} ${address} ${String(port).padStart(5, "0")} ${protocol}`;
  return wanted.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** "80/TCP=127.0.0.1:18080, 443/TCP=…" → mapped port by "port/protocol"; what cannot be read is left out. */
export function readReachableAt(text: string): ReadonlyMap<string, number> {
  const ports = new Map<string, number>();
  for (const entry of text.split(",")) {
    const match = /^\s*(\d+\/(?:TCP|UDP))=.*:(\d+)\s*$/.exec(entry);
    if (match?.[1] !== undefined && !ports.has(match[1])) ports.set(match[1], Number(match[2]));
  }
  return ports;
}

/** The annotation's text for one Service; null when its addresses are bound themselves. */
export function reachableText(rows: readonly Reachable[]): string | null {
  const entries = rows.flatMap(({ mapped, at, port, protocol }) =>
    mapped && at !== null ? [`${port}/${protocol}=${at.address}:${at.port}`] : [],
  );
  return entries.length === 0 ? null : [...new Set(entries)].join(", ");
}

/** Keeps `berth.dev/reachable-at` of every Service as the edge's listeners are: written on change only. */
export class ReachableAt {
  readonly #deps: {
    readonly objects: Objects;
    readonly log: Log;
    readonly edge: Edge;
    readonly services: ObjectView<Service>;
  };
  readonly #write: Coalesced;
  readonly #stop: () => void;
  #settled = false;

  constructor(deps: {
    readonly objects: Objects;
    readonly clock: Clock;
    readonly log: Log;
    readonly edge: Edge;
    readonly services: ObjectView<Service>;
  }) {
    this.#deps = deps;
    const onError = (error: unknown) => deps.log.warn("reachable-at not written", { error: Fault.from(error).message });
    this.#write = new Coalesced({ clock: deps.clock, minGapMs: 50, task: () => this.#run(), onError });
    this.#stop = deps.edge.onReachable(() => this.refresh());
  }

  /** The edge has tried its first list: until then nothing an earlier run wrote is taken away. */
  settled(): void {
    this.#settled = true;
    this.refresh();
  }

  refresh(): void {
    if (this.#settled) this.#write.request();
  }

  close(): void {
    this.#stop();
    this.#write.close();
  }

  async #run(): Promise<void> {
    const rows = new Map<string, Reachable[]>();
    for (const row of this.#deps.edge.reachable()) {
      const of = rows.get(row.key);
      if (of === undefined) rows.set(row.key, [row]);
      else of.push(row);
    }
    const writes = this.#deps.services.list().flatMap((service) => {
      const own = rows.get(keyOf(service)) ?? [];
      // A listener that is being opened has not said yet where it ends up.
      if (own.some(({ at, why }) => at === null && why === PENDING)) return [];
      const wanted = reachableText(own);
      const current = service.metadata.annotations?.[ANNOTATION.reachableAt] ?? null;
      return wanted === current ? [] : [this.#patch(service, wanted)];
    });
    await Promise.all(writes);
  }

  async #patch(service: Service, text: string | null): Promise<void> {
    const { name = "", namespace } = service.metadata;
    const body = { metadata: { annotations: { [ANNOTATION.reachableAt]: text } } };
    try {
      await this.#deps.objects.patch(SERVICES, { name, namespace }, { kind: "merge", body });
    } catch (error) {
      if (Fault.from(error).code !== "not_found") throw error;
    }
  }
}
