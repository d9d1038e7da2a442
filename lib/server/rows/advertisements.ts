import type { AdvertisementRow, Finding } from "#api/dashboard";
import type { L2Advertisement } from "#api/metallb";
import { advertisementsOf } from "#core/election";
import { anySelectorMatches, selectorProblem } from "#core/selector";
import { advertisementFacts, poolInput } from "../objects-to-facts.ts";
import type { View } from "../view.ts";

export function advertisementRow(ad: L2Advertisement, view: View): AdvertisementRow {
  const facts = advertisementFacts(ad);
  const pools = view.facts.pools.map(poolInput);
  const covers = pools
    .filter((pool) => advertisementsOf({ name: pool.name, labels: pool.labels ?? {} }, [facts]).length > 0)
    .map((pool) => pool.name);
  const nodes = view.nodes
    .filter((node) => facts.nodeSelectors.length === 0 || anySelectorMatches(facts.nodeSelectors, node.labels))
    .map((node) => node.name);
  const spec = ad.spec ?? {};
  return {
    name: facts.name,
    kind: "L2",
    ipAddressPools: [...facts.pools],
    ipAddressPoolSelectors: [...(spec.ipAddressPoolSelectors ?? [])],
    nodeSelectors: [...(spec.nodeSelectors ?? [])],
    serviceSelectors: [...(spec.serviceSelectors ?? [])],
    interfaces: [...facts.interfaces],
    covers: covers.sort(),
    nodes: nodes.sort(),
    findings: [...findingsOf(ad, covers, nodes, view)],
    createdAt: ad.metadata.creationTimestamp ?? "",
    resourceVersion: ad.metadata.resourceVersion ?? "",
  };
}

function findingsOf(
  ad: L2Advertisement,
  covers: readonly string[],
  nodes: readonly string[],
  view: View,
): readonly Finding[] {
  const facts = advertisementFacts(ad);
  const findings: Finding[] = [];
  const known = new Set(view.facts.pools.map((pool) => pool.metadata.name));
  for (const [index, name] of facts.pools.entries()) {
    if (facts.pools.indexOf(name) !== index) {
      findings.push(error(`spec.ipAddressPools.${index}`, `pool ${name} is listed twice`, "list every pool once"));
    } else if (!known.has(name)) {
      const fix = "create the pool, or take its name out";
      findings.push(warning(`spec.ipAddressPools.${index}`, `there is no pool ${name}`, fix));
    }
  }
  const selectors = {
    ipAddressPoolSelectors: facts.poolSelectors,
    nodeSelectors: facts.nodeSelectors,
    serviceSelectors: facts.serviceSelectors,
  };
  for (const [field, list] of Object.entries(selectors)) {
    for (const [index, selector] of list.entries()) {
      const wrong = selectorProblem(selector);
      if (wrong !== null) findings.push(error(`spec.${field}.${index}`, wrong, "correct the selector"));
    }
  }
  if (covers.length === 0 && known.size > 0) {
    findings.push(warning("spec.ipAddressPools", "it covers no pool", "name a pool, or leave the list empty for all"));
  }
  if (nodes.length === 0 && view.nodes.length > 0) {
    findings.push(warning("spec.nodeSelectors", "no node matches", "change the selectors, or label a node"));
  }
  const interfaces = new Set(view.nodes.flatMap((node) => node.interfaces ?? []));
  for (const [index, name] of facts.interfaces.entries()) {
    if (interfaces.size === 0 || interfaces.has(name)) continue;
    findings.push(warning(`spec.interfaces.${index}`, `no node has an interface ${name}`, "check the spelling"));
  }
  return findings;
}

function error(field: string, message: string, fix: string): Finding {
  return { severity: "error", field, message, fix };
}
function warning(field: string, message: string, fix: string): Finding {
  return { severity: "warning", field, message, fix };
}
