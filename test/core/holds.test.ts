import { describe, expect, it } from "vitest";
import { type AddressHold, toHoldInput } from "#api/holds";
import { formatAddress, formatRange, parseAddress, parseRange } from "#core/address";
import { Allocator } from "#core/allocate";
import { compileHold, compileHolds, HoldIndex, type HoldInput, type HoldView, holdsAt } from "#core/holds";
import { observe } from "#core/observe";
import type { ServiceView } from "#core/service-view";
import { fc } from "../support/random.ts";
import { both, compile, dual, four, planFor, pool, service, share, text } from "./allocation.ts";

const input = (addresses: string | readonly string[], more: Partial<HoldInput> = {}): HoldInput => ({
  name: "gateway",
  addresses: [addresses].flat(),
  reason: "reserved",
  expiry: null,
  note: "",
  mac: "",
  node: "",
  ...more,
});
const held = (addresses: string | readonly string[], more: Partial<HoldInput> = {}): HoldView => {
  const { view, problems } = compileHold(input(addresses, more));
  if (view === null) throw new Error(JSON.stringify(problems));
  return view;
};
const ask = (ip: string) => ({ annotations: { "metallb.io/loadBalancerIPs": ip } });

const rows: readonly { name: string; holds: HoldView[]; asks: ServiceView; others?: ServiceView[]; want: string }[] = [
  {
    name: "a held address is stepped over",
    holds: [held("10.0.0.1")],
    asks: service(),
    want: "assign 10.0.0.2 of four",
  },
  {
    name: "a range that reaches beyond the pool holds what it covers of it",
    holds: [held("10.0.0.0-10.0.0.2")],
    asks: service(),
    want: "assign 10.0.0.3 of four",
  },
  {
    name: "with all of a pool held, nothing is given",
    holds: [held("10.0.0.0/8")],
    asks: service(),
    want: "exhausted",
  },
  {
    name: "a request for a held address is refused",
    holds: [held("10.0.0.2")],
    asks: service(ask("10.0.0.2")),
    want: "held",
  },
  {
    name: "a quarantined address is refused like a reserved one",
    holds: [held("10.0.0.2", { reason: "conflict" })],
    asks: service(ask("10.0.0.2")),
    want: "held",
  },
  {
    name: "what a Service has already stays",
    holds: [held("10.0.0.2")],
    asks: service({ ingress: ["10.0.0.2"] }),
    want: "keep 10.0.0.2 of four",
  },
  {
    name: "what it has already it may ask for",
    holds: [held("10.0.0.2")],
    asks: service({ ingress: ["10.0.0.2"], ...ask("10.0.0.2") }),
    want: "keep 10.0.0.2 of four",
  },
  {
    name: "nobody new comes to share a held address",
    holds: [held("10.0.0.1")],
    asks: service({ annotations: share, spec: { ports: [{ port: 443 }] } }),
    others: [service({ name: "a", annotations: share, ingress: ["10.0.0.1"] })],
    want: "assign 10.0.0.2 of four",
  },
  {
    name: "a held address that somebody has is refused because he has it",
    holds: [held("10.0.0.1")],
    asks: service(ask("10.0.0.1")),
    others: [service({ name: "a", ingress: ["10.0.0.1"] })],
    want: "already_assigned",
  },
  {
    name: "a hold of the other family is nothing to an address",
    holds: [held("::/0")],
    asks: service(),
    want: "assign 10.0.0.1 of four",
  },
];

