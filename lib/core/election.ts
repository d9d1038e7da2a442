/**
 * Who announces an address on layer 2 (metallb.md 6.1 and 6.2). Every speaker
 * evaluates this by itself; the controller's Announced condition and the
 * dashboard use the very same function, so that nobody explains a different election.
 */
import { electionText, tryParseAddress } from "./address.ts";
import { perObject } from "./per-object.ts";
import type { AnnounceReason } from "./reasons.ts";
import { anySelectorMatches, type Labels, type Selector, selectorMatches } from "./selector.ts";
import { compareBytes, sha256, utf8 } from "./sha256.ts";

/** A node, reduced to what decides whether it may announce. */
export interface NodeFacts {
  readonly name: string;
  readonly labels: Labels;
  /** Node condition NetworkUnavailable is True. */
  readonly networkUnavailable: boolean;
  /** A member of the speakers' heartbeat, by the view of whoever asks. */
  readonly alive: boolean;
  /** Its heartbeat says ready: caches synced, sockets open. */
  readonly ready: boolean;
  /** Names of its usable interfaces; null when not known. */
  readonly interfaces: readonly string[] | null;
}

/** One L2Advertisement, reduced to what decides. Empty lists mean "no limit". */
export interface L2Facts {
  readonly name: string;
  readonly pools: readonly string[];
  readonly poolSelectors: readonly Selector[];
  readonly nodeSelectors: readonly Selector[];
  readonly interfaces: readonly string[];
  readonly serviceSelectors: readonly Selector[];
  readonly preferred: readonly { readonly weight: number; readonly preference: Selector }[];
}

/** Who announces this Service? Everything the answer depends on. */
export interface AnnounceQuestion {
  readonly service: {
    readonly key: string;
    readonly labels: Labels;
    readonly isLoadBalancer: boolean;
    /** Texts of `status.loadBalancer.ingress[].ip`, in order. */
    readonly addresses: readonly string[];
    readonly policyLocal: boolean;
    /** An allow-shared-ip annotation is there, with any value. */
    readonly sharedKeyPresent: boolean;
  };
  /** The pool that owns all addresses; null when there is none. */
  readonly pool: string | null;
  /** Those of that pool (`advertisementsOf`). */
  readonly advertisements: readonly L2Facts[];
  readonly nodes: readonly NodeFacts[];
  readonly endpoints: readonly { readonly nodeName: string | null; readonly serving: boolean }[];
  /** The speaker's flag --ignore-exclude-lb. */
  readonly ignoreExcludeLabel?: boolean | undefined;
}

/** The outcome of one election, with the reason of every node that lost. */
export interface AnnounceAnswer {
  readonly winner: string | null;
  /** Candidates, best first: who takes over next. */
  readonly order: readonly string[];
  /** Interfaces the winner uses, sorted; null means all of its own. */
  readonly interfaces: readonly string[] | null;
  /** One entry per node of the question. */
  readonly reasons: ReadonlyMap<string, AnnounceReason>;
  /** For the Service as a whole: `announced`, or the one reason all nodes share, or `no_candidate`. */
  readonly reason: AnnounceReason;
}

const EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers";

/** The advertisements that cover a pool: by name or by selector; one with neither covers every pool. */
export function advertisementsOf(
  pool: { readonly name: string; readonly labels: Labels },
  advertisements: readonly L2Facts[],
): readonly L2Facts[] {
  return advertisements.filter(
    ({ pools, poolSelectors }) =>
      (pools.length === 0 && poolSelectors.length === 0) ||
      pools.includes(pool.name) ||
      anySelectorMatches(poolSelectors, pool.labels),
  );
}

/**
 * Elects. Deterministic and independent of the order of nodes: preference score
 * descending, then SHA-256 of `<node>#<first address>` ascending by raw bytes, then name.
 * Losing a node that is not first never changes the winner.
 */
export function electAnnouncer(question: AnnounceQuestion): AnnounceAnswer {
  const { service, nodes } = question;
  const common = reasonForAllNodes(question);
  if (common !== null) return nobody(nodes, common);

  const applicable = applicableTo(service.labels, question.advertisements);
  const local = new Set(question.endpoints.filter(({ serving }) => serving).map(({ nodeName }) => nodeName));
  const verdicts = nodes.map((node) => ({ node, reason: whyNoCandidate(node, question, applicable, local) }));
  const text = electionText(tryParseAddress(service.addresses[0] ?? "") ?? { family: 4, value: 0n });
  const ranked = verdicts
    .filter(({ reason }) => reason === null)
    .map(({ node }) => ({ node, score: preferenceScore(node, applicable), hash: electionHash(node.name, text) }))
    .toSorted((a, b) => b.score - a.score || compareBytes(a.hash, b.hash) || (a.node.name < b.node.name ? -1 : 1));
  const winner = ranked[0]?.node;
  const reasons = new Map(
    verdicts.map(({ node, reason }) => [
      node.name,
      reason ?? (node === winner ? ("announced" as const) : ("not_elected" as const)),
    ]),
  );
  return {
    winner: winner?.name ?? null,
    order: ranked.map(({ node }) => node.name),
    interfaces: winner === undefined ? null : interfacesOf(winner, applicable),
    reasons,
    reason: winner === undefined ? sharedReason(reasons) : "announced",
  };
}

