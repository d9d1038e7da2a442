/** Sentences of metallb.md 2.2 to 2.4 and 3.6 to 3.10 about what becomes of a Service over time; more are in waiting.test.ts. */
import { describe, expect, it } from "vitest";
import type { Service } from "#api/kubernetes/services";
import type { IPAddressPool } from "#api/metallb";
import { ANNOTATION } from "#api/names";
import { EVENTS, IP_ADDRESS_POOLS, NAMESPACES, SERVICES } from "#api/resources";
import { NS, pool, Rig, type ServiceOver, service } from "./rig.ts";

const ONE = pool("one", "10.0.0.1-10.0.0.3");
const BOTH = pool("both", ["10.1.0.1-10.1.0.3", "fd00:1::1-fd00:1::3"]);
const share = (key: string) => ({ [ANNOTATION.allowSharedIP]: key });
const from = (name: string) => ({ annotations: { [ANNOTATION.addressPool]: name } });
const dual = (ipFamilyPolicy: string): ServiceOver["spec"] => ({
  clusterIPs: ["10.96.0.1", "fd96::1"],
  ipFamilies: ["IPv4", "IPv6"],
  ipFamilyPolicy,
});
const port = (number: number): ServiceOver["spec"] => ({ ports: [{ port: number }] });
const spec = (more: NonNullable<ServiceOver["spec"]>) => (each: Service) => ({
  ...each,
  spec: { ...each.spec, ...more },
});
const annotate = (more: Record<string, string>) => (each: Service) => ({
  ...each,
  metadata: { ...each.metadata, annotations: { ...each.metadata.annotations, ...more } },
});
const drop = async (rig: Rig, name: string) => {
  rig.server.delete(IP_ADDRESS_POOLS, `${NS}/${name}`);
  await rig.calm();
};

async function rigWith(...objects: readonly (Service | IPAddressPool)[]): Promise<Rig> {
  const rig = new Rig();
  await rig.put(...objects);
  return await rig.start();
}

interface Life {
  readonly name: string;
  readonly before: readonly (Service | IPAddressPool)[];
  readonly change: (rig: Rig) => Promise<void>;
  /** What `Rig.says` of each Service afterwards. */
  readonly want: Readonly<Record<string, string>>;
}

