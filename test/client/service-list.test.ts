import { describe, expect, it } from "vitest";
import type { PoolRow } from "#api/dashboard/pools";
import type { ServiceRow } from "#api/dashboard/services";
import { exposeBody, parsePorts, portsText, preferredPool } from "#client/expose-form";
import { facets, filterServices, freeze, matches, sortServices, tabOf } from "#client/service-list";

const row = (key: string, over: Partial<ServiceRow> = {}) =>
  ({
    key,
    namespace: key.split("/")[0],
    name: key.split("/")[1],
    type: "LoadBalancer",
    status: "ready",
    addresses: [],
    ports: [{ name: null, port: 80, protocol: "TCP", targetPort: "8080", nodePort: null }],
    announcedBy: [],
    pool: null,
    requestedPool: null,
    exposeBlockedBy: null,
    createdAt: "2026-01-01T00:00:00Z",
    ...over,
  }) as ServiceRow;

describe("lists", () => {
  it.each([
    ["a LoadBalancer is a load balancer", row("a/b"), "balancers"],
    ["a ClusterIP can be exposed", row("a/b", { type: "ClusterIP", status: "not_exposed" }), "exposable"],
    [
      "an ExternalName is shown there too, with why it cannot be",
      row("a/b", { type: "ExternalName", status: "not_exposed" }),
      "exposable",
    ],
    ["one of another class is not ours", row("a/b", { status: "not_ours" }), "foreign"],
  ] as const)("%s", (_what, service, tab) => expect(tabOf(service)).toBe(tab));

  it.each([
    ["every word must occur", "cart 127.77", true],
    ["a port matches", "8", true],
    ["a word that is nowhere does not", "cart zebra", false],
    ["no text matches everything", "  ", true],
  ])("%s", (_what, text, yes) => {
    expect(matches(row("shop/cart", { addresses: ["127.77.10.2"] }), text)).toBe(yes);
  });

  it("sorts by urgency, then name, and by address as numbers", () => {
    const rows = [
      row("b/ready", { addresses: ["10.0.0.10"] }),
      row("a/ready", { addresses: ["10.0.0.9"] }),
      row("z/pending", { status: "pending" }),
    ];
    expect(sortServices(rows, "urgency").map((r) => r.key)).toEqual(["z/pending", "a/ready", "b/ready"]);
    expect(sortServices(rows, "address").map((r) => r.key)).toEqual(["a/ready", "b/ready", "z/pending"]);
  });

  it("counts facets, only those that occur, what works first", () => {
    const rows = [row("a/a", { status: "pending" }), row("a/b"), row("a/c")];
    expect(facets(rows)).toEqual([
      { status: "ready", count: 2 },
      { status: "pending", count: 1 },
    ]);
    expect(filterServices(rows, { text: "", status: "pending" })).toHaveLength(1);
  });

  it.each([
    ["nothing is held without a pointer", null, ["b", "a"], ["b", "a"], 0],
    ["the drawn order stays under the pointer", ["a", "b"], ["b", "a"], ["a", "b"], 2],
    ["what is gone leaves at once", ["a", "b", "c"], ["a", "c"], ["a", "c"], 0],
    ["what is new goes to the end", ["a", "b"], ["x", "a", "b"], ["a", "b", "x"], 3],
  ] as const)("%s", (_what, drawn, wanted, keys, waiting) => {
    expect(freeze(drawn, wanted)).toEqual({ keys: [...keys], waiting });
  });

  it("filters and sorts 5,000 Services well within a frame's budget of work", () => {
    const rows = Array.from({ length: 5000 }, (_, n) =>
      row(`ns-${n % 14}/app-${n}`, { addresses: [`10.0.${n >> 8}.${n & 255}`] }),
    );
    expect(sortServices(filterServices(rows, { text: "ns-3", status: null }), "address")).toHaveLength(357);
  });
});

describe("expose form", () => {
  it.each([
    ["a port and its target", "443 to 8443", [{ port: 443, protocol: "TCP", targetPort: 8443 }]],
    ["a named target", "80 to http", [{ port: 80, protocol: "TCP", targetPort: "http" }]],
    ["UDP", "53/UDP", [{ port: 53, protocol: "UDP" }]],
    [
      "several",
      "80, 443 to 8443",
      [
        { port: 80, protocol: "TCP" },
        { port: 443, protocol: "TCP", targetPort: 8443 },
      ],
    ],
  ])("reads %s", (_what, text, ports) => expect(parsePorts(text)).toEqual({ ports }));

  it.each([
    ["nothing", ""],
    ["no number", "http"],
    ["a port that is too high", "70000"],
    ["a target that is too high", "80 to 70000"],
  ])("refuses %s and says what would be right", (_what, text) => {
    expect(parsePorts(text)).toHaveProperty("error");
  });

  it("sends only what differs from the Service", () => {
    const service = row("a/b");
    expect(exposeBody({ pool: "", address: "", ports: portsText(service.ports), policy: "Cluster" }, service)).toEqual({
      body: { externalTrafficPolicy: "Cluster" },
    });
    expect(exposeBody({ pool: "production", address: " 127.77.10.9 ", ports: "81", policy: "Local" }, service)).toEqual(
      {
        body: {
          pool: "production",
          address: "127.77.10.9",
          ports: [{ port: 81, protocol: "TCP" }],
          externalTrafficPolicy: "Local",
        },
      },
    );
  });

  it("takes the pool the controller would: automatic, with space, by priority, then name", () => {
    const pool = (name: string, over: Partial<PoolRow> = {}) =>
      ({
        name,
        valid: true,
        autoAssign: true,
        priority: null,
        namespaces: [],
        namespaceSelectors: [],
        advertisedBy: ["ad"],
        ipv4: { available: "3" },
        ipv6: null,
        ...over,
      }) as PoolRow;
    const full = { ipv4: { available: "0" } as PoolRow["ipv4"] };
    expect(preferredPool([pool("b"), pool("a")], "x")).toBe("a");
    expect(preferredPool([pool("a"), pool("b", { priority: 10 })], "x")).toBe("b");
    expect(preferredPool([pool("a", full), pool("b")], "x")).toBe("b");
    expect(preferredPool([pool("a", { autoAssign: false })], "x")).toBe("");
    expect(preferredPool([pool("a", { namespaces: ["shop"] }), pool("b")], "x")).toBe("b");
    expect(preferredPool([pool("a", { advertisedBy: [] }), pool("b")], "x")).toBe("b");
  });
});
