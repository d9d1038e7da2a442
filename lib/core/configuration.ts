import { type BfdView, compileBfd } from "./configuration/bfd.ts";
import { type BgpView, compileBgp, oneLocalPref } from "./configuration/bgp.ts";
import { type CommunityView, compileCommunity, distinctAliases } from "./configuration/communities.ts";
import { advertisementDoubts, peerDoubts, unadvertised } from "./configuration/doubts.ts";
import { type Entry, readEntries } from "./configuration/entry.ts";
import {
  type ConfigurationFinding,
  type ConfigurationKind,
  doubt,
  Findings,
  failure,
  type Report,
} from "./configuration/finding.ts";
import { compileL2, type L2View } from "./configuration/l2.ts";
import { readNamespaces } from "./configuration/namespaces.ts";
import { type Nodes, readNodes } from "./configuration/nodes.ts";
import { peersApart, possiblePeerClashes } from "./configuration/peer-conflicts.ts";
import { compilePeer, type PeerView } from "./configuration/peers.ts";
import { PoolSet } from "./configuration/pool-set.ts";
import { compilePools } from "./configuration/pools.ts";
import { readSecrets } from "./configuration/secrets.ts";
import { serviceDoubts } from "./configuration/services.ts";
import { noNeighbours, settle } from "./configuration/settle.ts";
import type { CommunityValue } from "./configuration/values.ts";
import type { PoolView } from "./pools.ts";
import type { Labels } from "./selector.ts";

/**
 * Everything the configuration depends on, as it was read: nothing about the
 * objects' shape is taken for granted, only that they never change. Undefined
 * means that nothing is known of the kind, and what would need it is not judged.
 */
export interface ConfigurationInput {
  readonly pools?: readonly unknown[] | undefined;
  readonly l2Advertisements?: readonly unknown[] | undefined;
  readonly bgpAdvertisements?: readonly unknown[] | undefined;
  readonly peers?: readonly unknown[] | undefined;
  readonly communities?: readonly unknown[] | undefined;
  readonly bfdProfiles?: readonly unknown[] | undefined;
  readonly secrets?: readonly unknown[] | undefined;
  readonly nodes?: readonly unknown[] | undefined;
  readonly namespaces?: readonly unknown[] | undefined;
  /** Only their annotations are judged. */
  readonly services?: readonly unknown[] | undefined;
  /** Where the configuration lives; objects elsewhere are refused. Undefined: anywhere. */
  readonly namespace?: string | undefined;
  /** False for files, which may be a part of what the cluster has: references to what is not there are warnings. */
  readonly complete?: boolean | undefined;
}

/** An advertisement in force, resolved against pools and nodes. */
interface L2InForce extends L2View {
  readonly covers: readonly string[];
  /** Names of the selected nodes; null when nothing is known about nodes. */
  readonly nodes: ReadonlySet<string> | null;
}

interface BgpInForce extends BgpView {
  readonly covers: readonly string[];
  /** Names of the peers in force it announces to. */
  readonly targets: readonly string[];
  readonly nodes: ReadonlySet<string> | null;
  /** Announcements that would be invalid: these pools are not announced to these peers. */
  readonly withheld: readonly { readonly pool: string; readonly peer: string }[];
}

interface PeerInForce extends PeerView {
  readonly nodes: ReadonlySet<string> | null;
}

/** The configuration in force: every object valid, alone and with the others. Lists are sorted by name. */
export interface Configuration {
  readonly pools: readonly PoolView[];
  readonly l2Advertisements: readonly L2InForce[];
  readonly bgpAdvertisements: readonly BgpInForce[];
  readonly peers: readonly PeerInForce[];
  readonly communities: readonly CommunityView[];
  readonly bfdProfiles: readonly BfdView[];
}

export const EMPTY_CONFIGURATION: Configuration = {
  pools: [],
  l2Advertisements: [],
  bgpAdvertisements: [],
  peers: [],
  communities: [],
  bfdProfiles: [],
};

