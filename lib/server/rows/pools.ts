import type { FamilyUse, Finding, PoolRow } from "#api/dashboard";
import { toNamespaceFacts, toPoolInput } from "#api/facts";
import type { IPAddressPool } from "#api/metallb";
import { type Address, formatAddress, formatRange, rangesOverlap, tryParseAddress } from "#core/address";
import { compileConfiguration } from "#core/configuration";
import { advertisementsOf } from "#core/election";
import { countPool, type FamilyCount } from "#core/pool-count";
import { compilePool, type PoolView, poolContains } from "#core/pools";
import type { View } from "../view.ts";

export function poolRow(pool: IPAddressPool, view: View): PoolRow {
  const name = pool.metadata.name ?? "";
  const input = toPoolInput(pool);
  const findings = findingsOf(name, view);
  const valid = !findings.some((finding) => finding.severity === "error");
  // An invalid pool still shows its own ranges where they can be read, but what counts is the version in force.
  const inForce = view.pools.find((one) => one.name === name);
  const compiled = inForce ?? compilePool(input, view.facts.namespaces.map(toNamespaceFacts)).view;
  const used = heldIn(compiled ?? undefined, view);
  const counts = compiled === null ? { ipv4: null, ipv6: null } : countPool(compiled, used.addresses);
  const allocation = input.serviceAllocation;
  return {
    name,
    addresses: [...input.addresses],
    autoAssign: input.autoAssign,
    avoidBuggyIPs: input.avoidBuggyIPs,
    priority: allocation?.priority === undefined || allocation.priority === 0 ? null : allocation.priority,
    namespaces: [...(allocation?.namespaces ?? [])],
    namespaceSelectors: [...(pool.spec.serviceAllocation?.namespaceSelectors ?? [])],
    serviceSelectors: [...(pool.spec.serviceAllocation?.serviceSelectors ?? [])],
    ipv4: familyUse(counts.ipv4),
    ipv6: familyUse(counts.ipv6),
    services: inForce === undefined ? [] : [...used.services],
    advertisedBy: advertisementsOf({ name, labels: pool.metadata.labels ?? {} }, view.advertisements).map(
      (ad) => ad.name,
    ),
    findings: [...findings],
    valid,
    createdAt: pool.metadata.creationTimestamp ?? "",
    resourceVersion: pool.metadata.resourceVersion ?? "",
  };
}

/** The addresses of a pool that Services hold, and those Services. */
export function heldIn(
  pool: PoolView | undefined,
  view: Pick<View, "holders">,
): { readonly addresses: readonly Address[]; readonly services: readonly string[] } {
  const addresses: Address[] = [];
  const services = new Set<string>();
  if (pool === undefined) return { addresses, services: [] };
  for (const [text, keys] of view.holders) {
    const address = tryParseAddress(text);
    if (address === null || !poolContains(pool, address)) continue;
    addresses.push(address);
    for (const key of keys) services.add(key);
  }
  return { addresses, services: [...services].sort() };
}

export function familyUse(count: FamilyCount | null): FamilyUse | null {
  if (count === null) return null;
  return {
    assigned: count.assigned.toString(),
    available: count.available.toString(),
    total: count.total.toString(),
    totalText: totalText(count.total),
    nextFree: count.nextFree === null ? null : formatAddress(count.nextFree),
    pressure: pressure(count),
  };
}

/** By share and by what is left (ux.md 2.2): a /30 at 75 % is not a /16 at 75 %. An unused pool is never under pressure. */
function pressure({ total, assigned, available }: FamilyCount): FamilyUse["pressure"] {
  if (assigned === 0n && available > 0n) return "ready";
  if (available <= 1n || assigned * 100n >= total * 90n) return "failed";
  return available <= 3n || assigned * 100n >= total * 75n ? "warning" : "ready";
}

/** "254", "65,536", "2⁶⁴", "≈ 2⁶⁴". */
export function totalText(total: bigint): string {
  if (total < 1n << 24n) return total.toString().replace(/\B(?=(\d{3})+$)/g, ",");
  const power = total.toString(2).length - 1;
  const low = 1n << BigInt(power);
  const nearest = total - low < low * 2n - total ? power : power + 1;
  const digits = [...String(nearest)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("");
  return total === 1n << BigInt(nearest) ? `2${digits}` : `≈ 2${digits}`;
}

/** What is wrong with a pool, and what is odd: above all ranges that contain an address of a node. */
export function findingsOf(name: string, view: View): readonly Finding[] {
  const compiled = view.findings
    .filter((one) => one.object === name)
    .map(({ severity, field, message, fix }) => ({ severity, field, message, fix }));
  const input = view.facts.pools.find((pool) => pool.metadata.name === name);
  if (input === undefined) return compiled;
  return [...compiled, ...nodeFindings(toPoolInput(input).addresses, view), ...doubtsOf(input, view)];
}

/** What the compiler warns of and the row does not say otherwise (that nobody advertises the pool, it does). */
function doubtsOf(pool: IPAddressPool, { facts }: View): readonly Finding[] {
  const namespaces =
    pool.spec.serviceAllocation === undefined || facts.namespaces.length === 0 ? undefined : facts.namespaces;
  const { findings } = compileConfiguration({ pools: [pool], namespaces });
  return findings
    .filter(({ severity, reason }) => severity === "warning" && reason !== "not_advertised")
    .map(({ severity, field, message, fix }) => ({ severity, field, message, fix }));
}

export function nodeFindings(addresses: readonly string[], view: Pick<View, "facts">): readonly Finding[] {
  const findings: Finding[] = [];
  const { view: pool } = compilePool({ name: "draft", addresses, autoAssign: true, avoidBuggyIPs: false }, []);
  for (const [index, range] of (pool?.ranges ?? []).entries()) {
    for (const node of view.facts.nodes) {
      for (const { address: text } of node.status?.addresses ?? []) {
        const address = tryParseAddress(text);
        if (address === null || !rangesOverlap(range, { first: address, last: address })) continue;
        findings.push({
          severity: "warning",
          field: `spec.addresses.${index}`,
          message: `${formatRange(range)} contains ${text}, the address of node ${node.metadata.name}`,
          fix: "leave the nodes' own addresses out of the pool",
        });
      }
    }
  }
  return findings;
}
