import type { Allocator } from "#core/allocate";
import type { AllocationReason } from "#core/reasons";
import type { Metrics } from "#runtime/metrics";

/** Upstream's metric names (metallb.md 5.5), and ours for refusals. */
export class ControllerMetrics {
  readonly #updates;
  readonly #errors;
  readonly #loaded;
  readonly #stale;

  constructor(metrics: Metrics, allocator: Allocator, waiting: () => ReadonlyMap<AllocationReason, number>) {
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
    const refusals = metrics.gauge(
      "berth_controller_refusals",
      "Services that wait for an address, by the reason for refusal.",
    );
    metrics.onRender(() => {
      for (const each of [total, inUse, refusals, ...families.flatMap((family) => [family.total, family.inUse])])
        each.clear();
      for (const { name: pool } of allocator.pools) {
        const { ledger } = allocator;
        total.set({ pool }, Number(ledger.capacity(pool, 4) + ledger.capacity(pool, 6)));
        inUse.set({ pool }, ledger.inUse(pool, 4) + ledger.inUse(pool, 6));
        for (const { family, total: all, inUse: used } of families) {
          all.set({ pool }, Number(ledger.capacity(pool, family)));
          used.set({ pool }, ledger.inUse(pool, family));
        }
      }
      for (const [reason, count] of waiting()) refusals.set({ reason }, count);
    });
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
