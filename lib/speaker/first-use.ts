import type { Clock } from "#runtime/clock";
import { sleep } from "#runtime/clock";
import { ByAddress } from "./by-address.ts";
import { askWire, type WireDeps } from "./who-has.ts";
import type { WireWatch } from "./wire-watch.ts";
import type { Decision } from "./world.ts";

/** How long the wire is asked before an address is announced for the first time. */
const PROBE = { waitMs: 150, againMs: 60 } as const;
/** Where another machine has the address: how long the controller is given to pick another one. */
const MOVE_MS = 1500;

interface FirstUseDeps extends WireDeps {
  readonly node: string;
  readonly clock: Clock;
  readonly watch: Pick<WireWatch, "examine" | "settle">;
  /** Decide on these Services again. */
  readonly again: (keys: readonly string[]) => void;
}

/**
 * Asks the wire once before an address is announced for the first time.
 *
 * First is what appeared on a Service while this speaker was running, and was announced by nobody since: every
 * speaker sees it appear, so whoever takes over later knows that it is not the first. What was there when the speaker
 * started was announced before (or is asked about within a second of being announced); so neither a failover nor a
 * restart ever waits, with the API server or without it.
 */
export class FirstUse {
  readonly #deps: FirstUseDeps;
  readonly #holders = new ByAddress<true>();
  readonly #fresh = new Set<string>();
  readonly #asking = new Set<string>();

  constructor(deps: FirstUseDeps) {
    this.#deps = deps;
  }

  /**
   * Takes note of a decision (null: the Service is gone), which is news or was in force before. True where this node won
   * and must not announce yet: the wire is being asked, and `again` follows.
   */
  mustWait(key: string, decision: Decision | null, isNews: boolean): boolean {
    const { addresses = [], answer } = decision ?? {};
    this.#see(key, addresses, isNews);
    if (answer === undefined || answer.winner === null) return false;
    if (answer.winner !== this.#deps.node) {
      // Whatever comes later is a failover.
      for (const address of addresses) if (!this.#asking.has(address)) this.#fresh.delete(address);
      return false;
    }
    const fresh = addresses.filter((address) => this.#fresh.has(address));
    for (const address of fresh) {
      if (this.#asking.has(address)) continue;
      this.#asking.add(address);
      void this.#probe(address, answer.interfaces).finally(() => this.#done(address));
    }
    return fresh.length > 0;
  }

  #see(key: string, addresses: readonly string[], isNews: boolean): void {
    for (const address of this.#holders.set(key, new Map(addresses.map((one) => [one, true])))) {
      const holders = this.#holders.at(address);
      if (holders.size === 0) this.#fresh.delete(address);
      else if (isNews && holders.size === 1 && holders.has(key)) this.#fresh.add(address);
    }
  }

  async #probe(address: string, interfaces: readonly string[] | null): Promise<void> {
    const { watch, clock } = this.#deps;
    const [seen] = await askWire(this.#deps, [address], { ...PROBE, interfaces });
    if (seen === undefined || seen.answers.length === 0 || !this.#fresh.has(address)) return;
    const verdict = (await watch.examine([address], interfaces)).get(address);
    // Two nodes of ours: one is handing over, or the watch sees it last.
    if (verdict === undefined || verdict.kind === "clear" || verdict.kind === "split_brain") return;
    watch.settle(address, verdict);
    // Announced nevertheless when it stays: somebody asked for it, or there is no other.
    for (let waited = 0; verdict.kind === "conflict" && waited < MOVE_MS && this.#fresh.has(address); waited += 50) {
      await sleep(clock, 50);
    }
  }

  #done(address: string): void {
    this.#asking.delete(address);
    this.#fresh.delete(address);
    this.#deps.again([...this.#holders.at(address).keys()]);
  }
}
