import type { IPAddressPool, L2Advertisement } from "#api/metallb";
import { advertisementsOf, type L2Facts } from "#core/election";
import { compilePools, type Finding, type PoolInput, type PoolView } from "#core/pools";
import { selectorProblem } from "#core/selector";

/** Pools and advertisements in force. */
export interface SpeakerConfig {
  readonly pools: readonly PoolView[];
  readonly advertisements: readonly L2Facts[];
  /** The advertisements of each pool, by its name. */
  readonly byPool: ReadonlyMap<string, readonly L2Facts[]>;
  readonly findings: readonly Finding[];
}

export const EMPTY_CONFIG: SpeakerConfig = { pools: [], advertisements: [], byPool: new Map(), findings: [] };

/** An invalid object keeps its version of `previous` in force; without one it is left out. */
export function compileConfig(
  pools: readonly IPAddressPool[],
  advertisements: readonly L2Advertisement[],
  previous: SpeakerConfig,
): SpeakerConfig {
  const before = new Map(previous.pools.map((pool) => [pool.name, pool]));
  // Which namespaces may use a pool matters to who assigns from it, not to who announces.
  const compiled = compilePools(byCreation(pools).map(poolInput), [], before);
  const findings: Finding[] = [...compiled.findings];
  const inForce: L2Facts[] = [];
  for (const object of byCreation(advertisements)) {
    const facts = l2Facts(object);
    const problems = problemsOf(facts);
    findings.push(...problems);
    const usable = problems.length === 0 ? facts : previous.advertisements.find(({ name }) => name === facts.name);
    if (usable !== undefined) inForce.push(usable);
  }
  const byPool = new Map(compiled.pools.map((pool) => [pool.name, advertisementsOf(pool, inForce)]));
  return { pools: compiled.pools, advertisements: inForce, byPool, findings };
}

function poolInput({ metadata, spec }: IPAddressPool): PoolInput {
  return {
    name: metadata.name ?? "",
    labels: metadata.labels,
    addresses: spec?.addresses ?? [],
    autoAssign: spec?.autoAssign ?? true,
    avoidBuggyIPs: spec?.avoidBuggyIPs ?? false,
    serviceAllocation: spec?.serviceAllocation,
  };
}

function l2Facts({ metadata, spec }: L2Advertisement): L2Facts {
  return {
    name: metadata.name ?? "",
    pools: spec?.ipAddressPools ?? [],
    poolSelectors: spec?.ipAddressPoolSelectors ?? [],
    nodeSelectors: spec?.nodeSelectors ?? [],
    interfaces: spec?.interfaces ?? [],
    serviceSelectors: spec?.serviceSelectors ?? [],
    preferred: spec?.preferredNodeSelectors ?? [],
  };
}

function problemsOf(facts: L2Facts): readonly Finding[] {
  const selectors = [
    ...facts.poolSelectors.map((selector, index) => [`ipAddressPoolSelectors.${index}`, selector] as const),
    ...facts.nodeSelectors.map((selector, index) => [`nodeSelectors.${index}`, selector] as const),
    ...facts.serviceSelectors.map((selector, index) => [`serviceSelectors.${index}`, selector] as const),
    ...facts.preferred.map(({ preference }, i) => [`preferredNodeSelectors.${i}.preference`, preference] as const),
  ];
  return selectors.flatMap(([field, selector]) => {
    const message = selectorProblem(selector);
    if (message === null) return [];
    return [
      { severity: "error" as const, object: facts.name, field: `spec.${field}`, message, fix: "correct the selector" },
    ];
  });
}

/** The earlier created wins where two clash; objects without a date come last. */
function byCreation<
  T extends { readonly metadata: { creationTimestamp?: string | undefined; name?: string | undefined } },
>(objects: readonly T[]): readonly T[] {
  const order = ({ metadata }: T) => `${metadata.creationTimestamp ?? "9"} ${metadata.name ?? ""}`;
  return objects.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
}