describe("an AddressHold", () => {
  it.each(rows)("$name", ({ holds, asks, others = [], want }) => {
    expect(text(planFor(asks, compile(four), others, undefined, holds))).toBe(want);
  });

  it("takes only one of two families: PreferDualStack gets the other", () => {
    const asks = service({ spec: { ...dual, ipFamilyPolicy: "PreferDualStack" } });
    expect(text(planFor(asks, compile(both), [], undefined, [held("2001:db8:1::/64")]))).toBe(
      "assign 10.1.0.1 of mixed",
    );
  });

  it("adds no held second address", () => {
    const asks = service({ ingress: ["10.1.0.2"], spec: { ...dual, ipFamilyPolicy: "PreferDualStack" } });
    expect(text(planFor(asks, compile(both), [], undefined, [held("2001:db8:1::1")]))).toBe(
      "assign 10.1.0.2,2001:db8:1::2 of mixed",
    );
  });

  it.each([
    ["by a person", held("10.0.0.2", { note: "router" }), "10.0.0.2 is reserved by AddressHold gateway (router)"],
    [
      "by a speaker",
      held("10.0.0.2", { reason: "conflict", mac: "02:00:00:00:00:01", node: "node-02" }),
      "10.0.0.2 is set aside by AddressHold gateway: 02:00:00:00:00:01 answers for it, seen by node-02",
    ],
    [
      "by a speaker that says no more",
      held("10.0.0.2", { reason: "conflict" }),
      "10.0.0.2 is set aside by AddressHold gateway: another machine answers for it",
    ],
  ])("is named in the refusal: %s", (_whom, hold, sentence) => {
    expect(planFor(service(ask("10.0.0.2")), compile(four), [], undefined, [hold])).toMatchObject({
      reason: "held",
      sentence,
      refusals: [{ pool: "four" }],
    });
  });

  it("is counted beside those in use when a pool is exhausted", () => {
    const others = [service({ name: "a", ingress: ["10.0.0.1"] })];
    const plan = planFor(service(), compile(four), others, undefined, [held(["10.0.0.1", "10.0.0.2-10.0.0.9"])]);
    expect(plan).toMatchObject({ sentence: "four: exhausted (1 of 3 in use, 2 held)" });
  });

  it("taken away gives its addresses back, lowest first, whatever was given and returned meanwhile", () => {
    const allocator = new Allocator();
    allocator.setPools(compile(four));
    observe(allocator, service({ name: "a", ingress: ["10.0.0.1"] }));
    allocator.setHolds([held("10.0.0.1-10.0.0.2")]);
    allocator.release("default/a");
    expect(text(allocator.plan(service()))).toBe("assign 10.0.0.3 of four");
    allocator.setHolds([]);
    expect(text(allocator.plan(service()))).toBe("assign 10.0.0.1 of four");
  });

  it("ends a promise that is not in the status yet", () => {
    const allocator = new Allocator();
    allocator.setPools(compile(four));
    allocator.hold(service(), [parseAddress("10.0.0.1")], "untilWritten");
    allocator.setHolds([held("10.0.0.1")]);
    expect(text(allocator.plan(service()))).toBe("assign 10.0.0.2 of four");
  });

  it("over a /64 or a /8 costs what it costs over one address", () => {
    const wide = compile(pool("wide", ["2001:db8::/32", "10.0.0.0/8"]));
    const allocator = new Allocator();
    allocator.setPools(wide);
    allocator.setHolds([held(["2001:db8::/33", "10.0.0.0-10.255.255.254"])]);
    const plan = allocator.plan(service({ spec: { ...dual, ipFamilyPolicy: "RequireDualStack" } }));
    expect(text(plan)).toBe("assign 10.255.255.255,2001:db8:8000:: of wide");
  });
});

const wrong: readonly { name: string; spec: unknown; says: RegExp }[] = [
  { name: "no addresses", spec: { addresses: [] }, says: /^spec.addresses: .*no addresses/ },
  { name: "no spec at all", spec: undefined, says: /^spec.addresses: / },
  { name: "addresses that are no list", spec: { addresses: "10.0.0.1" }, says: /^spec.addresses.0: / },
  { name: "an octet above 255", spec: { addresses: ["10.0.0.1", "10.0.0.256"] }, says: /^spec.addresses.1: / },
  { name: "an inverted range", spec: { addresses: ["10.0.0.9-10.0.0.1"] }, says: /inverted/ },
  { name: "mixed families", spec: { addresses: ["10.0.0.1-fd00::1"] }, says: /mixes/ },
  { name: "a reason nobody knows", spec: { addresses: ["10.0.0.1"], reason: "mine" }, says: /^spec.reason: "mine"/ },
  {
    name: "a time without zone",
    spec: { addresses: ["10.0.0.1"], expiry: "2026-01-01T00:00:00" },
    says: /^spec.expiry/,
  },
  { name: "a day without time", spec: { addresses: ["10.0.0.1"], expiry: "2026-01-01" }, says: /^spec.expiry/ },
  {
    name: "the 30th of February",
    spec: { addresses: ["10.0.0.1"], expiry: "2026-02-30T00:00:00Z" },
    says: /^spec.expiry/,
  },
  { name: "a number for a time", spec: { addresses: ["10.0.0.1"], expiry: 5 }, says: /^spec.expiry: "5"/ },
];

describe("a hold is invalid with", () => {
  it.each(wrong)("$name", ({ spec, says }) => {
    const object = { metadata: { name: "h" }, spec } as AddressHold;
    const { view, problems } = compileHold(toHoldInput(object));
    expect(view).toBeNull();
    expect(problems[0]).toMatchObject({ kind: "AddressHold", object: "h", severity: "error" });
    expect(`${problems[0]?.field}: ${problems[0]?.message}`).toMatch(says);
    expect(problems[0]?.fix).not.toBe("");
  });
});

