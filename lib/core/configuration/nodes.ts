import { type Address, type AddressRange, type Family, tryParseAddress } from "../address.ts";
import { perObject } from "../per-object.ts";
import type { Labels, Selector } from "../selector.ts";
import { textOf } from "./entry.ts";
import { isPlain, ownMember, textMap } from "./fields.ts";
import { LabelIndex } from "./label-index.ts";

interface NodeEntry {
  readonly name: string;
  readonly labels: Labels;
  /** `status.addresses` of type InternalIP and ExternalIP. */
  readonly addresses: readonly string[];
}

interface NodeAddress {
  readonly address: Address;
  readonly text: string;
  readonly node: string;
}

/** The nodes of a cluster, as selectors and ranges find them. */
export class Nodes {
  readonly #index: LabelIndex<NodeEntry>;
  readonly #everyName: ReadonlySet<string>;
  readonly #selected = new WeakMap<readonly Selector[], ReadonlySet<string>>();
  readonly #addresses: Readonly<Record<Family, readonly NodeAddress[]>>;

  constructor(objects: readonly unknown[]) {
    const entries = objects.map(readNode).filter(({ name }) => name !== "");
    this.#index = new LabelIndex(entries.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)));
    this.#everyName = new Set(this.#index.all.map(({ name }) => name));
    this.#addresses = { 4: this.#addressesOf(4), 6: this.#addressesOf(6) };
  }

  get count(): number {
    return this.#index.all.length;
  }

  /** Names of those that one of the selectors matches; no selector selects every node. */
  selected(selectors: readonly Selector[]): ReadonlySet<string> {
    if (selectors.length === 0) return this.#everyName;
    let names = this.#selected.get(selectors);
    if (names === undefined) {
      names = new Set(this.#index.matching(selectors).map(({ name }) => name));
      this.#selected.set(selectors, names);
    }
    return names;
  }

  isSelected(selector: Selector): boolean {
    return this.#index.matching([selector]).length > 0;
  }

  /** Addresses of nodes within a range, lowest first. */
  *within({ first, last }: AddressRange): Generator<NodeAddress> {
    const sorted = this.#addresses[first.family];
    let low = 0;
    for (let high = sorted.length; low < high; ) {
      const middle = (low + high) >>> 1;
      const entry = sorted[middle];
      if (entry !== undefined && entry.address.value < first.value) low = middle + 1;
      else high = middle;
    }
    for (; low < sorted.length; low++) {
      const entry = sorted[low];
      if (entry === undefined || entry.address.value > last.value) return;
      yield entry;
    }
  }

  #addressesOf(family: Family): readonly NodeAddress[] {
    const all = this.#index.all.flatMap(({ name: node, addresses }) =>
      addresses.flatMap((text) => {
        const address = tryParseAddress(text);
        return address?.family === family ? [{ address, text, node }] : [];
      }),
    );
    return all.toSorted((a, b) => (a.address.value < b.address.value ? -1 : a.address.value > b.address.value ? 1 : 0));
  }
}

const readNodesOnce = perObject((objects: readonly unknown[]) => new Nodes(objects));

/** Null when nothing is known of nodes. A list never changes, and outlives many edits of the configuration. */
export function readNodes(objects: readonly unknown[] | undefined): Nodes | null {
  return objects === undefined ? null : readNodesOnce(objects);
}

function readNode(object: unknown): NodeEntry {
  const metadata = ownMember(object, "metadata");
  const addresses = ownMember(ownMember(object, "status"), "addresses");
  return {
    name: textOf(ownMember(metadata, "name")),
    labels: textMap(ownMember(metadata, "labels")),
    addresses: (Array.isArray(addresses) ? addresses : [])
      .filter((one) => isPlain(one) && (one.type === "InternalIP" || one.type === "ExternalIP"))
      .map((one) => textOf(ownMember(one, "address"))),
  };
}

/**
 * Whether some node is selected by both. Without nodes to ask: yes, unless one
 * label of each pair of selectors would need two values; `perhaps` when the lists differ.
 */
export function sharedNode(
  a: readonly Selector[],
  b: readonly Selector[],
  nodes: Nodes | null,
): "yes" | "perhaps" | "no" {
  if (nodes !== null && nodes.count > 0) {
    const [left, right] = [nodes.selected(a), nodes.selected(b)];
    const [few, many] = left.size < right.size ? [left, right] : [right, left];
    return [...few].some((name) => many.has(name)) ? "yes" : "no";
  }
  if (a.length === 0 || b.length === 0) return "yes";
  if (a.every((one) => b.every((other) => excludeEachOther(one, other)))) return "no";
  return nodes !== null || JSON.stringify(a) === JSON.stringify(b) ? "yes" : "perhaps";
}

function excludeEachOther(a: Selector, b: Selector): boolean {
  const wanted = wantedValues(b);
  return wantedValues(a).some(([key, values]) =>
    wanted.some(([other, theirs]) => key === other && !values.some((value) => theirs.includes(value))),
  );
}

function wantedValues(selector: Selector): readonly (readonly [key: string, values: readonly string[]])[] {
  const expressions = (selector.matchExpressions ?? []).filter(({ operator }) => operator === "In");
  return [
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]) => [key, [value]] as const),
    ...expressions.map(({ key, values = [] }) => [key, values] as const),
  ];
}
