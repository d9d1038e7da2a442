import { rangeSize } from "../address.ts";
import type { PoolView } from "../pools.ts";
import type { Selector } from "../selector.ts";
import { communityValue } from "./communities.ts";
import type { Entry } from "./entry.ts";
import { Fields } from "./fields.ts";
import { doubt, failure, quote, type Remark } from "./finding.ts";
import { type Nodes, sharedNode } from "./nodes.ts";
import type { PoolSet } from "./pool-set.ts";
import type { Neighbours } from "./settle.ts";
import { type CommunityValue, parseCommunity, widestPrefix } from "./values.ts";

/** A BGPAdvertisement that is valid by itself. Empty lists mean "no limit". */
export interface BgpView {
  readonly name: string;
  readonly source: string;
  readonly aggregation: { readonly 4: number; readonly 6: number };
  readonly localPref: number;
  /** Aliases resolved; sorted. */
  readonly communities: readonly CommunityValue[];
  readonly pools: readonly string[];
  readonly poolSelectors: readonly Selector[];
  readonly nodeSelectors: readonly Selector[];
  readonly peers: readonly string[];
  readonly serviceSelectors: readonly Selector[];
}

interface BgpContext {
  readonly pools: PoolSet;
  readonly aliases: ReadonlyMap<string, CommunityValue>;
  readonly complete: boolean;
}

const UINT32_MAX = 4_294_967_295;

export function compileBgp(entry: Entry, context: BgpContext) {
  let isSound = true;
  const report = (remark: Remark) => {
    if (remark.severity === "error") isSound = false;
    entry.report(remark);
  };
  const spec = new Fields(entry.spec, "spec", report);
  const view: BgpView = {
    name: entry.name,
    source: entry.source,
    aggregation: {
      4: spec.integer("aggregationLength", 1, 32) ?? 32,
      6: spec.integer("aggregationLengthV6", 0, 128) ?? 128,
    },
    localPref: spec.integer("localPref", 0, UINT32_MAX) ?? 0,
    communities: communitiesOf(spec, context, report),
    pools: spec.distinctTexts("ipAddressPools"),
    poolSelectors: spec.selectors("ipAddressPoolSelectors"),
    nodeSelectors: spec.selectors("nodeSelectors"),
    peers: spec.distinctTexts("peers"),
    serviceSelectors: spec.selectors("serviceSelectors"),
  };
  spec.warnOfOthers();
  for (const remark of aggregationProblems(view, context.pools)) report(remark);
  return { name: entry.name, report: entry.report, view: isSound ? view : null };
}

function communitiesOf(
  spec: Fields,
  { aliases, complete }: BgpContext,
  report: (remark: Remark) => void,
): readonly CommunityValue[] {
  const values = spec.distinctTexts("communities").flatMap((text, index) => {
    const field = `${spec.path("communities")}.${index}`;
    const alias = aliases.get(text);
    if (alias !== undefined) return [alias];
    if (parseCommunity(text) === null) {
      const remark = complete ? failure : doubt;
      const message = `${quote(text)} is no community, and no Community object defines it`;
      report(remark(field, "unknown_reference", message, "define the alias, or write 64512:100 or large:64512:1:2"));
      return [];
    }
    const value = communityValue(text, field, report);
    return value === null ? [] : [value];
  });
  return [...new Map(values.map((value) => [value.text, value])).values()].toSorted((a, b) =>
    a.text < b.text ? -1 : 1,
  );
}

const FIELD = { 4: "spec.aggregationLength", 6: "spec.aggregationLengthV6" } as const;
const WHOLE = { 4: 32, 6: 128 } as const;

function aggregationProblems(view: BgpView, pools: PoolSet): readonly Remark[] {
  const problems: Remark[] = [];
  for (const family of [4, 6] as const) {
    const length = view.aggregation[family];
    if (view.serviceSelectors.length > 0 && length !== WHOLE[family]) {
      const message = `serviceSelectors announce single addresses, and /${length} sums them up`;
      problems.push(
        failure(FIELD[family], "contradiction", message, `write ${WHOLE[family]}, or leave serviceSelectors out`),
      );
    }
    for (const pool of pools.coveredBy(view)) {
      const wide = pool.ranges.find(({ first }) => first.family === family);
      const entry = pool.ranges.findIndex((range) => range.first.family === family && widestPrefix(range) > length);
      if (wide === undefined || entry < 0) continue;
      const text = pool.input?.addresses[entry] ?? `entry ${entry}`;
      const message = `/${length} is wider than ${quote(text)} of pool ${pool.name} (${rangeSize(pool.ranges[entry] ?? wide)} addresses)`;
      const widest = Math.max(...pool.ranges.filter(({ first }) => first.family === family).map(widestPrefix));
      problems.push(failure(FIELD[family], "aggregation_too_wide", message, `write ${widest} to ${WHOLE[family]}`));
    }
  }
  return problems;
}

/**
 * Two local preferences for one prefix (metallb.md 4.1): fine where the prefixes differ in every family, the peers
 * are others, or the nodes are; with service selectors it is only known when a Service is announced.
 */
export function oneLocalPref(pools: PoolSet, nodes: Nodes | null): Neighbours<BgpView> {
  const onPool = new Map<string, BgpView[]>();
  return {
    clash: (view) => {
      if (view.serviceSelectors.length > 0) return null;
      const cleared = new Set<BgpView>();
      for (const pool of pools.coveredBy(view)) {
        for (const other of onPool.get(pool.name) ?? []) {
          if (other.localPref === view.localPref || cleared.has(other)) continue;
          if (!samePeers(view, other) || sharedNode(view.nodeSelectors, other.nodeSelectors, nodes) !== "yes") {
            cleared.add(other);
          } else if (samePrefixes(view, other, pool)) return localPrefRemark(view, other, pool);
        }
      }
      return null;
    },
    add: (view) => {
      if (view.serviceSelectors.length > 0) return;
      for (const { name } of pools.coveredBy(view)) {
        const others = onPool.get(name);
        if (others === undefined) onPool.set(name, [view]);
        else others.push(view);
      }
    },
  };
}

function samePeers({ peers: a }: BgpView, { peers: b }: BgpView): boolean {
  if (a.length === 0 || b.length === 0) return true;
  const names = new Set(b);
  return a.some((name) => names.has(name));
}

function samePrefixes({ aggregation: a }: BgpView, { aggregation: b }: BgpView, { ranges }: PoolView): boolean {
  return ranges.some(({ first: { family } }) => a[family] === b[family]);
}

function localPrefRemark(view: BgpView, other: BgpView, pool: PoolView): Remark {
  const message = `localPref ${view.localPref}, and ${other.localPref} in BGPAdvertisement ${other.name}, for pool ${pool.name} to the same peers`;
  const fix = "use one value, or other peers, nodes or aggregation";
  return failure("spec.localPref", "local_pref_conflict", message, fix);
}
