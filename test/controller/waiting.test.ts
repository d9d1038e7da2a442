import { describe, expect, it } from "vitest";
import type { Service } from "#api/kubernetes/services";
import type { IPAddressPool } from "#api/metallb";
import { ANNOTATION } from "#api/names";
import { IP_ADDRESS_POOLS, NAMESPACES, SERVICES } from "#api/resources";
import { NS, pool, Rig, service } from "./rig.ts";

const ONE = pool("one", "10.0.0.1/32");
const key = (text: string) => ({ [ANNOTATION.allowSharedIP]: text });
const ports = (...list: number[]) => ({ ports: list.map((port) => ({ name: `p${port}`, port })) });
const from = (name: string) => ({ [ANNOTATION.addressPool]: name });
const teamPool = (team: string) => ({
  serviceAllocation: { namespaceSelectors: [{ matchLabels: { team } }] },
});

type Cause = {
  readonly name: string;
  /** What there is before anybody waits. */
  readonly before: readonly (Service | IPAddressPool)[];
  /** What both waiters ask. */
  readonly asks?: Parameters<typeof service>[1];
  readonly free: (rig: Rig) => Promise<void>;
};

const causes: readonly Cause[] = [
  {
    name: "a Service is deleted",
    before: [ONE, service("holder")],
    free: (rig) => rig.delete("holder"),
  },
  {
    name: "a Service is no LoadBalancer any more",
    before: [ONE, service("holder")],
    free: (rig) => rig.edit("holder", (each) => ({ ...each, spec: { ...each.spec, type: "NodePort" } })),
  },
  {
    name: "a Service moves to another pool",
    before: [ONE, service("holder"), pool("two", "10.0.1.1/32", { autoAssign: false })],
    free: (rig) =>
      rig.edit("holder", (each) => ({ ...each, metadata: { ...each.metadata, annotations: from("two") } })),
  },
  {
    name: "a Service moves to another address",
    before: [pool("one", "10.0.0.1-10.0.0.2"), service("holder"), service("second")],
    asks: { spec: { loadBalancerIP: "10.0.0.1" } },
    free: async (rig) => {
      await rig.delete("second");
      await rig.edit("holder", (each) => ({ ...each, spec: { ...each.spec, loadBalancerIP: "10.0.0.2" } }));
    },
  },
  {
    name: "a Service asks for what it cannot have",
    before: [ONE, service("holder")],
    free: (rig) =>
      rig.edit("holder", (each) => ({ ...each, metadata: { ...each.metadata, annotations: from("nowhere") } })),
  },
  {
    name: "a port of a shared address is given up",
    before: [ONE, service("holder", { annotations: key("k"), spec: ports(80, 443) })],
    asks: { annotations: key("k"), spec: ports(443) },
    free: (rig) => rig.edit("holder", (each) => ({ ...each, spec: { ...each.spec, ...ports(80) } })),
  },
  {
    name: "an address is opened to sharing",
    before: [ONE, service("holder")],
    asks: { annotations: key("k"), spec: ports(443) },
    free: (rig) =>
      rig.edit("holder", (each) => ({
        ...each,
        metadata: { ...each.metadata, annotations: { ...each.metadata.annotations, ...key("k") } },
      })),
  },
  {
    name: "a pool grows",
    before: [ONE, service("holder")],
    free: (rig) => rig.put(pool("one", "10.0.0.1-10.0.0.2")),
  },
  {
    name: "a pool is created",
    before: [ONE, service("holder")],
    free: (rig) => rig.put(pool("two", "10.0.1.1/32")),
  },
  {
    name: "a pool is opened to automatic assignment",
    before: [pool("one", "10.0.0.1/32", { autoAssign: false })],
    free: (rig) => rig.put(ONE),
  },
  {
    name: "a pool is made valid",
    before: [pool("one", "10.0.0.9-10.0.0.1")],
    free: (rig) => rig.put(ONE),
  },
  {
    name: "a pool that overlapped another is set free by the end of the other",
    before: [pool("first", "10.0.0.0/30", { autoAssign: false }), ONE],
    free: async (rig) => {
      rig.server.delete(IP_ADDRESS_POOLS, `${NS}/first`);
      await rig.calm();
    },
  },
  {
    name: "a namespace is given the label that a pool selects",
    before: [pool("one", "10.0.0.1/32", teamPool("b"))],
    free: async (rig) => {
      rig.server.set(NAMESPACES, { metadata: { name: "default", labels: { team: "b" } } });
      await rig.calm();
    },
  },
];

