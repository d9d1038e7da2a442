import { perObject } from "../per-object.ts";
import type { PoolInput } from "../pools.ts";
import type { Labels } from "../selector.ts";
import { textOf } from "./entry.ts";
import { ownMember, textMap } from "./fields.ts";
import { LabelIndex } from "./label-index.ts";

type Allocation = NonNullable<PoolInput["serviceAllocation"]>;

/** The namespaces of a cluster, as pools select them. */
export class Namespaces {
  readonly names: ReadonlySet<string>;
  readonly #allowed = new WeakMap<Allocation, ReadonlySet<string>>();
  readonly #index: LabelIndex<{ readonly name: string; readonly labels: Labels }>;

  constructor(objects: readonly unknown[]) {
    this.#index = new LabelIndex(
      objects.map((object) => {
        const metadata = ownMember(object, "metadata");
        return { name: textOf(ownMember(metadata, "name")), labels: textMap(ownMember(metadata, "labels")) };
      }),
    );
    this.names = new Set(this.#index.all.map(({ name }) => name));
  }

  /** Names of those that may use a pool: named, or matched by one of the selectors. */
  allowedBy(allocation: Allocation): ReadonlySet<string> {
    let allowed = this.#allowed.get(allocation);
    if (allowed === undefined) {
      const selected = this.#index.matching(allocation.namespaceSelectors ?? []);
      allowed = new Set([...(allocation.namespaces ?? []), ...selected.map(({ name }) => name)]);
      this.#allowed.set(allocation, allowed);
    }
    return allowed;
  }
}

const readNamespacesOnce = perObject((objects: readonly unknown[]) => new Namespaces(objects));

/** Null when nothing is known of namespaces. A list never changes, and outlives many edits of pools. */
export function readNamespaces(objects: readonly unknown[] | undefined): Namespaces | null {
  return objects === undefined ? null : readNamespacesOnce(objects);
}
