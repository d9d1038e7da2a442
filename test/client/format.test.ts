import { describe, expect, it } from "vitest";
import {
  age,
  clock,
  compareAddresses,
  count,
  duration,
  elapsed,
  keyParts,
  latency,
  left,
  percent,
  podParts,
  ports,
  sharedPrefix,
  size,
} from "#client/format";

describe("numbers", () => {
  it.each([
    ["a small number stays as it is", count(55), "55"],
    ["thousands are separated", count(1528), "1,528"],
    ["an IPv6 count loses no digit", count("18446744073709551616"), "18,446,744,073,709,551,616"],
    ["a size that is a power of two is written as one", size(18_446_744_073_709_551_616n), "2⁶⁴"],
    ["a large size that is none is said to be about one", size(18_446_744_073_709_551_610n), "about 2⁶³"],
    ["a size that can be read is printed", size(65_536n), "65,536"],
    ["a share has one decimal and a blank", percent(0.3466), "34.7 %"],
    [
      "what is left of a readable pool",
      left({ total: "254", totalText: "254", assigned: "43", available: "211" }),
      "211",
    ],
    [
      "what is left of a huge pool",
      left({ total: "18446744073709551616", totalText: "2⁶⁴", assigned: "6", available: "18446744073709551610" }),
      "2⁶⁴ − 6",
    ],
  ])("%s", (_what, got, wanted) => expect(got).toBe(wanted));
});

describe("times", () => {
  it.each([
    ["a hop in milliseconds", elapsed(38.4), "38 ms"],
    ["a hop in tenths of a second", elapsed(412), "0.4 s"],
    ["a long hop", elapsed(86_000), "1 m 26 s"],
    ["a clock that runs behind counts as nothing", elapsed(-5), "0 ms"],
    ["a run", duration(306_000), "5 m 06 s"],
    ["days", duration(90 * 3_600_000), "3 d 18 h"],
    ["a young age in seconds", age(1200), "1 s"],
    ["an age in minutes", age(240_000), "4 m"],
    ["an age in days", age(12 * 86_400_000), "12 d"],
    ["a latency", latency(4.11), "4.1 ms"],
    ["no latency", latency(null), "not measured"],
    ["no time", clock("never"), "not reported"],
  ])("%s", (_what, got, wanted) => expect(got).toBe(wanted));
});

describe("names", () => {
  it("shortens a pod's name in front", () => {
    expect(podParts("nginx-app-6c9f7d8b5-9rbcn")).toEqual({ prefix: "nginx-app-6c9f7d8b5-", suffix: "9rbcn" });
    expect(podParts("solo")).toEqual({ prefix: "", suffix: "solo" });
  });
  it("parts a Service's key", () => expect(keyParts("shop/cart")).toEqual({ namespace: "shop", name: "cart" }));
  it("writes ports without TCP", () => {
    expect(
      ports([
        { port: 80, protocol: "TCP" },
        { port: 123, protocol: "UDP" },
      ]),
    ).toBe("80, 123/UDP");
  });
  it.each([
    ["two octets that all share are left out", ["127.77.10.1", "127.77.20.4"], "127.77."],
    ["one octet when only one is shared", ["10.1.0.1", "10.2.0.4"], "10."],
    ["none when none is shared", ["10.1.0.1", "127.2.0.4"], ""],
    ["IPv6 is left alone", ["fd77::1"], ""],
  ])("%s", (_what, addresses, prefix) => expect(sharedPrefix(addresses)).toBe(prefix));
  it("addresses are ordered by number, IPv4 first, and what is no address comes last", () => {
    const ordered = ["9.0.0.0", "10.0.0.9", "10.0.0.10", "fd77::9", "fd77::a", "fd77::10", "fd77:0:0:1::", "nonsense"];
    expect(ordered.toReversed().sort(compareAddresses)).toEqual(ordered);
  });
});
