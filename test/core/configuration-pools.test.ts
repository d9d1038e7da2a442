import { describe, expect, it } from "vitest";
import { parseAddress, parseRange, rangesOverlap } from "#core/address";
import { type Configuration, compileConfiguration, EMPTY_CONFIGURATION } from "#core/configuration";
import { samePools } from "#core/configuration/same";
import { poolOf } from "#core/pools";
import { fc } from "../support/random.ts";
import { names, node, object, pool } from "./configuration-rows.ts";

const compile = (pools: readonly unknown[], previous?: Configuration, namespaces?: readonly unknown[]) =>
  compileConfiguration({ pools, namespaces }, previous);
const errors = ({ findings }: ReturnType<typeof compile>) => findings.filter(({ severity }) => severity === "error");
const created = (name: string, at: string, addresses: readonly string[]) =>
  object(name, { addresses }, { created: at });
const namespace = (name: string, labels: Record<string, string> = {}) => ({ metadata: { name, labels } });
const selecting = (team: string) => ({ serviceAllocation: { namespaceSelectors: [{ matchLabels: { team } }] } });

describe("pools in force", () => {
  it("are the older of two new ones that overlap, and the other is told whose ranges it overlaps", () => {
    const compiled = compile([
      created("a", "2026-01-02", ["10.0.0.128/25"]),
      created("z", "2026-01-01", ["10.0.0.0/24"]),
    ]);
    expect(names(compiled.configuration.pools)).toEqual(["z"]);
    expect(errors(compiled)).toMatchObject([
      {
        object: "metallb-system/a",
        field: "spec.addresses.0",
        reason: "overlap",
        fix: "take 10.0.0.128/25 out of one of them",
      },
    ]);
    expect(errors(compiled)[0]?.message).toContain("10.0.0.0/24 of pool z");
    expect(names(compiled.leftOut)).toEqual(["a"]);
  });

  it("stay where they are when an edit of an older pool grows into them", () => {
    const before = compile([pool("a", ["10.0.0.0/28"]), pool("b", ["10.0.1.0/24"])]).configuration;
    const compiled = compile([pool("a", ["10.0.0.0/16"]), pool("b", ["10.0.1.0/24"])], before);
    expect(compiled.configuration.pools.map(({ name, ranges }) => [name, ranges])).toEqual([
      ["a", [parseRange("10.0.0.0/28")]],
      ["b", [parseRange("10.0.1.0/24")]],
    ]);
    expect(errors(compiled).map((finding) => finding.object)).toEqual(["metallb-system/a"]);
    expect(compiled.leftOut).toEqual([]);
  });

  it("may swap ranges in one step", () => {
    const before = compile([pool("a", ["10.0.0.0/24"]), pool("b", ["10.0.1.0/24"])]).configuration;
    expect(errors(compile([pool("a", ["10.0.1.0/24"]), pool("b", ["10.0.0.0/24"])], before))).toEqual([]);
  });

  it("never overlap, whatever the sequence of edits", () => {
    const range = fc
      .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 15 }))
      .map(([a, b]) => `10.0.0.${a}-10.0.0.${b}`);
    const step = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.array(range, { maxLength: 2 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        let previous = EMPTY_CONFIGURATION;
        for (const objects of steps) {
          const compiled = compile(
            Object.entries(objects).map(([name, addresses]) => pool(name, addresses)),
            previous,
          );
          const { pools } = compiled.configuration;
          const all = pools.flatMap(({ ranges }) => ranges);
          for (const [index, one] of all.entries()) {
            for (const other of all.slice(index + 1)) expect(rangesOverlap(one, other)).toBe(false);
          }
          const faulty = new Set(errors(compiled).map((finding) => finding.object));
          for (const [name, addresses] of Object.entries(objects)) {
            const inForce = pools.find((one) => one.name === name);
            const before = previous.pools.find((one) => one.name === name);
            if (!faulty.has(`metallb-system/${name}`)) expect(inForce?.input?.addresses).toEqual(addresses);
            else expect(inForce?.ranges).toEqual(before?.ranges);
          }
          previous = compiled.configuration;
        }
      }),
    );
  });

  it("are closed when their selectors find no namespace, and open to those that are found or named", () => {
    const team = { serviceAllocation: { namespaceSelectors: [{ matchLabels: { team: "blue" } }], namespaces: ["x"] } };
    const { configuration } = compile(
      [
        pool("closed", ["10.0.1.0/24"], selecting("red")),
        pool("open", ["10.0.2.0/24"]),
        pool("team", ["10.0.0.0/24"], team),
      ],
      undefined,
      [namespace("shop", { team: "blue" }), { metadata: { name: "lab" } }],
    );
    const { pools } = configuration;
    expect(pools.map((view) => view.namespaces && [...view.namespaces].toSorted())).toEqual([[], null, ["shop", "x"]]);
    expect(pools.map((view) => view.pinned)).toEqual([true, false, true]);
  });

  it("follow the labels of namespaces even while a later edit is invalid", () => {
    const first = compile([pool("p", ["10.0.0.0/24"], selecting("a"))], undefined, [namespace("shop", { team: "a" })]);
    const broken = [pool("p", ["10.0.0"], selecting("b"))];
    const second = compile(broken, first.configuration, [namespace("shop"), namespace("lab", { team: "a" })]);
    expect(second.configuration.pools.map((view) => [...(view.namespaces ?? [])])).toEqual([["lab"]]);
    expect(second.configuration.pools[0]?.ranges).toEqual([parseRange("10.0.0.0/24")]);
  });

  it.each([
    ["no label that a pool selects by changed", [namespace("shop", { team: "a", tier: "2" })], true],
    ["a namespace came that no pool selects", [namespace("shop", { team: "a" }), namespace("new")], true],
    [
      "a namespace came that a pool selects",
      [namespace("shop", { team: "a" }), namespace("new", { team: "a" })],
      false,
    ],
    ["a namespace lost the label", [namespace("shop")], false],
  ])("are the very same objects when nothing changed for them: %s", (_name, namespaces, same) => {
    const pools = () => [pool("p", ["10.0.0.0/24"], selecting("a")), pool("q", ["10.1.0.0/24"])];
    const first = compile(pools(), undefined, [namespace("shop", { team: "a" })]);
    const second = compile(pools(), first.configuration, namespaces);
    expect(samePools(second, first)).toBe(same);
    expect(second.configuration.pools[1]).toBe(first.configuration.pools[1]);
  });

  it.each([
    ["labels", pool("p", ["10.0.0.0/24"], {}, { tier: "gold" })],
    ["ranges", pool("p", ["10.0.0.0/25"])],
    ["the words for the same ranges", pool("p", ["10.0.0.0-10.0.0.255"])],
    ["autoAssign", pool("p", ["10.0.0.0/24"], { autoAssign: false })],
    ["avoidBuggyIPs", pool("p", ["10.0.0.0/24"], { avoidBuggyIPs: true })],
    ["priority", pool("p", ["10.0.0.0/24"], { serviceAllocation: { priority: 7 } })],
    [
      "service selectors",
      pool("p", ["10.0.0.0/24"], { serviceAllocation: { serviceSelectors: [{ matchLabels: { a: "b" } }] } }),
    ],
  ])("are other objects when their author changed %s", (_what, edited) => {
    const first = compile([pool("p", ["10.0.0.0/24"])]);
    const second = compile([edited], first.configuration);
    expect(second.findings.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(samePools(second, first)).toBe(false);
  });
});

