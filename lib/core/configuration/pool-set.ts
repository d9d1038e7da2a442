import type { PoolView } from "../pools.ts";
import type { Selector } from "../selector.ts";
import { LabelIndex } from "./label-index.ts";

/** What an advertisement says of pools. */
export interface Coverage {
  readonly pools: readonly string[];
  readonly poolSelectors: readonly Selector[];
}

/** The pools in force, as advertisements find them. */
export class PoolSet {
  readonly #index: LabelIndex<PoolView>;
  readonly #covered = new WeakMap<Coverage, readonly PoolView[]>();

  /** By name. */
  constructor(pools: readonly PoolView[]) {
    this.#index = new LabelIndex(pools);
  }

  get all(): readonly PoolView[] {
    return this.#index.all;
  }

  /** Those an advertisement covers, by name or by selector, in order; with neither, all. */
  coveredBy(view: Coverage): readonly PoolView[] {
    if (view.pools.length === 0 && view.poolSelectors.length === 0) return this.all;
    let covered = this.#covered.get(view);
    if (covered === undefined) {
      const names = new Set(view.pools);
      const selected = new Set(this.#index.matching(view.poolSelectors));
      covered = this.all.filter((pool) => names.has(pool.name) || selected.has(pool));
      this.#covered.set(view, covered);
    }
    return covered;
  }

  isSelected(selector: Selector): boolean {
    return this.#index.matching([selector]).length > 0;
  }
}
