import type { AdvertisementRow } from "#api/dashboard/advertisements";
import type { Finding } from "#api/dashboard/configuration";
import type { L2Advertisement } from "#api/metallb";
import { anySelectorMatches } from "#core/selector";
import type { View } from "../view.ts";
import { toFinding } from "./pools.ts";

/** As written, with what the compiler says of it and what only the whole view can tell. */
export function advertisementRow(ad: L2Advertisement, view: View): AdvertisementRow {
  const name = ad.metadata.name ?? "";
  const {
    ipAddressPools = [],
    ipAddressPoolSelectors = [],
    nodeSelectors = [],
    serviceSelectors = [],
    interfaces = [],
  } = ad.spec ?? {};
  const isForAll = ipAddressPools.length === 0 && ipAddressPoolSelectors.length === 0;
  const covers = view.facts.pools
    .filter(({ metadata }) => {
      const isNamed = ipAddressPools.includes(metadata.name ?? "");
      return isForAll || isNamed || anySelectorMatches(ipAddressPoolSelectors, metadata.labels);
    })
    .map(({ metadata }) => metadata.name ?? "");
  const nodes = view.nodes
    .filter((node) => nodeSelectors.length === 0 || anySelectorMatches(nodeSelectors, node.labels))
    .map((node) => node.name);
  const findings = view.findingsOf("L2Advertisement", name).map(toFinding);
  return {
    name,
    kind: "L2",
    ipAddressPools: [...ipAddressPools],
    ipAddressPoolSelectors: [...ipAddressPoolSelectors],
    nodeSelectors: [...nodeSelectors],
    serviceSelectors: [...serviceSelectors],
    interfaces: [...interfaces],
    covers: covers.sort(),
    nodes: nodes.sort(),
    findings: [...findings, ...oddities(interfaces, covers, view)],
    createdAt: ad.metadata.creationTimestamp ?? "",
    resourceVersion: ad.metadata.resourceVersion ?? "",
  };
}

function oddities(interfaces: readonly string[], covers: readonly string[], view: View): readonly Finding[] {
  const findings: Finding[] = [];
  if (covers.length === 0 && view.facts.pools.length > 0) {
    findings.push(warning("spec.ipAddressPools", "it covers no pool", "name a pool, or leave the list empty for all"));
  }
  const present = new Set(view.nodes.flatMap((node) => node.interfaces ?? []));
  for (const [index, name] of interfaces.entries()) {
    if (present.size === 0 || present.has(name)) continue;
    findings.push(warning(`spec.interfaces.${index}`, `no node has an interface ${name}`, "check the spelling"));
  }
  return findings;
}

function warning(field: string, message: string, fix: string): Finding {
  return { severity: "warning", field, message, fix };
}