export interface CompiledConfiguration {
  readonly configuration: Configuration;
  /** Errors first, then by kind, object and field; of each object the first ones and how many more there are. */
  readonly findings: readonly ConfigurationFinding[];
  /** Pools that exist and of which no valid version is known: nobody may say what their addresses mean. */
  readonly leftOut: readonly { readonly name: string; readonly labels: Labels }[];
}

/**
 * Compiles all objects to what is in force (metallb.md 4.1 and 4.3; upstream
 * drops everything at the first error, this one only what is wrong).
 *
 * An invalid object keeps its version of `previous` in force and without one is
 * left out; it does so as long as it exists. Of two objects that exclude each
 * other the unchanged one wins, then the older. Total: throws for no input. The
 * order of the objects in a list does not matter.
 */
export function compileConfiguration(
  input: ConfigurationInput,
  previous: Configuration = EMPTY_CONFIGURATION,
): CompiledConfiguration {
  const found = new Findings();
  const entriesOf = (kind: ConfigurationKind, objects: readonly unknown[] = []) =>
    readEntries(kind, objects, { collect: found.collect, namespace: input.namespace });
  const complete = input.complete ?? true;
  // A file says all it says; of a cluster something may not have been read.
  const isKnown = (objects: readonly unknown[] | undefined) => objects !== undefined || !complete;
  const nodes = readNodes(input.nodes);

  const bfdEntries = entriesOf("BFDProfile", input.bfdProfiles);
  const bfdProfiles = settle<BfdView>(bfdEntries.map(compileBfd), byName(previous.bfdProfiles), noNeighbours);

  const peerEntries = entriesOf("BGPPeer", input.peers);
  const peerContext = {
    secrets: readSecrets(input.secrets, input.namespace),
    bfdProfiles: isKnown(input.bfdProfiles) ? namesOf(bfdProfiles) : null,
    complete,
    namespace: input.namespace,
  };
  const compiledPeers = peerEntries.map((entry) => compilePeer(entry, peerContext));
  const peers = settle(compiledPeers, byName<PeerView>(previous.peers), () => peersApart(nodes));
  const toPeer = reporter(peerEntries);
  for (const { name, remark } of possiblePeerClashes(peers, nodes)) toPeer(name)(remark);

  const communityEntries = entriesOf("Community", input.communities);
  const communities = settle(communityEntries.map(compileCommunity), byName(previous.communities), distinctAliases);

  const poolEntries = entriesOf("IPAddressPool", input.pools);
  const pools = compilePools(poolEntries, {
    namespaces: readNamespaces(input.namespaces),
    nodes,
    previous: byName(previous.pools),
  });
  const poolSet = new PoolSet(pools);

  const l2Entries = entriesOf("L2Advertisement", input.l2Advertisements);
  const l2 = settle<L2View>(l2Entries.map(compileL2), byName<L2View>(previous.l2Advertisements), noNeighbours);

  const bgpEntries = entriesOf("BGPAdvertisement", input.bgpAdvertisements);
  const bgpContext = {
    pools: poolSet,
    aliases: aliasesOf(communities),
    complete: complete && isKnown(input.communities),
  };
  const bgp = settle(
    bgpEntries.map((entry) => compileBgp(entry, bgpContext)),
    byName<BgpView>(previous.bgpAdvertisements),
    () => oneLocalPref(poolSet, nodes),
  );

  const world = { pools: poolSet, peers, bfdProfiles, nodes };
  const poolNames = isKnown(input.pools) ? namesOf(poolEntries) : null;
  const peerNames = isKnown(input.peers) ? namesOf(peerEntries) : null;
  const toL2 = reporter(l2Entries);
  const toBgp = reporter(bgpEntries);
  for (const view of l2) advertisementDoubts(view, { pools: poolSet, poolNames, nodes }).forEach(toL2(view.name));
  for (const view of bgp) {
    advertisementDoubts(view, { pools: poolSet, poolNames, nodes }).forEach(toBgp(view.name));
    peerDoubts(view.peers, peerNames, complete).forEach(toBgp(view.name));
  }
  unadvertised(poolEntries, poolSet, [...l2, ...bgp]);
  peerNodeDoubts(peers, nodes, toPeer);
  // Files of an application alone say nothing about pools.
  const hasPools = complete || poolEntries.length > 0;
  serviceDoubts(input.services ?? [], hasPools ? poolNames : null, found.collect);

  const configuration: Configuration = {
    pools,
    l2Advertisements: l2.map((view) => ({
      ...view,
      covers: poolSet.coveredBy(view).map(({ name }) => name),
      nodes: nodes?.selected(view.nodeSelectors) ?? null,
    })),
    bgpAdvertisements: bgp.map((view) => bgpInForce(view, world, toBgp(view.name))),
    peers: peers.map((view) => ({ ...view, nodes: nodes?.selected(view.nodeSelectors) ?? null })),
    communities,
    bfdProfiles,
  };
  const inForce = namesOf(pools);
  return {
    configuration,
    findings: found.inOrder(),
    leftOut: poolEntries.filter(({ name }) => !inForce.has(name)).map(({ name, labels }) => ({ name, labels })),
  };
}

