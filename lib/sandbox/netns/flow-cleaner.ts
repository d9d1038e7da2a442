import { Fault } from "#core/errors";
import { forgetFlows } from "#net/conntrack/forget-flows";
import type { Clock } from "#runtime/clock";
import { Coalesced } from "#runtime/coalesced";
import type { Log } from "#runtime/log";
import { EMPTY_TABLE, type ProxyTable } from "../proxy/table.ts";
import { flowRules, stalePlaces } from "./stale-flows.ts";
import { NETNS_DIR } from "./tools.ts";

/** What one node's kernel has been told, and where flows of before may be left. */
interface Known {
  readonly table: ProxyTable;
  readonly stale: ReadonlySet<string>;
}

/** The nodes' rules come into force one after the other, and all are to be in one run. */
const GATHER_MS = 10;
const NOTHING: Known = { table: EMPTY_TABLE, stale: new Set() };

/**
 * Makes the kernels of the nodes forget UDP flows that lead to where they are
 * no longer to go, soon after the change and for all nodes on one thread. What
 * fails is logged, and done with the next change.
 */
export class FlowCleaner {
  readonly #log: Log;
  readonly #nodes = new Map<string, Known>();
  readonly #clean: Coalesced;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#log = log;
    const onError = (error: unknown) => log.warn("UDP flows not forgotten", { error: Fault.from(error).message });
    this.#clean = new Coalesced({ clock, minGapMs: 20, task: () => this.#run(), onError });
  }

  /** To be called when a node's rules are in force, no sooner: the next datagram would make the old flow again. */
  programmed(node: string, table: ProxyTable): void {
    const known = this.#nodes.get(node) ?? NOTHING;
    const stale = new Set([...known.stale, ...stalePlaces(known.table, table)]);
    this.#nodes.set(node, { table, stale });
    if (stale.size > 0) this.#clean.request(GATHER_MS);
  }

  close(): void {
    this.#clean.close();
  }

  async #run(): Promise<void> {
    const work = [...this.#nodes].filter(([, { stale }]) => stale.size > 0);
    for (const [node, { table }] of work) this.#nodes.set(node, { table, stale: new Set() });
    const jobs = work.map(([node, { table, stale }]) => ({
      namespace: `${NETNS_DIR}/${node}`,
      rules: flowRules(stale, table),
    }));
    const results = await forgetFlows(jobs).catch((error) => {
      for (const [node, { stale }] of work) this.#keep(node, stale);
      throw error;
    });
    for (const [index, [node, { stale }]] of work.entries()) {
      const result = results[index];
      if (result?.kind === "forgotten") this.#log.debug("UDP flows forgotten", { node, ...result });
      else this.#log.warn("UDP flows not forgotten", { node, ...result });
      if (result?.kind === "forgotten" && result.complete) continue;
      this.#keep(node, stale);
      // There are fewer each time.
      if (result?.kind === "forgotten") this.#clean.request();
    }
  }

  #keep(node: string, stale: ReadonlySet<string>): void {
    const known = this.#nodes.get(node) ?? NOTHING;
    this.#nodes.set(node, { ...known, stale: new Set([...stale, ...known.stale]) });
  }
}