const lives: readonly Life[] = [
  {
    name: "3.6: a pool that is renamed keeps its Services where they are, and the annotation follows",
    before: [ONE, pool("spare", "10.9.0.0/24"), service("web", { spec: { loadBalancerIP: "10.0.0.2" } })],
    change: async (rig) => {
      rig.server.delete(IP_ADDRESS_POOLS, `${NS}/one`);
      rig.server.set(IP_ADDRESS_POOLS, pool("uno", "10.0.0.1-10.0.0.3"));
      await rig.calm();
    },
    want: { web: "10.0.0.2 (uno)" },
  },
  {
    name: "3.6: a range handed from one pool to another takes its Services with it",
    before: [ONE, pool("two", "10.2.0.1/32"), service("web")],
    change: async (rig) => {
      rig.server.set(IP_ADDRESS_POOLS, pool("one", "10.0.0.2-10.0.0.3"));
      rig.server.set(IP_ADDRESS_POOLS, pool("two", ["10.2.0.1/32", "10.0.0.1/32"]));
      await rig.calm();
    },
    want: { web: "10.0.0.1 (two)" },
  },
  {
    name: "3.6: a pool that shrinks moves those outside, and nobody else",
    before: [ONE, service("a-stays"), service("b-goes")],
    change: (rig) => rig.put(pool("one", ["10.0.0.1/32", "10.0.0.3/32"])),
    want: { "a-stays": "10.0.0.1 (one)", "b-goes": "10.0.0.3 (one)" },
  },
  {
    name: "3.6: a pool that shrinks to nothing they can have clears them",
    before: [ONE, service("web")],
    change: (rig) => rig.put(pool("one", "fd00::/64")),
    want: { web: "FamilyUnavailable: one: has no IPv4 addresses" },
  },
  {
    name: "3.6: with the last pool every Service is cleared",
    before: [ONE, service("web"), service("db")],
    change: (rig) => drop(rig, "one"),
    want: { web: "NoPool: there is no address pool", db: "NoPool: there is no address pool" },
  },
  {
    name: "3.6: selectors that do not match any more clear and give from elsewhere",
    before: [pool("a", "10.0.0.1/32"), pool("z", "10.9.0.1/32"), service("web")],
    change: (rig) =>
      rig.put(pool("a", "10.0.0.1/32", { serviceAllocation: { serviceSelectors: [{ matchLabels: { app: "db" } }] } })),
    want: { web: "10.9.0.1 (z)" },
  },
  {
    name: "3.6: a Service whose labels do not match any more is moved",
    before: [
      pool("a", "10.0.0.1/32", { serviceAllocation: { serviceSelectors: [{ matchLabels: { app: "web" } }] } }),
      pool("z", "10.9.0.1/32"),
      { ...service("web"), metadata: { ...service("web").metadata, labels: { app: "web" } } },
    ],
    change: (rig) => rig.edit("web", (each) => ({ ...each, metadata: { ...each.metadata, labels: { app: "db" } } })),
    want: { web: "10.9.0.1 (z)" },
  },
  {
    name: "3.6: a namespace that loses the label moves its Services",
    before: [
      pool("a", "10.0.0.1/32", { serviceAllocation: { namespaceSelectors: [{ matchLabels: { team: "a" } }] } }),
      pool("z", "10.9.0.1/32"),
      service("web"),
    ],
    change: async (rig) => {
      rig.server.set(NAMESPACES, { metadata: { name: "default", labels: {} } });
      await rig.calm();
    },
    want: { web: "10.9.0.1 (z)" },
  },
  {
    name: "3.6: avoidBuggyIPs turned on clears who sits on .255",
    before: [pool("p", "10.0.0.255-10.0.1.1"), service("web")],
    change: (rig) => rig.put(pool("p", "10.0.0.255-10.0.1.1", { avoidBuggyIPs: true })),
    want: { web: "10.0.1.1 (p)" },
  },
  {
    name: "2.2 step 8: another pool asked for is another address",
    before: [ONE, pool("two", "10.2.0.1/32", { autoAssign: false }), service("web")],
    change: (rig) => rig.edit("web", annotate(from("two").annotations)),
    want: { web: "10.2.0.1 (two)" },
  },
  {
    name: "3.3 step 1: a Service that asks for nothing any more keeps what it got",
    before: [ONE, pool("two", "10.2.0.1/32", { autoAssign: false }), service("web", from("two"))],
    change: (rig) => rig.edit("web", annotate({ [ANNOTATION.addressPool]: "" })),
    want: { web: "10.2.0.1 (two)" },
  },
  {
    name: "2.5: who changes its key while others share loses the address, and they keep it",
    before: [
      ONE,
      service("a", { annotations: share("k") }),
      service("b", { annotations: share("k"), spec: port(443) }),
    ],
    change: (rig) => rig.edit("a", annotate(share("other"))),
    want: { a: "10.0.0.2 (one)", b: "10.0.0.1 (one)" },
  },
  {
    name: "2.5: who changes its policy while others share loses the address, and they keep it",
    before: [
      ONE,
      service("a", { annotations: share("k") }),
      service("b", { annotations: share("k"), spec: port(443) }),
    ],
    change: (rig) => rig.edit("b", spec({ externalTrafficPolicy: "Local", selector: { app: "b" } })),
    want: { a: "10.0.0.1 (one)", b: "10.0.0.2 (one)" },
  },
  {
    name: "2.5: who takes a port that another one uses loses the address",
    before: [
      ONE,
      service("a", { annotations: share("k") }),
      service("b", { annotations: share("k"), spec: port(443) }),
    ],
    change: (rig) => rig.edit("a", spec({ ports: [{ port: 80 }, { name: "tls", port: 443 }] })),
    want: { a: "10.0.0.2 (one)", b: "10.0.0.1 (one)" },
  },
  {
    name: "3.9: a pool that gains the missing family adds it under PreferDualStack, and the first address stays",
    before: [pool("p", "10.0.0.1-10.0.0.3"), service("below"), service("web", { spec: dual("PreferDualStack") })],
    change: (rig) => rig.put(pool("p", ["10.0.0.1-10.0.0.3", "fd00::1/128"])),
    want: { web: "10.0.0.2,fd00::1 (p)" },
  },
  {
    name: "3.9: a second address that is freed goes to who has one of two",
    before: [
      pool("p", ["10.1.0.1-10.1.0.3", "fd00:1::1/128"]),
      service("holder", { spec: { clusterIPs: ["fd96::2"] } }),
      service("web", { spec: dual("PreferDualStack") }),
    ],
    change: (rig) => rig.delete("holder"),
    want: { web: "10.1.0.1,fd00:1::1 (p)" },
  },
  {
    name: "3.9, repaired: a dual pool that loses a family takes one address, not both",
    before: [BOTH, service("web", { spec: dual("PreferDualStack") })],
    change: (rig) => rig.put(pool("both", "10.1.0.1-10.1.0.3")),
    want: { web: "10.1.0.1 (both)" },
  },
  {
    name: "3.9: Prefer to Require gives up a single address where no pool has both",
    before: [ONE, service("web", { spec: dual("PreferDualStack") })],
    change: (rig) => rig.edit("web", spec({ ipFamilyPolicy: "RequireDualStack" })),
    want: { web: "FamilyUnavailable: one: has no IPv6 addresses" },
  },
  {
    name: "3.9: who waits for both families is served when a dual pool appears",
    before: [ONE, service("web", { spec: dual("RequireDualStack") })],
    change: (rig) => rig.put(BOTH),
    want: { web: "10.1.0.1,fd00:1::1 (both)" },
  },
  {
    name: "3.9: Require to Prefer keeps both",
    before: [BOTH, service("web", { spec: dual("RequireDualStack") })],
    change: (rig) => rig.edit("web", spec({ ipFamilyPolicy: "PreferDualStack" })),
    want: { web: "10.1.0.1,fd00:1::1 (both)" },
  },
  {
    name: "3.7: deletion frees at once, and the same name made again is a new Service",
    before: [ONE, service("a"), service("b")],
    change: async (rig) => {
      await rig.delete("a");
      await rig.put(service("a"));
    },
    want: { a: "10.0.0.1 (one)", b: "10.0.0.2 (one)" },
  },
  {
    name: "3.8: hostname entries in the status are ignored, and an address is given",
    before: [
      ONE,
      { ...service("web"), status: { loadBalancer: { ingress: [{ hostname: "lb.example.org" }] } } } as Service,
    ],
    change: async () => undefined,
    want: { web: "10.0.0.1 (one)" },
  },
  {
    name: "per pool, in words: exhausted with the count, and the namespace that is not allowed",
    before: [
      pool("production", "10.0.0.1/32"),
      pool("lab", "10.9.0.0/24", { serviceAllocation: { namespaces: ["lab"] } }),
      service("holder"),
      service("web", { createdAt: "2027-01-01T00:00:00Z" }),
    ],
    change: async () => undefined,
    want: { web: "Exhausted: lab: namespace default not allowed; production: exhausted (1 of 1 in use)" },
  },
];