interface World {
  readonly pools: PoolSet;
  readonly peers: readonly PeerView[];
  readonly bfdProfiles: readonly BfdView[];
  readonly nodes: Nodes | null;
}

/** Resolves an advertisement, and withholds what a peer's BFD echo mode forbids (metallb.md 4.1 "Cross"). */
function bgpInForce(view: BgpView, world: World, report: Report): BgpInForce {
  const covered = world.pools.coveredBy(view);
  const wanted = new Set(view.peers);
  const targets = world.peers.filter(({ name }) => wanted.size === 0 || wanted.has(name));
  const echo = new Set(world.bfdProfiles.filter(({ echoMode }) => echoMode).map(({ name }) => name));
  const withheld: { pool: string; peer: string }[] = [];
  for (const peer of targets) {
    if (peer.bfdProfile === null || !echo.has(peer.bfdProfile)) continue;
    for (const pool of covered.filter(({ ranges }) => ranges.some(({ first }) => first.family === 6))) {
      withheld.push({ pool: pool.name, peer: peer.name });
      const message = `pool ${pool.name} has IPv6 addresses, and BFDProfile ${peer.bfdProfile} of peer ${peer.name} has echo mode`;
      report(
        failure("spec.peers", "echo_with_ipv6", message, "turn echoMode off, or announce the pool to other peers"),
      );
    }
  }
  return {
    ...view,
    covers: covered.map(({ name }) => name),
    targets: targets.map(({ name }) => name),
    nodes: world.nodes?.selected(view.nodeSelectors) ?? null,
    withheld,
  };
}

function peerNodeDoubts(peers: readonly PeerView[], nodes: Nodes | null, reportTo: (name: string) => Report): void {
  if (nodes === null || nodes.count === 0) return;
  for (const { name, nodeSelectors } of peers) {
    if (nodes.selected(nodeSelectors).size > 0) continue;
    const message = "no node matches, so no session is opened";
    reportTo(name)(doubt("spec.nodeSelectors", "matches_nothing", message, "label a node, or change the selectors"));
  }
}

function aliasesOf(communities: readonly CommunityView[]): ReadonlyMap<string, CommunityValue> {
  return new Map(communities.flatMap(({ aliases }) => aliases.map(({ alias, value }) => [alias, value] as const)));
}

function reporter(entries: readonly Entry[]): (name: string) => Report {
  const reports = new Map(entries.map(({ name, report }) => [name, report]));
  return (name) => reports.get(name) ?? (() => undefined);
}

function namesOf(list: readonly { readonly name: string }[]): ReadonlySet<string> {
  return new Set(list.map(({ name }) => name));
}

function byName<T extends { readonly name: string }>(list: readonly T[]): ReadonlyMap<string, T> {
  return new Map(list.map((item) => [item.name, item]));
}
