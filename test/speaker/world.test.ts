import { describe, expect, it } from "vitest";
import type { Service } from "#api/kubernetes/services";
import { IP_ADDRESS_POOLS, L2_ADVERTISEMENTS, SERVICES } from "#api/resources";
import { World } from "#speaker/world";
import { settle } from "../support/virtual-clock.ts";
import { SmallCluster } from "./small-cluster.ts";

const NS = "metallb-system";
const pool = (name: string, addresses: readonly string[], labels = {}) => ({
  metadata: { name, namespace: NS, labels },
  spec: { addresses: [...addresses], autoAssign: true, avoidBuggyIPs: false },
});
const service = (name: string, ip?: string): Service => ({
  metadata: { name, namespace: "default" },
  spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
  status: { loadBalancer: ip === undefined ? {} : { ingress: [{ ip }] } },
});
const advertisement = (spec = {}) => ({ metadata: { name: "external", namespace: NS }, spec });

/** The Services that are elected anew after a change; null: all. */
async function electedAfter(change: (cluster: SmallCluster) => void): Promise<readonly (readonly string[] | null)[]> {
  const cluster = new SmallCluster();
  cluster.put(IP_ADDRESS_POOLS, pool("production", ["10.1.0.1-10.1.0.9"]));
  cluster.put(IP_ADDRESS_POOLS, pool("lab", ["10.2.0.1-10.2.0.9"]));
  cluster.put(L2_ADVERTISEMENTS, advertisement());
  for (const each of [service("web", "10.1.0.1"), service("dns", "10.2.0.2"), service("waits")]) {
    cluster.put(SERVICES, each);
  }
  const elected: (readonly string[] | null)[] = [];
  const ending = new AbortController();
  const world = new World(cluster.client(), {
    namespace: NS,
    lbClass: null,
    ignoreExcludeLabel: false,
    onChange: (keys) => elected.push(keys),
    onNodes: () => undefined,
    onConfig: () => undefined,
    signal: ending.signal,
    soon: (task) => queueMicrotask(task),
  });
  await world.whenSynced(ending.signal);
  await settle();
  elected.length = 0;
  change(cluster);
  await settle();
  ending.abort();
  return elected;
}

describe("an edit of the configuration has elected anew", () => {
  const rows: readonly (readonly [string, readonly (readonly string[] | null)[], (cluster: SmallCluster) => void])[] = [
    ["nobody, when it touches no assigned address", [], (to) => to.put(IP_ADDRESS_POOLS, pool("new", ["10.3.0.0/24"]))],
    [
      "those whose pool grew, whose advertisements it may name by label",
      [["default/web"]],
      (to) => to.put(IP_ADDRESS_POOLS, pool("production", ["10.1.0.1-10.1.0.9"], { colour: "blue" })),
    ],
    [
      "those whose address left a pool, and those whose address came into one",
      [["default/web", "default/dns"]],
      (to) => {
        to.put(IP_ADDRESS_POOLS, pool("production", ["10.1.0.5-10.1.0.9"]));
        to.put(IP_ADDRESS_POOLS, pool("lab", ["10.2.0.2/32"]));
      },
    ],
    [
      "those of a pool that is deleted",
      [["default/dns"]],
      (to) => to.remove(IP_ADDRESS_POOLS, { name: "lab", namespace: NS }),
    ],
    [
      "everybody, when an advertisement changes",
      [null],
      (to) => to.put(L2_ADVERTISEMENTS, advertisement({ ipAddressPools: ["lab"] })),
    ],
    [
      "everybody, when a pool appears that was never valid: an address of no pool may be its",
      [null],
      (to) => to.put(IP_ADDRESS_POOLS, pool("broken", ["10.9.0.9-10.9.0.1"])),
    ],
    [
      "nobody, when an edit breaks a pool: its last valid version stays in force",
      [],
      (to) => to.put(IP_ADDRESS_POOLS, pool("lab", ["nonsense"])),
    ],
  ];
  it.each(rows)("%s", async (_name, expected, change) => {
    expect(await electedAfter(change)).toEqual(expected);
  });
});