describe("compileHolds", () => {
  it("keeps the version before of a hold that is invalid now, and holds nothing without one", () => {
    const first = compileHolds([input("10.0.0.1", { name: "a" })]);
    const previous = new Map(first.holds.map((hold) => [hold.name, hold]));
    const { holds, findings } = compileHolds([input("x", { name: "a" }), input("y", { name: "b" })], previous);
    expect(holds.map(({ name, ranges }) => [name, ranges.map(formatRange)])).toEqual([["a", ["10.0.0.1/32"]]]);
    expect(findings.map(({ object }) => object)).toEqual(["a", "b"]);
  });

  it.each([
    ["2026-01-01T00:00:00Z", 0],
    ["2026-01-01T01:00:00+01:00", 0],
    ["2025-12-31t23:59:59.5z", -500],
    ["2026-01-01T00:00:01.123456789Z", 1123],
  ])("reads %s", (expiry, ms) => {
    expect(held("10.0.0.1", { expiry }).expiresAt).toBe(Date.UTC(2026, 0, 1) + ms);
  });
});

describe("holdsAt", () => {
  it("leaves out what has expired and names the moment when the next one does", () => {
    const holds = [
      held("10.0.0.1", { name: "past", expiry: "2026-01-01T00:00:00Z" }),
      held("10.0.0.2", { name: "soon", expiry: "2026-01-01T00:00:02Z" }),
      held("10.0.0.3", { name: "later", expiry: "2026-01-01T00:00:09Z" }),
      held("10.0.0.4", { name: "never" }),
    ];
    const now = Date.UTC(2026, 0, 1);
    const { active, nextExpiry } = holdsAt(holds, now);
    expect(active.map(({ name }) => name)).toEqual(["soon", "later", "never"]);
    expect(nextExpiry).toBe(now + 2000);
    expect(holdsAt([held("10.0.0.4")], now).nextExpiry).toBeNull();
  });
});

describe("HoldIndex", () => {
  it("names reservations before conflicts where they overlap", () => {
    const index = new HoldIndex([
      held("10.0.0.1", { name: "a", reason: "conflict" }),
      held("10.0.0.0/24", { name: "b" }),
    ]);
    expect(index.of(parseAddress("10.0.0.1"))?.name).toBe("b");
    expect(index.of(parseAddress("10.0.1.1"))).toBeUndefined();
  });

  it("agrees with looking at every address, through any holds and any giving and taking", () => {
    const range = fc
      .tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 6 }))
      .map(([first, more]) => ({ first, last: Math.min(first + more, 20) }));
    const step = fc.oneof(
      fc.record({ kind: fc.constant("holds" as const), ranges: fc.array(range, { maxLength: 4 }) }),
      fc.record({ kind: fc.constant("take" as const) }),
      fc.record({ kind: fc.constant("release" as const), which: fc.nat(30) }),
    );
    const ip = (octet: number) => `10.0.0.${octet}`;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const allocator = new Allocator();
        // Two ranges, the higher one first.
        allocator.setPools(compile(pool("p", [`${ip(12)}-${ip(19)}`, `${ip(2)}-${ip(9)}`])));
        const order = [12, 13, 14, 15, 16, 17, 18, 19, 2, 3, 4, 5, 6, 7, 8, 9];
        let closed: readonly { first: number; last: number }[] = [];
        const taken = new Map<number, string>();
        let made = 0;
        for (const each of steps) {
          if (each.kind === "holds") {
            closed = each.ranges;
            allocator.setHolds(
              closed.map(({ first, last }, at) => held(`${ip(first)}-${ip(last)}`, { name: `h${at}` })),
            );
          } else if (each.kind === "release") {
            const octet = [...taken.keys()][each.which];
            if (octet !== undefined) allocator.release(taken.get(octet) ?? "");
            if (octet !== undefined) taken.delete(octet);
          } else {
            const isOpen = (octet: number) =>
              !taken.has(octet) && !closed.some(({ first, last }) => first <= octet && octet <= last);
            const expected = order.find(isOpen);
            const asks = service({ name: `s${made++}` });
            const plan = allocator.plan(asks);
            expect("addresses" in plan ? plan.addresses.map(formatAddress) : []).toEqual(
              expected === undefined ? [] : [ip(expected)],
            );
            if (plan.kind !== "assign" || expected === undefined) continue;
            allocator.hold(asks, plan.addresses);
            taken.set(expected, asks.key);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("leaves gaps that are exactly what nobody holds", () => {
    const index = new HoldIndex([held(["10.0.0.4", "10.0.0.6-10.0.0.7"])]);
    const gaps = index.gaps(parseRange("10.0.0.0-10.0.0.9"));
    expect(gaps.map(formatRange)).toEqual(["10.0.0.0/30", "10.0.0.5/32", "10.0.0.8/31"]);
    expect(index.gaps(parseRange("10.0.0.6/31"))).toEqual([]);
  });
});