describe("who waits is served, the oldest first, when", () => {
  it.each(causes)("$name", async ({ before, asks = {}, free }) => {
    const rig = new Rig();
    await rig.put(...before);
    await rig.start();
    // The younger comes first, so that nothing but age can bring the older forward.
    await rig.put(service("young", { ...asks, createdAt: "2026-03-02T00:00:00Z" }));
    await rig.put(service("old", { ...asks, createdAt: "2026-03-01T00:00:00Z" }));
    expect([rig.addresses("old"), rig.addresses("young")]).toEqual([[], []]);
    await free(rig);
    expect([rig.addresses("old").length, rig.addresses("young").length]).toEqual([1, 0]);
  });

  it("a restart finds room that nobody was there to give", async () => {
    const rig = new Rig();
    await rig.put(ONE, service("holder"));
    await rig.start();
    await rig.put(service("young", { createdAt: "2026-03-02T00:00:00Z" }));
    await rig.put(service("old", { createdAt: "2026-03-01T00:00:00Z" }));
    await rig.kill();
    rig.server.delete(SERVICES, "default/holder");
    await rig.start();
    expect([rig.addresses("old"), rig.addresses("young")]).toEqual([["10.0.0.1"], []]);
  });

  it("an older one asks for the same in a way that cannot be read, and a newcomer asks too", async () => {
    const rig = new Rig();
    await rig.put(ONE, service("holder"));
    await rig.start();
    const asks = { annotations: { [ANNOTATION.loadBalancerIPs]: "10.0.0.1" } };
    const twice = { ...asks, spec: { loadBalancerIP: "10.0.0.1" } };
    await rig.put(service("twice", { ...twice, createdAt: "2026-03-01T00:00:00Z" }));
    await rig.put(service("waits", { ...asks, createdAt: "2026-03-02T00:00:00Z" }));
    rig.server.delete(SERVICES, "default/holder");
    rig.server.set(SERVICES, service("newcomer", { ...asks, createdAt: "2026-03-01T00:00:00Z" }));
    await rig.calm();
    expect(["twice", "waits", "newcomer"].map((name) => rig.addresses(name))).toEqual([[], ["10.0.0.1"], []]);
  });

  it("whoever waits is told of the room, not of every Service that comes and goes elsewhere", async () => {
    const rig = new Rig();
    await rig.put(ONE, pool("two", "10.0.1.0/24", { autoAssign: false }), service("holder"), service("waits"));
    await rig.start();
    await rig.put(service("other", { annotations: from("two") }));
    rig.server.writes.length = 0;
    await rig.delete("other");
    expect(rig.server.writes.filter(({ plural }) => plural === "services")).toEqual([]);
  });
});

const edits: readonly { name: string; edit: (each: Service) => Service }[] = [
  { name: "its ports change", edit: (each) => ({ ...each, spec: { ...each.spec, ...ports(8080) } }) },
  { name: "its labels change", edit: (each) => ({ ...each, metadata: { ...each.metadata, labels: { a: "b" } } }) },
  {
    name: "its policy changes",
    edit: (each) => ({ ...each, spec: { ...each.spec, externalTrafficPolicy: "Local", selector: { app: "web" } } }),
  },
  {
    name: "it is opened to sharing",
    edit: (each) => ({
      ...each,
      metadata: { ...each.metadata, annotations: { ...each.metadata.annotations, ...key("k") } },
    }),
  },
  {
    name: "it asks by name for the pool it is from",
    edit: (each) => ({
      ...each,
      metadata: { ...each.metadata, annotations: { ...each.metadata.annotations, ...from("one") } },
    }),
  },
  {
    name: "it asks for the address it has",
    edit: (each) => ({ ...each, spec: { ...each.spec, loadBalancerIP: "10.0.0.2" } }),
  },
  {
    name: "it asks for something that cannot be read",
    edit: (each) => ({ ...each, spec: { ...each.spec, loadBalancerIP: "10.0.0.0.2" } }),
  },
];

const poolEdits: readonly { name: string; spec: Parameters<typeof pool>[2]; addresses?: string }[] = [
  { name: "its pool is closed to automatic assignment", spec: { autoAssign: false } },
  { name: "its pool gets a priority", spec: { serviceAllocation: { priority: 7 } } },
  { name: "its pool shrinks around it", spec: {}, addresses: "10.0.0.2-10.0.0.2" },
  { name: "its pool grows below it", spec: {}, addresses: "10.0.0.0/24" },
  { name: "its pool is made invalid", spec: {}, addresses: "10.0.0.9-10.0.0.1" },
];

describe("an address that is still legal stays, with a lower one free, when", () => {
  async function holding(): Promise<Rig> {
    const rig = new Rig();
    await rig.put(pool("one", "10.0.0.1-10.0.0.9"), service("below"), service("web"));
    await rig.start();
    await rig.delete("below");
    expect(rig.addresses("web")).toEqual(["10.0.0.2"]);
    return rig;
  }

  it.each(edits)("$name", async ({ edit }) => {
    const rig = await holding();
    await rig.edit("web", edit);
    expect(rig.addresses("web")).toEqual(["10.0.0.2"]);
  });

  it.each(poolEdits)("$name", async ({ spec, addresses = "10.0.0.1-10.0.0.9" }) => {
    const rig = await holding();
    await rig.put(pool("one", addresses, spec));
    expect(rig.addresses("web")).toEqual(["10.0.0.2"]);
  });

  it("a pool is created that would come first", async () => {
    const rig = await holding();
    await rig.put(pool("a-first", "10.9.0.0/24", { serviceAllocation: { priority: 1 } }));
    expect(rig.addresses("web")).toEqual(["10.0.0.2"]);
  });
});