/** SHA-256 of the UTF-8 text `<node>#<address>`: what the election sorts by. */
export function electionHash(node: string, address: string): Uint8Array {
  return sha256(utf8(`${node}#${address}`));
}

function reasonForAllNodes({ service, pool, endpoints, advertisements }: AnnounceQuestion): AnnounceReason | null {
  if (!service.isLoadBalancer) return "not_load_balancer";
  if (service.addresses.length === 0) return "no_address";
  if (service.addresses.some((text) => tryParseAddress(text) === null)) return "invalid_address";
  if (pool === null) return "address_not_in_pool";
  if (!endpoints.some(({ serving }) => serving)) return "no_serving_endpoint";
  const applicable = applicableTo(service.labels, advertisements);
  if (applicable.length === 0) return "no_matching_advertisement";
  // Services on one address must elect one node; a selector could split them.
  const split = service.sharedKeyPresent && applicable.some(({ serviceSelectors }) => serviceSelectors.length > 0);
  return split ? "shared_address_with_service_selector" : null;
}

function applicableTo(labels: Labels, advertisements: readonly L2Facts[]): readonly L2Facts[] {
  return advertisements.filter(
    ({ serviceSelectors }) => serviceSelectors.length === 0 || anySelectorMatches(serviceSelectors, labels),
  );
}

function whyNoCandidate(
  node: NodeFacts,
  question: AnnounceQuestion,
  applicable: readonly L2Facts[],
  local: ReadonlySet<string | null>,
): AnnounceReason | null {
  if (!applicable.some((advertisement) => allows(advertisement, node))) return "node_not_selected";
  if (node.networkUnavailable) return "network_unavailable";
  if (question.ignoreExcludeLabel !== true && Object.hasOwn(node.labels, EXCLUDE_LABEL)) return "excluded_by_label";
  if (question.service.policyLocal && !local.has(node.name)) return "no_local_endpoint";
  if (!node.alive || !node.ready) return "speaker_not_ready";
  if (interfacesOf(node, applicable)?.length === 0) return "no_usable_interface";
  return null;
}

function allows({ nodeSelectors }: L2Facts, node: NodeFacts): boolean {
  return nodeSelectors.length === 0 || anySelectorMatches(nodeSelectors, node.labels);
}

/** Union over the advertisements that allow the node, limited to what the node has; [] when it has none of them. */
function interfacesOf(node: NodeFacts, applicable: readonly L2Facts[]): readonly string[] | null {
  const allowing = applicable.filter((advertisement) => allows(advertisement, node));
  if (allowing.some(({ interfaces }) => interfaces.length === 0)) {
    return node.interfaces?.length === 0 ? [] : null;
  }
  const named = new Set(allowing.flatMap(({ interfaces }) => interfaces));
  return [...named].filter((name) => node.interfaces === null || node.interfaces.includes(name)).toSorted();
}

function preferenceScore(node: NodeFacts, applicable: readonly L2Facts[]): number {
  let score = 0;
  for (const advertisement of applicable) {
    if (!allows(advertisement, node)) continue;
    for (const { weight, preference } of advertisement.preferred) {
      if (selectorMatches(preference, node.labels)) score += weight;
    }
  }
  return score;
}

/** For thousands of Services and hundreds of nodes the answer is the same: it is made once for each list of nodes. */
const nobodies = perObject((_nodes: readonly NodeFacts[]) => new Map<AnnounceReason, AnnounceAnswer>());

function nobody(nodes: readonly NodeFacts[], reason: AnnounceReason): AnnounceAnswer {
  const known = nobodies(nodes);
  let answer = known.get(reason);
  if (answer === undefined) {
    const reasons = new Map(nodes.map((node) => [node.name, reason]));
    answer = { winner: null, order: [], interfaces: null, reasons, reason };
    known.set(reason, answer);
  }
  return answer;
}

function sharedReason(reasons: ReadonlyMap<string, AnnounceReason>): AnnounceReason {
  const distinct = new Set(reasons.values());
  const [only] = distinct;
  return distinct.size === 1 && only !== undefined ? only : "no_candidate";
}