describe("a Service, over time (metallb.md)", () => {
  it.each(lives)("$name", async ({ before, change, want }) => {
    const rig = await rigWith(...before);
    await change(rig);
    expect(Object.fromEntries(Object.keys(want).map((name) => [name, rig.says(name)]))).toEqual(want);
  });
});

describe("metallb.md 3.7 and 3.10", () => {
  it("a refusal is not repeated, nor tried again, while nothing changes", async () => {
    const rig = await rigWith(
      pool("one", "10.0.0.1/32"),
      service("holder"),
      service("web", { createdAt: "2027-01-01T00:00:00Z" }),
    );
    rig.server.writes.length = 0;
    await rig.calm(600_000);
    expect(rig.server.writes).toEqual([]);
  });

  it("an assigned Service is never pushed out, not by an older one, nor by one that asks for its address", async () => {
    const rig = await rigWith(pool("one", "10.0.0.1/32"), service("holder", { createdAt: "2027-01-01T00:00:00Z" }));
    await rig.put(service("old", { createdAt: "2020-01-01T00:00:00Z", spec: { loadBalancerIP: "10.0.0.1" } }));
    expect([rig.says("holder"), rig.says("old")]).toEqual([
      "10.0.0.1 (one)",
      "AlreadyAssigned: 10.0.0.1 is already assigned to default/holder",
    ]);
  });
});

interface Told {
  readonly name: string;
  readonly before: readonly (Service | IPAddressPool)[];
  readonly change?: (rig: Rig) => Promise<void>;
  /** "<type> <reason>", oldest first, of what is said about Service "web" after `change`. */
  readonly want: readonly string[];
}

const old = { "metallb.universe.tf/address-pool": "one" };

