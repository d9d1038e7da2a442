import { describe, expect, it } from "vitest";
import { compileConfiguration } from "#core/configuration";
import { speakerConfig } from "#speaker/config";

const pool = (name: string, addresses: readonly string[], labels = {}) => ({
  metadata: { name, labels },
  spec: { addresses },
});
const ad = (name: string, spec = {}) => ({ metadata: { name }, spec });
const configOf = (pools: readonly unknown[], l2Advertisements: readonly unknown[]) =>
  speakerConfig(compileConfiguration({ pools, l2Advertisements }));
const blue = ad("blue", { ipAddressPoolSelectors: [{ matchLabels: { colour: "blue" } }] });

describe("what an election asks of the configuration", () => {
  it("each pool has its advertisements: by name, by selector, and those that name none", () => {
    const config = configOf(
      [pool("a", ["10.0.0.0/24"]), pool("b", ["10.0.1.0/24"], { colour: "blue" })],
      [ad("all"), ad("only-a", { ipAddressPools: ["a"] }), blue],
    );
    const names = (name: string) => config.byPool.get(name)?.map((one) => one.name);
    expect([names("a"), names("b")]).toEqual([
      ["all", "only-a"],
      ["all", "blue"],
    ]);
  });

  it("a pool that was never valid here has them too, for those who hold its addresses since before", () => {
    const config = configOf(
      [pool("a", ["10.0.0.9-10.0.0.1"], { colour: "blue" })],
      [blue, ad("other", { ipAddressPools: ["b"] })],
    );
    expect(config.pools).toEqual([]);
    expect([...config.leftOut]).toEqual(["a"]);
    expect(config.byPool.get("a")?.map(({ name }) => name)).toEqual(["blue"]);
  });
});
