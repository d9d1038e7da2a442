import type { AddressHold } from "#api/holds";
import { ADDRESS_HOLDS } from "#api/resources";
import { parseAddress } from "#core/address";
import { Fault } from "#core/errors";
import { conflictHoldName, type WireVerdict } from "#core/who-has";
import type { Cluster } from "#kube/port";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import { runLoop } from "#runtime/loop";
import { WorkQueue } from "#runtime/work-queue";

/** An address stays set aside for so long after the other machine was last seen. */
const HOLD_MS = 120_000;
const RENEW_BELOW_MS = 60_000;
/** Permissions and the kind itself may come later. */
const REFUSED_RETRY_MS = 10_000;
const RACE_MS = 100;

interface ConflictHoldDeps {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Log;
  readonly node: string;
  readonly signal: AbortSignal;
  /** What is wrong with an address now; undefined when nothing is. */
  readonly verdictOn: (address: string) => WireVerdict | undefined;
}

/**
 * Sets addresses aside that another machine uses, by an AddressHold (reason `conflict`): made when the machine is
 * found, renewed while it is seen, gone two minutes after. What somebody else wrote under that name is left alone.
 */
export class ConflictHolds {
  readonly #deps: ConflictHoldDeps;
  readonly #queue: WorkQueue;
  /** Addresses that a hold of this node sets aside. */
  readonly #held = new Set<string>();

  constructor(deps: ConflictHoldDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue({ clock: deps.clock });
  }

  /** Watched until their holds are over, announced or not. */
  get addresses(): readonly string[] {
    return [...this.#held];
  }

  touch(address: string): void {
    this.#queue.add(address);
  }

  /** Takes over the holds that this node made before a restart, then keeps them until the signal aborts. Never rejects. */
  async run(): Promise<void> {
    const { cluster, log, signal, node } = this.#deps;
    void cluster.list(ADDRESS_HOLDS, { signal }).then(
      ({ items }) => {
        for (const { spec } of items) {
          const [address] = spec.addresses;
          if (spec.reason === "conflict" && spec.node === node && address !== undefined) this.#resume(address);
        }
      },
      (thrown) => log.debug("holds not read", { error: Fault.from(thrown).message }),
    );
    await runLoop(this.#queue, (address) => this.#reconcile(address), { log, signal });
  }

  #resume(address: string): void {
    this.#held.add(address);
    this.#queue.addAfter(address, RENEW_BELOW_MS / 4);
  }

  async #reconcile(address: string): Promise<{ readonly requeueAfterMs?: number }> {
    try {
      return await this.#keep(address);
    } catch (thrown) {
      const fault = Fault.from(thrown);
      if (fault.retryable) throw fault;
      // Another node was quicker.
      if (fault.code === "already_exists") return { requeueAfterMs: RACE_MS };
      this.#deps.log.warn("address not set aside", { address, code: fault.code, error: fault.message });
      return { requeueAfterMs: REFUSED_RETRY_MS };
    }
  }

  async #keep(address: string): Promise<{ readonly requeueAfterMs?: number }> {
    const { cluster, clock, node, verdictOn } = this.#deps;
    const name = conflictHoldName(parseAddress(address));
    const verdict = verdictOn(address);
    const mac = verdict?.kind === "conflict" ? verdict.claimants.find((one) => one.node === null)?.mac : undefined;
    if (mac === undefined && !this.#held.has(address)) return {};
    const present = await cluster.get(ADDRESS_HOLDS, { name }).catch(absent);
    const leftMs = present === null ? 0 : Date.parse(present.spec.expiry ?? "") - clock.now();
    const isOurs = present?.spec.reason === "conflict" && Number.isFinite(leftMs);
    if (present !== null && !isOurs) return this.#forget(address);
    if (mac === undefined) {
      if (leftMs > 0) return { requeueAfterMs: leftMs };
      if (present?.spec.node === node) await cluster.remove(ADDRESS_HOLDS, { name }).catch(absent);
      return this.#forget(address);
    }
    this.#held.add(address);
    // Where several nodes hear the same machine, the first to say so is named.
    if (leftMs >= RENEW_BELOW_MS) return { requeueAfterMs: leftMs - RENEW_BELOW_MS };
    const by = present !== null && leftMs > 0 && present.spec.mac === mac ? (present.spec.node ?? node) : node;
    const expiry = new Date(clock.now() + HOLD_MS).toISOString();
    const spec = { addresses: [address], reason: "conflict" as const, expiry, mac, node: by };
    if (present === null) await cluster.create(ADDRESS_HOLDS, { metadata: { name }, spec } satisfies AddressHold);
    else await cluster.patch(ADDRESS_HOLDS, { name }, { kind: "merge", body: { spec } });
    if (present === null) this.#deps.log.warn("address set aside", { address, hold: name, mac });
    return { requeueAfterMs: HOLD_MS - RENEW_BELOW_MS };
  }

  #forget(address: string): Record<string, never> {
    this.#held.delete(address);
    return {};
  }
}

function absent(thrown: unknown): null {
  if (Fault.from(thrown).code === "not_found") return null;
  throw thrown;
}
