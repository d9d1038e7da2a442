import { describe, expect, it } from "vitest";
import { ActivityRow } from "#api/dashboard/activity";
import { AddressPage } from "#api/dashboard/addresses";
import { AdvertisementRow } from "#api/dashboard/advertisements";
import { ComponentRow } from "#api/dashboard/components";
import { NodeRow } from "#api/dashboard/nodes";
import { PoolRow } from "#api/dashboard/pools";
import { activityRows } from "#server/rows/activity";
import { addressPage } from "#server/rows/addresses";
import { advertisementRow } from "#server/rows/advertisements";
import { componentRow } from "#server/rows/components";
import { nodeRow } from "#server/rows/nodes";
import { poolRow, totalText } from "#server/rows/pools";
import { makeView } from "#server/view";
import {
  advertisement,
  controllerPod,
  facts,
  l2Status,
  macOf,
  NODE_NAMES,
  node,
  pool,
  service,
  speakerPod,
  speakerState,
  threePods,
} from "./fixtures.ts";

const SERVED = { slices: [threePods("web")], l2Statuses: [l2Status("web", "node-02")] };
const HELD = { services: [service("web", { ip: "127.77.10.1" })] };

describe("a pool's row", () => {
  it("counts addresses, not Services, and names the next free one", () => {
    const shared = { "metallb.io/allow-shared-ip": "k" };
    const view = makeView(
      facts({
        services: [
          service("a", { ip: "127.77.10.1", annotations: shared }),
          service("b", { ip: "127.77.10.1", annotations: shared, spec: { ports: [{ port: 81 }] } }),
        ],
      }),
    );
    const row = PoolRow.parse(poolRow(view.facts.pools[0] ?? pool("x", []), view));
    expect(row).toMatchObject({ services: ["default/a", "default/b"], advertisedBy: ["external"], valid: true });
    expect(row.ipv4).toEqual({
      assigned: "1",
      available: "253",
      total: "254",
      totalText: "254",
      nextFree: "127.77.10.2",
      pressure: "ready",
    });
    expect(row.ipv6).toBeNull();
  });

  it.each([
    ["an inverted range", ["127.77.10.9-127.77.10.1"], "spec.addresses.0"],
    ["a bare address", ["127.77.10.9"], "spec.addresses.0"],
    ["an overlap with an older pool", ["127.77.12.1/32", "127.77.10.200/32"], "spec.addresses.1"],
  ])("%s is an error at its field", (_name, addresses, field) => {
    const broken = pool("broken", addresses);
    const view = makeView(
      facts({
        pools: [
          ...facts().pools,
          { ...broken, metadata: { ...broken.metadata, creationTimestamp: "2026-03-01T00:00:00Z" } },
        ],
      }),
    );
    const row = poolRow(view.facts.pools[1] ?? broken, view);
    expect(row.valid).toBe(false);
    expect(row.findings.map((finding) => finding.field)).toContain(field);
  });

  it("warns of bits behind a prefix and of namespaces that nobody made, as berth check does", () => {
    const odd = pool("odd", ["127.77.20.9/24"]);
    const spec = { ...odd.spec, serviceAllocation: { namespaces: ["default", "shpo"] } };
    const view = makeView(
      facts({
        pools: [{ ...odd, spec }],
        namespaces: [{ metadata: { name: "default" } }, { metadata: { name: "shop" } }],
      }),
    );
    const row = poolRow(view.facts.pools[0] ?? odd, view);
    expect(row.valid).toBe(true);
    expect(row.findings.map(({ severity, field }) => `${severity} ${field}`)).toEqual([
      "warning spec.addresses.0",
      "warning spec.serviceAllocation.namespaces.1",
    ]);
  });

  it("warns when a range contains a node's address", () => {
    const view = makeView(facts({ pools: [pool("near", ["127.77.0.0/24"])] }));
    const row = poolRow(view.facts.pools[0] ?? pool("x", []), view);
    expect(row.valid).toBe(true);
    expect(row.findings[0]).toMatchObject({
      severity: "warning",
      field: "spec.addresses.0",
      message: expect.stringMatching(/127\.77\.0\.11, the address of node node-01/),
    });
  });

  it.each([
    [254n, "254"],
    [65536n, "65,536"],
    [1n << 64n, "2⁶⁴"],
    [(1n << 64n) - 5n, "≈ 2⁶⁴"],
    [5n << 62n, "≈ 2⁶⁴"],
  ])("%s addresses read %s", (total, text) => {
    expect(totalText(total)).toBe(text);
  });

  it.each([
    [["127.77.10.0/30"], 1, "warning"],
    [["127.77.10.0/29"], 5, "warning"],
    [["127.77.10.0/30"], 3, "failed"],
    [["127.77.10.0/32"], 0, "ready"],
  ])("pressure of %s with %s used is %s", (addresses, used, pressure) => {
    const services = Array.from({ length: used }, (_, index) => service(`s${index}`, { ip: `127.77.10.${index}` }));
    const view = makeView(facts({ pools: [pool("p", addresses)], services }));
    expect(poolRow(view.facts.pools[0] ?? pool("x", []), view).ipv4?.pressure).toBe(pressure);
  });
});

