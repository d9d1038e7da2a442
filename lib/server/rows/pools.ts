import type { Finding } from "#api/dashboard/configuration";
import type { FamilyUse, PoolRow } from "#api/dashboard/pools";
import type { IPAddressPool } from "#api/metallb";
import { type Address, formatAddress, tryParseAddress } from "#core/address";
import { compileConfiguration } from "#core/configuration";
import type { ConfigurationFinding } from "#core/configuration/finding";
import { advertisementsOf } from "#core/election";
import { perObject } from "#core/per-object";
import { countPool, type FamilyCount } from "#core/pool-count";
import { type PoolView, poolContains } from "#core/pools";
import { asWritten } from "../sound.ts";
import type { View } from "../view.ts";

export function poolRow(pool: IPAddressPool, view: View): PoolRow {
  const name = pool.metadata.name ?? "";
  const { spec } = pool;
  const findings = findingsOf(name, view);
  const valid = !findings.some((finding) => finding.severity === "error");
  // An invalid pool still shows its own ranges where they can be read, but what counts is the version in force.
  const inForce = view.pools.find((one) => one.name === name);
  const [compiled] =
    inForce === undefined ? compileConfiguration({ pools: [asWritten(pool)] }).configuration.pools : [inForce];
  const used = heldIn(compiled, view);
  const counts = compiled === undefined ? { ipv4: null, ipv6: null } : countPool(compiled, used.addresses, view.holds);
  const allocation = spec.serviceAllocation;
  return {
    name,
    addresses: [...spec.addresses],
    autoAssign: spec.autoAssign !== false,
    avoidBuggyIPs: spec.avoidBuggyIPs === true,
    priority: allocation?.priority === undefined || allocation.priority === 0 ? null : allocation.priority,
    namespaces: [...(allocation?.namespaces ?? [])],
    namespaceSelectors: [...(allocation?.namespaceSelectors ?? [])],
    serviceSelectors: [...(allocation?.serviceSelectors ?? [])],
    ipv4: familyUse(counts.ipv4),
    ipv6: familyUse(counts.ipv6),
    services: inForce === undefined ? [] : [...used.services],
    advertisedBy: advertisementsOf({ name, labels: pool.metadata.labels ?? {} }, view.advertisements).map(
      (ad) => ad.name,
    ),
    findings: findings.map(toFinding),
    valid,
    createdAt: pool.metadata.creationTimestamp ?? "",
    resourceVersion: pool.metadata.resourceVersion ?? "",
  };
}

/** Read once for all pools. */
const readHolders = perObject((holders: View["holders"]) =>
  [...holders].flatMap(([text, keys]) => {
    const address = tryParseAddress(text);
    return address === null ? [] : [{ address, keys }];
  }),
);

/** The addresses of a pool that Services hold, and those Services. */
export function heldIn(
  pool: PoolView | undefined,
  view: Pick<View, "holders">,
): { readonly addresses: readonly Address[]; readonly services: readonly string[] } {
  const addresses: Address[] = [];
  const services = new Set<string>();
  if (pool === undefined) return { addresses, services: [] };
  for (const { address, keys } of readHolders(view.holders)) {
    if (!poolContains(pool, address)) continue;
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

/** What the compiler says and the row does not say otherwise (that nobody advertises the pool, it does). */
export function findingsOf(name: string, view: View): readonly ConfigurationFinding[] {
  return view.findingsOf("IPAddressPool", name).filter(({ reason }) => reason !== "not_advertised");
}

/** A finding as the API has it. */
export function toFinding({ severity, field, message, fix }: ConfigurationFinding): Finding {
  return { severity, field, message, fix };
}
