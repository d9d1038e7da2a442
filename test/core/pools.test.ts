import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress, parseAddress, parseRange, rangeContains, rangesOverlap } from "#core/address";
import { countPool, poolCapacity, saturateInt64 } from "#core/pool-count";
import { compilePools, type PoolInput, type PoolView, poolOf } from "#core/pools";

const pool = (name: string, addresses: string[], over: Partial<PoolInput> = {}): PoolInput => ({
  name,
  addresses,
  autoAssign: true,
  avoidBuggyIPs: false,
  ...over,
});
const asMap = (pools: readonly PoolView[]) => new Map(pools.map((view) => [view.name, view]));
const names = (pools: readonly PoolView[]) => pools.map(({ name }) => name);

const invalid: readonly { name: string; input: PoolInput; field: string; says: string }[] = [
  { name: "no addresses", input: pool("p", []), field: "spec.addresses", says: "no addresses" },
  { name: "a bare address", input: pool("p", ["10.0.0.1"]), field: "spec.addresses.0", says: "single address" },
  {
    name: "an inverted range",
    input: pool("p", ["10.0.0.0/30", "10.1.0.9-10.1.0.1"]),
    field: "spec.addresses.1",
    says: "inverted",
  },
  {
    name: "an overlap within",
    input: pool("p", ["10.0.0.0/24", "10.0.0.7/32"]),
    field: "spec.addresses.1",
    says: "overlaps",
  },
  {
    name: "a namespace listed twice",
    input: pool("p", ["10.0.0.0/24"], { serviceAllocation: { namespaces: ["a", "a"] } }),
    field: "spec.serviceAllocation.namespaces",
    says: "twice",
  },
  {
    name: "a selector with an unknown operator",
    input: pool("p", ["10.0.0.0/24"], {
      serviceAllocation: { serviceSelectors: [{ matchExpressions: [{ key: "a", operator: "Like" }] }] },
    }),
    field: "spec.serviceAllocation.serviceSelectors.0",
    says: "Like",
  },
];

describe("compilePools", () => {
  it.each(invalid)("leaves out a pool with $name and says which field", ({ input, field, says }) => {
    const { pools, findings } = compilePools([input, pool("sound", ["192.0.2.0/24"])], []);
    expect(names(pools)).toEqual(["sound"]);
    expect(findings).toEqual([expect.objectContaining({ severity: "error", object: "p", field })]);
    expect(findings[0]?.message).toContain(says);
    expect(findings[0]?.fix).toBeTruthy();
  });

  it("keeps the last valid version of a pool in force while its edit is invalid", () => {
    const before = compilePools([pool("p", ["10.0.0.0/24"])], []).pools;
    const { pools, findings } = compilePools([pool("p", ["10.0.0.9-10.0.0.1"])], [], asMap(before));
    expect(pools.map(({ ranges }) => ranges)).toEqual([[parseRange("10.0.0.0/24")]]);
    expect(findings).toHaveLength(1);
  });

  it("lets the earlier of two new overlapping pools stand, and names both in words", () => {
    const { pools, findings } = compilePools([pool("z", ["10.0.0.0/24"]), pool("a", ["10.0.0.128/25"])], []);
    expect(names(pools)).toEqual(["z"]);
    expect(findings[0]).toMatchObject({ object: "a", field: "spec.addresses.0" });
    expect(findings[0]?.message).toContain("10.0.0.0/24 of pool z");
  });

  it("does not let an edit of an older pool push a pool in force aside", () => {
    const before = compilePools([pool("a", ["10.0.0.0/28"]), pool("b", ["10.0.1.0/24"])], []).pools;
    const { pools, findings } = compilePools(
      [pool("a", ["10.0.0.0/16"]), pool("b", ["10.0.1.0/24"])],
      [],
      asMap(before),
    );
    expect(pools.map(({ name, ranges }) => [name, ranges])).toEqual([
      ["a", [parseRange("10.0.0.0/28")]],
      ["b", [parseRange("10.0.1.0/24")]],
    ]);
    expect(findings.map(({ object }) => object)).toEqual(["a"]);
  });

  it("lets two pools swap ranges in one step", () => {
    const before = compilePools([pool("a", ["10.0.0.0/24"]), pool("b", ["10.0.1.0/24"])], []).pools;
    const { findings } = compilePools([pool("a", ["10.0.1.0/24"]), pool("b", ["10.0.0.0/24"])], [], asMap(before));
    expect(findings).toEqual([]);
  });

  it("never returns overlapping pools, whatever the sequence of edits", () => {
    const range = fc
      .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 15 }))
      .map(([a, b]) => `10.0.0.${a}-10.0.0.${b}`);
    const step = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.array(range, { maxLength: 2 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        let previous: ReadonlyMap<string, PoolView> = new Map();
        for (const objects of steps) {
          const inputs = Object.entries(objects).map(([name, addresses]) => pool(name, addresses));
          const { pools, findings } = compilePools(inputs, [], previous);
          const all = pools.flatMap(({ ranges }) => ranges);
          for (const [index, one] of all.entries()) {
            for (const other of all.slice(index + 1)) expect(rangesOverlap(one, other)).toBe(false);
          }
          const faulty = new Set(findings.map(({ object }) => object));
          for (const input of inputs) {
            const inForce = pools.find(({ name }) => name === input.name);
            if (!faulty.has(input.name)) expect(inForce?.input).toEqual(input);
            else if (previous.has(input.name)) expect(inForce?.ranges).toEqual(previous.get(input.name)?.ranges);
            else expect(inForce).toBeUndefined();
          }
          previous = asMap(pools);
        }
      }),
    );
  });

  it("resolves namespace selectors, and closes a pool whose selectors find nothing", () => {
    const team = { serviceAllocation: { namespaceSelectors: [{ matchLabels: { team: "blue" } }], namespaces: ["x"] } };
    const none = { serviceAllocation: { namespaceSelectors: [{ matchLabels: { team: "red" } }] } };
    const namespaces = [
      { name: "shop", labels: { team: "blue" } },
      { name: "lab", labels: undefined },
    ];
    const { pools } = compilePools(
      [pool("closed", ["10.0.1.0/24"], none), pool("open", ["10.0.2.0/24"]), pool("team", ["10.0.0.0/24"], team)],
      namespaces,
    );
    expect(pools.map((view) => view.namespaces && [...view.namespaces].toSorted())).toEqual([[], null, ["shop", "x"]]);
    expect(pools.map((view) => view.pinned)).toEqual([true, false, true]);
  });
});