describe("a page of addresses", () => {
  const view = makeView(
    facts({
      pools: [pool("p", ["127.77.10.0-127.77.10.255"], { avoidBuggyIPs: true })],
      services: [
        service("a", { ip: "127.77.10.1" }),
        service("b", { annotations: { "metallb.io/loadBalancerIPs": "127.77.10.3" } }),
      ],
      l2Statuses: [l2Status("a", "node-02")],
    }),
  );
  const inForce = view.pools[0];
  if (inForce === undefined) throw new Error("no pool");

  it("says for each address what it is", () => {
    const page = AddressPage.parse(addressPage(inForce, { offset: 0, limit: 5 }, view));
    expect(page.addresses.map((row) => row.state)).toEqual(["excluded", "assigned", "free", "requested", "free"]);
    expect(page).toMatchObject({ total: "254", nextFree: "127.77.10.2", next: 5 });
    expect(page.addresses[1]).toMatchObject({ services: ["default/a"], announcedBy: "node-02" });
  });

  it("filters by state and says where to go on", () => {
    const page = addressPage(inForce, { offset: 0, limit: 10, state: "assigned" }, view);
    expect(page.addresses.map((row) => row.address)).toEqual(["127.77.10.1"]);
    expect(page.next).toBeNull();
  });

  it("costs the page and not the pool, also for 2^64 addresses", () => {
    const huge = makeView(facts({ pools: [pool("v6", ["2001:db8::/64"])] }));
    const view6 = huge.pools[0];
    if (view6 === undefined) throw new Error("no pool");
    const page = addressPage(view6, { offset: 4_000_000_000, limit: 2 }, huge);
    expect(page.addresses[0]?.address).toBe("2001:db8::ee6b:2800");
    expect(page.total).toBe((1n << 64n).toString());
  });
});

