import type { AdvertisementRow, Finding } from "#api/dashboard";
import { toL2Facts, toPoolInput } from "#api/facts";
import type { L2Advertisement } from "#api/metallb";
import { advertisementProblems } from "#core/advertisements";
import { advertisementsOf } from "#core/election";
import { anySelectorMatches } from "#core/selector";
import type { View } from "../view.ts";

export function advertisementRow(ad: L2Advertisement, view: View): AdvertisementRow {
  const facts = toL2Facts(ad);
  const pools = view.facts.pools.map(toPoolInput);
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
  const facts = toL2Facts(ad);
  const findings: Finding[] = advertisementProblems(facts).map(({ field, message, fix }) => error(field, message, fix));
  const known = new Set(view.facts.pools.map((pool) => pool.metadata.name));
  for (const [index, name] of facts.pools.entries()) {
    if (known.has(name) || facts.pools.indexOf(name) !== index) continue;
    const fix = "create the pool, or take its name out";
    findings.push(warning(`spec.ipAddressPools.${index}`, `there is no pool ${name}`, fix));
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
