import type { EndpointSlice, Service } from "#api/kubernetes/services";
import { ENDPOINT_SLICES, SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import { Coalesced } from "#runtime/coalesced";
import type { Log } from "#runtime/log";
import type { ProxySettings } from "../kubelet/runtimes/kube-proxy.ts";
import type { Objects, ObjectView } from "../port.ts";
import { buildTable, EMPTY_TABLE, type ProxyTable } from "../proxy/table.ts";
import { FlowCleaner } from "./flow-cleaner.ts";
import { ipvsLines } from "./ipvs.ts";
import { API_SERVICE, LAN } from "./plan.ts";
import { buildRuleset, type Ruleset, redirected, transaction } from "./ruleset.ts";
import { ipLines, runIn, setSysctls } from "./tools.ts";

const RETRY_MS = 1_000;

/** What one node's kernel was told last. */
interface Programmed {
  readonly node: string;
  rules: Ruleset | null;
  text: string;
  settings: ProxySettings;
  /** On kube-ipvs0; null: there is no such interface. */
  ipvs: ReadonlySet<string> | null;
  strictArp: boolean | null;
}

/**
 * Carries Services and EndpointSlices into the kernels of all nodes: nftables
 * rules, one transaction a change, without the UDP flows that it makes stale,
 * and in mode ipvs the addresses of kube-ipvs0 with the ARP settings that strictARP asks for.
 */
export class ServiceRules {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #apiPort: number;
  readonly #services: ObjectView<Service>;
  readonly #slices: ObjectView<EndpointSlice>;
  readonly #nodes: ReadonlyMap<string, Programmed>;
  readonly #apply: Coalesced;
  readonly #flows: FlowCleaner;
  readonly #stops: (() => void)[] = [];

  constructor(deps: {
    readonly objects: Objects;
    readonly clock: Clock;
    readonly log: Log;
    readonly apiPort: number;
    readonly nodes: readonly string[];
  }) {
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#apiPort = deps.apiPort;
    this.#services = deps.objects.cache(SERVICES);
    this.#slices = deps.objects.cache(ENDPOINT_SLICES);
    const settings = { mode: "iptables", strictArp: false } as const;
    this.#nodes = new Map(
      deps.nodes.map((node) => [node, { node, rules: null, text: "", settings, ipvs: null, strictArp: null }]),
    );
    const onError = (error: unknown) => {
      this.#log.error("services not applied", { error: Fault.from(error).message });
      this.#stops[2]?.();
      this.#stops[2] = this.#clock.schedule(RETRY_MS, () => this.#apply.request());
    };
    this.#apply = new Coalesced({ clock: deps.clock, minGapMs: 20, task: () => this.#run(), onError });
    this.#flows = new FlowCleaner(deps);
  }

  start(): void {
    const again = () => this.#apply.request(2);
    this.#stops.push(this.#services.onChange(again), this.#slices.onChange(again));
    this.#apply.request();
  }

  setProxy(node: string, settings: ProxySettings): void {
    const known = this.#nodes.get(node);
    if (known === undefined) return;
    known.settings = settings;
    this.#apply.request();
  }

  close(): void {
    this.#apply.close();
    this.#flows.close();
    for (const stop of this.#stops) stop();
  }

  /** The addresses that LoadBalancer Services hold now. */
  table(): ProxyTable {
    if (!this.#services.synced || !this.#slices.synced) return EMPTY_TABLE;
    const table = buildTable(this.#services.list(), this.#slices.list());
    // The object names an address that is nowhere; the API server is here.
    const server = { address: LAN.control, port: this.#apiPort, node: null, state: "ready" } as const;
    return redirected(table, API_SERVICE, server);
  }

  async #run(): Promise<void> {
    const table = this.table();
    const results = await Promise.allSettled([...this.#nodes.values()].map((node) => this.#program(node, table)));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  async #program(node: Programmed, table: ProxyTable): Promise<void> {
    const rules = buildRuleset(table, node.node);
    const text = transaction(rules, rules);
    if (text !== node.text) {
      const before = node.rules;
      node.rules = null;
      await runIn(node.node, "nft", ["-f", "-"], transaction(before, rules));
      node.rules = rules;
      node.text = text;
    }
    this.#flows.programmed(node.node, table);
    await this.#programIpvs(node, table);
  }

  async #programIpvs(node: Programmed, table: ProxyTable): Promise<void> {
    const { settings } = node;
    const strictArp = settings.mode === "ipvs" && settings.strictArp;
    if (node.strictArp !== strictArp) {
      const [ignore, announce] = strictArp ? ["1", "2"] : ["0", "0"];
      await setSysctls(node.node, {
        "net/ipv4/conf/all/arp_ignore": ignore,
        "net/ipv4/conf/all/arp_announce": announce,
      });
      node.strictArp = strictArp;
    }
    const wanted = settings.mode === "ipvs" ? table.loadBalancerAddresses : null;
    const lines = ipvsLines(node.ipvs, wanted);
    if (lines.length === 0) return;
    await ipLines(node.node, lines);
    node.ipvs = wanted;
  }
}
