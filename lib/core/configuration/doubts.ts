import type { Selector } from "../selector.ts";
import type { Entry } from "./entry.ts";
import { doubt, quote, type Remark } from "./finding.ts";
import type { Nodes } from "./nodes.ts";
import type { Coverage, PoolSet } from "./pool-set.ts";

interface Advertisement extends Coverage {
  readonly name: string;
  readonly nodeSelectors: readonly Selector[];
}

/** What upstream passes over in silence: an advertisement that names or matches nothing. */
export function advertisementDoubts(
  view: Advertisement,
  context: {
    readonly pools: PoolSet;
    /** Null: nothing is known of pools. */
    readonly poolNames: ReadonlySet<string> | null;
    readonly nodes: Nodes | null;
  },
): readonly Remark[] {
  const { pools, poolNames, nodes } = context;
  const doubts = unknownNames(view.pools, poolNames, "pool", "spec.ipAddressPools");
  for (const [index, selector] of view.poolSelectors.entries()) {
    if (pools.all.length === 0 || pools.isSelected(selector)) continue;
    const field = `spec.ipAddressPoolSelectors.${index}`;
    doubts.push(doubt(field, "matches_nothing", "no pool matches", "label a pool, or change the selector"));
  }
  if (nodes !== null && nodes.count > 0) {
    for (const [index, selector] of view.nodeSelectors.entries()) {
      if (nodes.isSelected(selector)) continue;
      const field = `spec.nodeSelectors.${index}`;
      doubts.push(doubt(field, "matches_nothing", "no node matches", "label a node, or change the selector"));
    }
  }
  return doubts;
}

/** Peers that an advertisement names in vain, or that it would need and nobody made. */
export function peerDoubts(
  names: readonly string[],
  known: ReadonlySet<string> | null,
  complete: boolean,
): readonly Remark[] {
  if (known?.size === 0 && names.length === 0) {
    if (!complete) return [];
    return [doubt("spec.peers", "matches_nothing", "there is no BGPPeer to announce to", "create a BGPPeer")];
  }
  return unknownNames(names, known, "BGPPeer", "spec.peers");
}

function unknownNames(
  names: readonly string[],
  known: ReadonlySet<string> | null,
  what: string,
  field: string,
): Remark[] {
  return names.flatMap((name, index) =>
    known === null || known.has(name)
      ? []
      : [
          doubt(
            `${field}.${index}`,
            "unknown_reference",
            `there is no ${what} ${quote(name)}`,
            "create it, or take its name out",
          ),
        ],
  );
}

/** A pool in force that no advertisement covers: its addresses are assigned and reach nobody. */
export function unadvertised(
  entries: readonly Entry[],
  pools: PoolSet,
  advertisements: readonly Advertisement[],
): void {
  const covered = new Set(advertisements.flatMap((view) => pools.coveredBy(view).map(({ name }) => name)));
  const inForce = new Set(pools.all.map(({ name }) => name));
  for (const { name, report } of entries) {
    if (covered.has(name) || !inForce.has(name)) continue;
    const message = "no advertisement covers the pool: its addresses are assigned, and nobody answers for them";
    report(doubt("metadata.name", "not_advertised", message, "make an L2Advertisement or BGPAdvertisement for it"));
  }
}
