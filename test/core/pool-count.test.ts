import { describe, expect, it } from "vitest";
import { formatAddress, parseAddress, parseRange, rangeContains } from "#core/address";
import { jsonText } from "#core/int64";
import { countPool, poolCapacity, saturateInt64 } from "#core/pool-count";
import { poolOf } from "#core/pools";
import { poolsInForce } from "../support/pools.ts";
import { fc } from "../support/random.ts";

describe("counting", () => {
  const only = (addresses: string[], avoidBuggyIPs = false) => {
    const [view] = poolsInForce([{ name: "p", addresses, autoAssign: true, avoidBuggyIPs }]);
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
    expect(jsonText({ all: saturateInt64(2n ** 80n) })).toBe('{"all":9223372036854775807}');
    expect(JSON.parse("9223372036854775807")).toBe(saturateInt64(2n ** 63n - 1n));
  });
});