describe("other rows", () => {
  it("an advertisement names what it covers, and what is odd about it", () => {
    const view = makeView(
      facts({
        advertisements: [
          advertisement("ad", ["gone"], { interfaces: ["eth9"], nodeSelectors: [{ matchLabels: { zone: "b" } }] }),
        ],
      }),
    );
    const row = AdvertisementRow.parse(advertisementRow(view.facts.advertisements[0] ?? advertisement("x"), view));
    expect(row).toMatchObject({ covers: [], nodes: [] });
    expect(row.findings.map((finding) => finding.field)).toEqual([
      "spec.ipAddressPools.0",
      "spec.nodeSelectors.0",
      "spec.ipAddressPools",
      "spec.interfaces.0",
    ]);
  });

  it("a node lists what it announces and whether it may", () => {
    const view = makeView(facts({ ...HELD, ...SERVED }));
    const row = NodeRow.parse(nodeRow(node("node-02"), view));
    expect(row).toMatchObject({ ready: true, poweredOff: false, eligibility: "announced", addresses: ["127.77.0.12"] });
    expect(row.announces).toEqual([
      { address: "127.77.10.1", service: "default/web", pool: "production", since: null },
    ]);
    expect(row.speaker).toMatchObject({
      pod: "speaker-02",
      ready: true,
      restarts: 1,
      interfaces: [{ name: "eth0", mac: macOf("node-02"), up: true }],
    });
  });

  it.each([
    [
      "a switched-off node",
      { metadata: { name: "node-01", annotations: { "sandbox.berth.dev/power": "off" } } },
      "speaker_not_ready",
    ],
    [
      "an excluded node",
      { metadata: { name: "node-01", labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } } },
      "excluded_by_label",
    ],
    [
      "a node without network",
      { metadata: { name: "node-01" }, status: { conditions: [{ type: "NetworkUnavailable", status: "True" }] } },
      "network_unavailable",
    ],
  ])("%s is no candidate", (_name, subject, eligibility) => {
    const view = makeView(facts({ nodes: [subject, ...NODE_NAMES.slice(1).map(node)] }));
    expect(nodeRow(subject, view).eligibility).toBe(eligibility);
  });

  it("a node that most of the others do not hear is not alive, whatever its own old report says", () => {
    const dead = (name: string) =>
      speakerState(name, {
        members: NODE_NAMES.filter((other) => other !== name).map((other) => ({
          node: other,
          alive: other !== "node-01",
          ready: true,
        })),
      });
    const view = makeView(facts({ speakerStates: [speakerState("node-01"), dead("node-02"), dead("node-03")] }));
    expect(view.nodes.map((one) => one.alive)).toEqual([false, true, true]);
  });

  it("a component shows its pods and why it may not be touched", () => {
    const base = {
      deployments: [],
      daemonSets: [],
      pods: [speakerPod("node-01", false)],
      configStates: [
        { metadata: { name: "speaker-node-01" }, status: { result: "Invalid" as const, errorSummary: "pool x: bad" } },
      ],
      speakerStates: [],
      leases: [],
      sandbox: false,
      forbidden: false,
    };
    const row = ComponentRow.parse(componentRow("speaker", base));
    expect(row).toMatchObject({ installed: false, actionsBlockedBy: expect.stringMatching(/comes later/) });
    expect(row.pods[0]).toMatchObject({
      pod: "speaker-01",
      ready: false,
      configuration: { result: "Invalid", message: "pool x: bad" },
    });
  });

  it("of a controller's replicas the one that the Lease names leads, and tells its memory there", () => {
    const replica = (name: string) => ({ ...controllerPod(), metadata: { ...controllerPod().metadata, name } });
    const lease = (holderIdentity: string) => ({
      metadata: { name: "berth-controller", annotations: { "berth.dev/memory-bytes": "81000000" } },
      spec: { holderIdentity, renewTime: "2026-01-01T00:00:09.000000Z" },
    });
    const base = {
      deployments: [],
      daemonSets: [],
      configStates: [],
      speakerStates: [],
      sandbox: true,
      forbidden: false,
    };
    const pods = [replica("controller-5c-a"), replica("controller-5c-b")];
    const told = (holder: string) => {
      const row = componentRow("controller", { ...base, pods, leases: [lease("other_1"), lease(holder)] });
      return ComponentRow.parse(row).pods.map(({ memoryBytes, leadership }) => ({ memoryBytes, leadership }));
    };
    const by = { lease: "berth-controller", renewedAt: "2026-01-01T00:00:09.000000Z" };
    expect(told("controller-5c-b_uid_1")).toEqual([
      { memoryBytes: null, leadership: { ...by, leads: false } },
      { memoryBytes: 81_000_000, leadership: { ...by, leads: true } },
    ]);
    // A pod of before the last rollout, nobody, and one whose name only begins alike.
    for (const holder of ["controller-4b-x_uid_1", "", "controller-5c-bb_uid_1"]) {
      expect(told(holder)).toEqual(pods.map(() => ({ memoryBytes: null, leadership: null })));
    }
  });

  it("activity keeps load-balancing Events, the newest first", () => {
    const event = (name: string, kind: string, at: string) => ({
      metadata: { name, uid: name },
      involvedObject: { kind, namespace: "default", name: "web" },
      reason: "IPAllocated",
      message: "m",
      type: "Normal",
      lastTimestamp: at,
      source: { component: "metallb-controller" },
    });
    const rows = activityRows(
      [
        event("a", "Service", "2026-01-01T00:00:00Z"),
        event("b", "Service", "2026-01-01T00:00:09Z"),
        { ...event("c", "Pod", "2026-01-01T00:00:05Z"), source: { component: "kubelet" } },
      ],
      "metallb-system",
    );
    expect(rows.map((row) => ActivityRow.parse(row).id)).toEqual(["b", "a"]);
    expect(rows[0]?.object).toBe("Service default/web");
  });
});
