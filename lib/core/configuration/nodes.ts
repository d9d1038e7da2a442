import { type Labels, type Selector, selectorMatches } from "../selector.ts";
import { textOf } from "./entry.ts";
import { isPlain, ownMember, textMap } from "./fields.ts";

export interface NodeEntry {
  readonly name: string;
  readonly labels: Labels;
  /** `status.addresses` of type InternalIP and ExternalIP. */
  readonly addresses: readonly string[];
}

/** By name; null when nothing is known about nodes. */
export function readNodes(objects: readonly unknown[] | undefined): readonly NodeEntry[] | null {
  if (objects === undefined) return null;
  return objects
    .map((object) => {
      const metadata = ownMember(object, "metadata");
      const addresses = ownMember(ownMember(object, "status"), "addresses");
      return {
        name: textOf(ownMember(metadata, "name")),
        labels: textMap(ownMember(metadata, "labels")),
        addresses: (Array.isArray(addresses) ? addresses : [])
          .filter((one) => isPlain(one) && (one.type === "InternalIP" || one.type === "ExternalIP"))
          .map((one) => textOf(ownMember(one, "address"))),
      };
    })
    .filter(({ name }) => name !== "")
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** No selector selects every node. */
export function selectsNode(selectors: readonly Selector[], node: NodeEntry): boolean {
  return selectors.length === 0 || selectors.some((selector) => selectorMatches(selector, node.labels));
}

/** Names of the selected nodes; null when nothing is known about nodes. */
export function nodesOf(
  selectors: readonly Selector[],
  nodes: readonly NodeEntry[] | null,
): ReadonlySet<string> | null {
  return nodes === null ? null : new Set(nodes.filter((node) => selectsNode(selectors, node)).map(({ name }) => name));
}

/**
 * Whether some node is selected by both. Without nodes to ask: yes, unless one
 * label of each pair of selectors would need two values; `perhaps` when the lists differ.
 */
export function sharedNode(
  a: readonly Selector[],
  b: readonly Selector[],
  nodes: readonly NodeEntry[] | null,
): "yes" | "perhaps" | "no" {
  if (nodes !== null && nodes.length > 0) {
    return nodes.some((node) => selectsNode(a, node) && selectsNode(b, node)) ? "yes" : "no";
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