describe("a pool of thousands of ranges", () => {
  const ranges = (count: number) => Array.from({ length: count }, (_, i) => `10.${i >> 8}.${i & 255}.0/28`);

  it("is compiled, beside hundreds that clash with it, without comparing each with each", () => {
    const clashing = Array.from({ length: 300 }, (_, i) => created(`p${i}`, "2026-02-01", ["10.0.0.0/24"]));
    const compiled = compile([created("many", "2026-01-01", ranges(20_000)), ...clashing]);
    const { pools } = compiled.configuration;
    expect(names(pools)).toEqual(["many"]);
    expect(errors(compiled)).toHaveLength(300);
    expect(poolOf(pools, parseAddress("10.77.255.9"))?.name).toBe("many");
    expect(poolOf(pools, parseAddress("10.77.255.16"))).toBeUndefined();
  });

  it.each([
    ["that are all the same", () => Array<string>(3000).fill("10.0.0.0/24"), 2979],
    // Reading stops after a thousand that are no ranges.
    ["that are none", () => Array<string>(3000).fill("10.0.0"), 980],
    ["that are no text", () => Array<number>(3000).fill(7), 2980],
  ])("%s is told of its first problems, and how many more there are", (_what, addresses, more) => {
    const compiled = compile([pool("same", addresses())]);
    expect(compiled.configuration.pools).toEqual([]);
    expect(errors(compiled)).toHaveLength(21);
    const last = errors(compiled).find(({ message }) => message.endsWith("are not listed"));
    expect(last).toMatchObject({ field: "spec", message: `${more} more problems are not listed` });
  });

  it("names the entry that overlaps an earlier one, in the order listed", () => {
    const compiled = compile([
      pool("p", ["10.0.9.0/24", "10.0.0.0/24", "10.0.0.9-10.0.1.3", "10.0.9.7/32", "10.0.1.0/30"]),
    ]);
    expect(errors(compiled).map(({ field, message }) => `${field} ${message}`)).toEqual([
      'spec.addresses.2 "10.0.0.9-10.0.1.3" overlaps "10.0.0.0/24" of the same pool',
      'spec.addresses.3 "10.0.9.7/32" overlaps "10.0.9.0/24" of the same pool',
      'spec.addresses.4 "10.0.1.0/30" overlaps "10.0.0.9-10.0.1.3" of the same pool',
    ]);
  });

  it("finds the nodes within, each with the entry that contains it", () => {
    const nodes = Array.from({ length: 300 }, (_, i) => node(`n${i}`, {}, `10.9.${i >> 8}.${i & 255}`));
    const { findings } = compileConfiguration({ pools: [pool("p", [...ranges(1000), "10.9.1.43/32"])], nodes });
    const within = findings.filter(({ reason }) => reason === "contains_node");
    // 10.9.0.0/28 and 10.9.1.0/28 are the entries 2304 and up: beyond 1000; only the last names a node.
    expect(within.map(({ field, message }) => `${field} ${message}`)).toEqual([
      'spec.addresses.1000 "10.9.1.43/32" contains 10.9.1.43, the address of node n299',
    ]);
  });
});
