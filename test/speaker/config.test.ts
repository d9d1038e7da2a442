import { describe, expect, it } from "vitest";
import type { IPAddressPool, L2Advertisement } from "#api/metallb";
import { compileConfig, EMPTY_CONFIG } from "#speaker/config";

function pool(name: string, addresses: readonly string[], created = "2026-01-01T00:00:00Z"): IPAddressPool {
  return {
    metadata: { name, creationTimestamp: created },
    spec: { addresses: [...addresses], autoAssign: true, avoidBuggyIPs: false },
  };
}

function ad(name: string, spec: L2Advertisement["spec"] = {}): L2Advertisement {
  return { metadata: { name, creationTimestamp: "2026-01-01T00:00:00Z" }, spec };
}

describe("compileConfig", () => {
  it("gives each pool its advertisements: by name, by selector, and those that name none", () => {
    const blue = { ...pool("b", ["10.0.1.0/24"]), metadata: { name: "b", labels: { colour: "blue" } } };
    const config = compileConfig(
      [pool("a", ["10.0.0.0/24"]), blue],
      [
        ad("all"),
        ad("only-a", { ipAddressPools: ["a"] }),
        ad("blue", { ipAddressPoolSelectors: [{ matchLabels: { colour: "blue" } }] }),
      ],
      EMPTY_CONFIG,
    );
    const names = (name: string) =>
      config.byPool
        .get(name)
        ?.map((one) => one.name)
        .toSorted();
    expect(names("a")).toEqual(["all", "only-a"]);
    expect(names("b")).toEqual(["all", "blue"]);
    expect(config.findings).toEqual([]);
  });

  it("lets the pool that was there first win an overlap, whatever the order of the list", () => {
    const late = pool("a-late", ["10.0.0.128/25"], "2026-02-01T00:00:00Z");
    const config = compileConfig([late, pool("z-early", ["10.0.0.0/24"])], [], EMPTY_CONFIG);
    expect(config.pools.map(({ name }) => name)).toEqual(["z-early"]);
    expect(config.findings).toMatchObject([{ severity: "error", object: "a-late", field: "spec.addresses.0" }]);
  });

  it("keeps the last valid version of an advertisement whose selector was broken, and leaves out a new one", () => {
    const before = compileConfig([pool("a", ["10.0.0.0/24"])], [ad("one", { interfaces: ["eth0"] })], EMPTY_CONFIG);
    const broken = { nodeSelectors: [{ matchExpressions: [{ key: "x", operator: "Near" }] }] };
    const config = compileConfig([pool("a", ["10.0.0.0/24"])], [ad("one", broken), ad("two", broken)], before);
    expect(config.advertisements).toMatchObject([{ name: "one", interfaces: ["eth0"] }]);
    expect(config.findings.map(({ object, field }) => `${object} ${field}`)).toEqual([
      "one spec.nodeSelectors.0",
      "two spec.nodeSelectors.0",
    ]);
  });

  it("gives the advertisements of a pool that was never valid here, for those who hold its addresses since before", () => {
    const broken = { ...pool("a", ["10.0.0.9-10.0.0.1"]), metadata: { name: "a", labels: { colour: "blue" } } };
    const blue = ad("blue", { ipAddressPoolSelectors: [{ matchLabels: { colour: "blue" } }] });
    const config = compileConfig([broken], [blue, ad("other", { ipAddressPools: ["b"] })], EMPTY_CONFIG);
    expect(config.pools).toEqual([]);
    expect([...config.leftOut]).toEqual(["a"]);
    expect(config.byPool.get("a")?.map(({ name }) => name)).toEqual(["blue"]);
  });

  it("survives objects without a spec", () => {
    const bare = { metadata: { name: "bare" } };
    expect(compileConfig([bare as IPAddressPool], [bare], EMPTY_CONFIG).findings).toMatchObject([{ object: "bare" }]);
  });
});