const events: readonly Told[] = [
  { name: "an address that is assigned", before: [ONE, service("web")], want: ["Normal IPAllocated"] },
  {
    name: "an address that is adopted says nothing",
    before: [ONE, service("web", { ingress: ["10.0.0.2"] })],
    want: [],
  },
  {
    name: "an address that was taken out of the status by hand, and is given again",
    before: [ONE, service("web")],
    change: (rig) => rig.edit("web", (each) => ({ ...each, status: { ...each.status, loadBalancer: {} } })),
    want: ["Normal IPAllocated"],
  },
  { name: "an allocation that failed", before: [service("web")], want: ["Warning AllocationFailed"] },
  {
    name: "an address that is no longer legal, and the next one",
    before: [ONE, service("web")],
    change: (rig) => rig.put(pool("one", "10.0.0.3/32")),
    want: ["Normal ClearAssignment", "Normal IPAllocated"],
  },
  {
    name: "a second family that is not available: not again at every reconcile",
    before: [ONE, service("web", { spec: dual("PreferDualStack") })],
    change: async (rig) => {
      for (const number of [81, 82]) await rig.edit("web", spec({ ports: [{ port: number }] }));
    },
    want: [],
  },
  {
    name: "a second family that is not available",
    before: [ONE, service("web", { spec: dual("PreferDualStack"), ingress: ["10.0.0.1"] })],
    want: ["Normal AdditionalAssignFailed"],
  },
  {
    name: "a second address that is added",
    before: [ONE, service("web", { ingress: ["10.0.0.2"], spec: dual("PreferDualStack") })],
    change: (rig) => rig.put(pool("one", ["10.0.0.1-10.0.0.3", "fd00::/64"])),
    want: ["Normal IPAllocated"],
  },
  {
    name: "a bad request on an assigned Service",
    before: [ONE, service("web")],
    change: (rig) => rig.edit("web", spec({ loadBalancerIP: "ten" })),
    want: ["Warning LoadBalancerFailed"],
  },
  {
    name: "a bad request on a new Service",
    before: [ONE, service("web", { spec: { loadBalancerIP: "ten" } })],
    want: ["Warning AllocationFailed"],
  },
  {
    name: "RequireDualStack on single-stack cluster IPs",
    before: [BOTH, service("web", { spec: { ipFamilyPolicy: "RequireDualStack" } })],
    want: ["Warning not enough clusterips"],
  },
  {
    name: "addresses in the status that cannot be read",
    before: [ONE, service("web", { ingress: ["10.0.0.01"] })],
    want: ["Warning nolbIPsIPFamily", "Normal ClearAssignment", "Normal IPAllocated"],
  },
  {
    name: "cluster IPs that cannot be read, on an assigned Service",
    before: [ONE, service("web")],
    change: (rig) => rig.edit("web", spec({ clusterIPs: ["10.96.0.999"] })),
    want: ["Warning noclusterIPsIPFamily"],
  },
  { name: "no cluster IP: nothing is said", before: [ONE, service("web", { spec: { clusterIPs: [] } })], want: [] },
  {
    name: "deprecated annotations, when the Service changes",
    before: [ONE, service("web", { annotations: old })],
    want: ["Normal IPAllocated", "Warning deprecatedAnnotation"],
  },
  {
    name: "deprecated annotations, when nothing changes: nothing",
    before: [ONE, service("web", { annotations: old })],
    change: (rig) => rig.edit("web", (each) => ({ ...each, metadata: { ...each.metadata, labels: { a: "b" } } })),
    want: [],
  },
  {
    name: "deprecated annotations that the new spelling overrules: nothing",
    before: [ONE, service("web", { annotations: { ...old, [ANNOTATION.addressPool]: "one" } })],
    want: ["Normal IPAllocated"],
  },
];

describe("metallb.md 2.4: the Events of a Service say", () => {
  it.each(events)("$name", async ({ before, change, want }) => {
    const rig = await rigWith(...before);
    await rig.calm(20_000);
    if (change !== undefined) {
      // Only what comes from here on counts.
      for (const { metadata } of rig.events("web")) rig.server.delete(EVENTS, `default/${metadata.name}`);
      await change(rig);
      await rig.calm(20_000);
    }
    expect(rig.events("web").map(({ type, reason }) => `${type} ${reason}`)).toEqual(want);
  });
});

describe("metallb.md 2.2 step 13", () => {
  it("a Service of another type loses address, annotation and conditions at once", async () => {
    const rig = await rigWith(
      pool("one", "10.0.0.1/32"),
      service("web"),
      service("next", { createdAt: "2027-01-01T00:00:00Z" }),
    );
    await rig.edit("web", spec({ type: "ClusterIP" }));
    expect(rig.get("web")?.status).toEqual({ loadBalancer: {} });
    expect(rig.get("web")?.metadata.annotations ?? {}).toEqual({});
    expect(rig.says("next")).toBe("10.0.0.1 (one)");
  });

  it("asked-for addresses are written as the user listed them, and nothing is written again", async () => {
    const asked = {
      annotations: { [ANNOTATION.loadBalancerIPs]: "fd00:1::3,10.1.0.3" },
      spec: dual("RequireDualStack"),
    };
    const rig = await rigWith(BOTH, service("web", asked));
    expect(rig.addresses("web")).toEqual(["fd00:1::3", "10.1.0.3"]);
    rig.server.writes.length = 0;
    await rig.edit("web", (each) => ({ ...each, metadata: { ...each.metadata, labels: { a: "b" } } }));
    await rig.calm(20_000);
    expect(rig.addresses("web")).toEqual(["fd00:1::3", "10.1.0.3"]);
    expect(rig.server.writes.filter(({ plural }) => plural === SERVICES.plural)).toEqual([]);
  });

  it("repaired: PreferDualStack with one cluster IP and a dual-stack pool comes to rest", async () => {
    const rig = await rigWith(BOTH, service("web", { spec: { ipFamilyPolicy: "PreferDualStack" } }));
    rig.server.writes.length = 0;
    await rig.calm(60_000);
    expect([rig.says("web"), rig.server.writes]).toEqual(["10.1.0.1 (both)", []]);
  });
});
