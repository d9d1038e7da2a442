import { type Labels, type Selector, selectorMatches } from "../selector.ts";

interface Labelled {
  readonly name: string;
  readonly labels: Labels;
}

/** Things with labels, found by selector without trying each with each: there may be thousands of both. */
export class LabelIndex<T extends Labelled> {
  readonly all: readonly T[];
  readonly #byLabel = new Map<string, T[]>();
  readonly #known = new WeakMap<readonly Selector[], readonly T[]>();

  constructor(all: readonly T[]) {
    this.all = all;
    for (const item of all) {
      for (const [key, value] of Object.entries(item.labels)) {
        const label = `${key}=${value}`;
        const same = this.#byLabel.get(label);
        if (same === undefined) this.#byLabel.set(label, [item]);
        else same.push(item);
      }
    }
  }

  /** Those that one of the selectors matches, each once. */
  matching(selectors: readonly Selector[]): readonly T[] {
    let found = this.#known.get(selectors);
    if (found === undefined) {
      found = [...new Set(selectors.flatMap((selector) => this.#matchingOne(selector)))];
      this.#known.set(selectors, found);
    }
    return found;
  }

  #matchingOne(selector: Selector): readonly T[] {
    return this.#candidates(selector).filter(({ labels }) => selectorMatches(selector, labels));
  }

  /** Fewer than all where one label must have one of some values. */
  #candidates({ matchLabels, matchExpressions = [] }: Selector): readonly T[] {
    const [label] = Object.entries(matchLabels ?? {});
    if (label !== undefined) return this.#byLabel.get(`${label[0]}=${label[1]}`) ?? [];
    const wanted = matchExpressions.find(({ operator }) => operator === "In");
    if (wanted === undefined) return this.all;
    // A key with "=" in it may find what belongs to another label: more candidates, not other answers.
    return [...new Set(wanted.values ?? [])].flatMap((value) => this.#byLabel.get(`${wanted.key}=${value}`) ?? []);
  }
}
