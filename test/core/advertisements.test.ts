import { describe, expect, it } from "vitest";
import { advertisementProblems, compileAdvertisements } from "#core/advertisements";
import type { L2Facts } from "#core/election";

const ad = (name: string, over: Partial<L2Facts> = {}): L2Facts => ({
  name,
  pools: [],
  poolSelectors: [],
  nodeSelectors: [],
  interfaces: [],
  serviceSelectors: [],
  preferred: [],
  ...over,
});
const wrong = { matchExpressions: [{ key: "x", operator: "Near" }] };

const invalid: readonly { name: string; over: Partial<L2Facts>; field: string }[] = [
  { name: "a pool listed twice", over: { pools: ["a", "b", "a"] }, field: "spec.ipAddressPools.2" },
  {
    name: "a pool selector that is none",
    over: { poolSelectors: [{}, wrong] },
    field: "spec.ipAddressPoolSelectors.1",
  },
  { name: "a node selector that is none", over: { nodeSelectors: [wrong] }, field: "spec.nodeSelectors.0" },
  { name: "a service selector that is none", over: { serviceSelectors: [wrong] }, field: "spec.serviceSelectors.0" },
  {
    name: "the same selector in other words",
    over: { nodeSelectors: [{ matchLabels: { a: "1", b: "2" } }, { matchLabels: { b: "2", a: "1" } }] },
    field: "spec.nodeSelectors.1",
  },
  {
    name: "a preference that is none",
    over: { preferred: [{ weight: 1, preference: wrong }] },
    field: "spec.preferredNodeSelectors.0.preference",
  },
];

describe("advertisementProblems", () => {
  it.each(invalid)("names the field of $name", ({ over, field }) => {
    expect(advertisementProblems(ad("one", over))).toMatchObject([
      { severity: "error", kind: "advertisement", object: "one", field },
    ]);
  });

  it("finds nothing wrong with a name that no pool has", () => {
    expect(advertisementProblems(ad("one", { pools: ["nowhere"] }))).toEqual([]);
  });
});

describe("compileAdvertisements", () => {
  it("keeps the last valid version of one that was broken, and leaves out a new one", () => {
    const before = [ad("old", { interfaces: ["eth0"] })];
    const { advertisements, findings } = compileAdvertisements(
      [ad("old", { nodeSelectors: [wrong] }), ad("new", { nodeSelectors: [wrong] }), ad("fine")],
      before,
    );
    expect(advertisements).toEqual([ad("old", { interfaces: ["eth0"] }), ad("fine")]);
    expect(findings.map(({ object }) => object)).toEqual(["old", "new"]);
  });
});