describe("a pool of thousands of ranges", () => {
  const ranges = (count: number) => Array.from({ length: count }, (_, i) => `10.${i >> 8}.${i & 255}.0/28`);

  it("is compiled, beside hundreds that clash with it, without comparing each with each", () => {
    const clashing = Array.from({ length: 300 }, (_, i) => pool(`p${i}`, ["10.0.0.0/24"]));
    const { pools, findings } = compilePools([pool("many", ranges(20_000)), ...clashing], []);
    expect(pools.map(({ name }) => name)).toEqual(["many"]);
    expect(findings).toHaveLength(300);
    expect(poolOf(pools, parseAddress("10.77.255.9"))?.name).toBe("many");
    expect(poolOf(pools, parseAddress("10.77.255.16"))).toBeUndefined();
  });

  it("is told of its first problems, and how many more there are", () => {
    const { pools, findings } = compilePools([pool("same", Array(3000).fill("10.0.0.0/24"))], []);
    expect(pools).toEqual([]);
    expect(findings).toHaveLength(21);
    expect(findings.at(-1)?.message).toBe("2979 more problems are not listed");
  });
});

describe("counting", () => {
  const only = (addresses: string[], avoidBuggyIPs = false) => {
    const [view] = compilePools([pool("p", addresses, { avoidBuggyIPs })], []).pools;
    if (view === undefined) throw new Error("invalid pool");
    return view;
  };

  it("is exact for an IPv6 /48 beside others", () => {
    const view = only(["2001:db8::/48", "2001:db9::/127", "10.0.0.0/24"]);
    const { ipv4, ipv6 } = countPool(view, [
      parseAddress("2001:db8::"),
      parseAddress("10.0.0.0"),
      parseAddress("8.8.8.8"),
    ]);
    expect(ipv6).toEqual({
      total: 2n ** 80n + 2n,
      assigned: 1n,
      available: 2n ** 80n + 1n,
      nextFree: parseAddress("2001:db8::1"),
    });
    expect(ipv4).toMatchObject({ total: 256n, assigned: 1n, nextFree: parseAddress("10.0.0.1") });
  });

  it("counts what avoidBuggyIPs leaves out exactly, range by range", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1100 }), fc.integer({ min: 0, max: 1100 }), (a, b) => {
        const base = parseAddress("10.0.0.0").value;
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const text = (offset: number) => formatAddress({ family: 4, value: base + BigInt(offset) });
        let usable = 0n;
        for (let value = low; value <= high; value++) if (value % 256 !== 0 && value % 256 !== 255) usable++;
        expect(poolCapacity(only([`${text(low)}-${text(high)}`], true), 4)).toBe(usable);
      }),
    );
  });

  it("neither gives nor contains .0 and .255 under avoidBuggyIPs, and leaves IPv6 alone", () => {
    const view = only(["10.0.0.0/24", "2001:db8::/120"], true);
    expect(poolOf([view], parseAddress("10.0.0.0"))).toBeUndefined();
    expect(poolOf([view], parseAddress("10.0.0.255"))).toBeUndefined();
    expect(poolOf([view], parseAddress("2001:db8::ff"))).toBe(view);
    expect(countPool(view, []).ipv4).toMatchObject({ total: 254n, nextFree: parseAddress("10.0.0.1") });
  });

  it("has no next free address when full, and no count for a family it lacks", () => {
    const view = only(["10.0.0.1-10.0.0.2"]);
    const range = parseRange("10.0.0.1-10.0.0.2");
    const { ipv4, ipv6 } = countPool(view, [range.first, range.last]);
    expect(ipv4).toMatchObject({ available: 0n, nextFree: null });
    expect(ipv6).toBeNull();
    expect(rangeContains(range, range.last)).toBe(true);
  });

  it("saturates at what an int64 holds", () => {
    expect(saturateInt64(41n)).toBe(41);
    expect(BigInt(saturateInt64(2n ** 80n))).toBeLessThan(2n ** 63n);
    expect(BigInt(JSON.stringify(saturateInt64(2n ** 80n)))).toBeLessThan(2n ** 63n);
  });
});
