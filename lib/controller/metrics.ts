import type { Allocator } from "#core/allocate";
import type { AllocationReason } from "#core/reasons";
import type { Clock } from "#runtime/clock";
import type { Reconcile } from "#runtime/loop";
import type { Metrics } from "#runtime/metrics";
import { WorkQueue } from "#runtime/work-queue";

/** What the gauges are asked from, whenever somebody looks. */
interface ControllerFacts {
  readonly allocator: Allocator;
  readonly waiting: () => ReadonlyMap<AllocationReason, number>;
  readonly inFlight: () => number;
}

/**
 * Upstream's metric names (metallb.md 5.5), and ours (`berth_controller_*`) for leadership, work and refusals. One
 * per term of leadership: a replica that stands by knows nothing of pools and shows nothing about them.
 */
export class ControllerMetrics {
  readonly #waited;
  readonly #duration;
  readonly #depth;
  readonly #clock: Clock;
  readonly #queues = new Map<string, WorkQueue>();
  readonly #updates;
  readonly #errors;
  readonly #loaded;
  readonly #stale;

  /** Ends what would keep this term's state alive, and takes its figures out of the next answer. */
  readonly close: () => void;

  constructor(metrics: Metrics, clock: Clock, { allocator, waiting, inFlight }: ControllerFacts) {
    this.#clock = clock;
    const ours = (name: string) => `berth_controller_${name}`;
    this.#waited = metrics.histogram(ours("queue_wait_seconds"), "How long a key waited in its queue to be worked on.");
    this.#duration = metrics.histogram(ours("reconcile_duration_seconds"), "How long the work on one key took.");
    this.#depth = metrics.gauge(ours("queue_depth"), "Keys that wait to be worked on.");
    const claims = metrics.gauge(
      ours("claims"),
      "Services that hold addresses, those promised and not yet written included.",
    );
    const promised = metrics.gauge(ours("claims_in_flight"), "Services whose address is decided and not yet written.");
    this.#updates = metrics.counter(
      "metallb_k8s_client_updates_total",
      "Number of k8s object updates that have been processed.",
    );
    this.#errors = metrics.counter(
      "metallb_k8s_client_update_errors_total",
      "Number of k8s object updates that failed for some reason.",
    );
    this.#loaded = metrics.gauge(
      "metallb_k8s_client_config_loaded_bool",
      "1 if the configuration was successfully loaded at least once.",
    );
    this.#stale = metrics.gauge(
      "metallb_k8s_client_config_stale_bool",
      "1 if running on a stale configuration, because the latest config failed to load.",
    );
    this.#updates.inc({}, 0);
    this.#errors.inc({}, 0);
    this.#loaded.set({}, 0);
    this.#stale.set({}, 0);
    const gauge = (name: string, help: string) => metrics.gauge(`metallb_allocator_${name}`, help);
    const total = gauge("addresses_total", "Number of usable IP addresses, per pool.");
    const inUse = gauge("addresses_in_use_total", "Number of IP addresses in use, per pool.");
    const families = ([4, 6] as const).map((family) => ({
      family,
      total: gauge(`ipv${family}_addresses_total`, `Number of usable IPv${family} addresses, per pool.`),
      inUse: gauge(`ipv${family}_addresses_in_use_total`, `Number of IPv${family} addresses in use, per pool.`),
    }));
    const refusals = metrics.gauge(ours("refusals"), "Services that wait for an address, by the reason for refusal.");
    const heldBack = metrics.gauge(ours("held_addresses"), "IP addresses that AddressHolds keep back, per pool.");
    const perPool = [total, inUse, heldBack, refusals, ...families.flatMap((family) => [family.total, family.inUse])];
    const stop = metrics.onRender(() => {
      for (const each of perPool) each.clear();
      claims.set({}, allocator.ledger.holders);
      promised.set({}, inFlight());
      for (const [queue, { size }] of this.#queues) this.#depth.set({ queue }, size);
      for (const { name: pool } of allocator.pools) {
        const { ledger } = allocator;
        total.set({ pool }, Number(ledger.capacity(pool, 4) + ledger.capacity(pool, 6)));
        const held = ledger.held(pool, 4) + ledger.held(pool, 6);
        if (held > 0n) heldBack.set({ pool }, Number(held));
        inUse.set({ pool }, ledger.inUse(pool, 4) + ledger.inUse(pool, 6));
        for (const { family, total: all, inUse: used } of families) {
          all.set({ pool }, Number(ledger.capacity(pool, family)));
          used.set({ pool }, ledger.inUse(pool, family));
        }
      }
      for (const [reason, count] of waiting()) refusals.set({ reason }, count);
    });
    this.close = () => {
      stop();
      for (const each of [...perPool, claims, promised, this.#depth]) each.clear();
    };
  }

  /** A queue whose depth and waiting times are counted under that name. */
  queue(name: string): WorkQueue {
    const onWaited = (ms: number) => this.#waited.observe({ queue: name }, ms / 1000);
    const queue = new WorkQueue({ clock: this.#clock, onWaited });
    this.#queues.set(name, queue);
    return queue;
  }

  /** The same reconcile, its durations counted under the name of its queue; failures too. */
  timed(queue: string, reconcile: Reconcile): Reconcile {
    return async (key, signal) => {
      const startedAt = this.#clock.monotonic();
      try {
        return await reconcile(key, signal);
      } finally {
        this.#duration.observe({ queue }, (this.#clock.monotonic() - startedAt) / 1000);
      }
    };
  }

  handled(): void {
    this.#updates.inc();
  }

  failed(): void {
    this.#errors.inc();
  }

  configured(stale: boolean): void {
    this.#loaded.set({}, 1);
    this.#stale.set({}, stale ? 1 : 0);
  }
}
