/** Sentences of metallb.md section 3 about which address a Service gets; those not here are in allocate.test.ts. */
import { describe, expect, it } from "vitest";
import { formatAddress, parseAddress } from "#core/address";
import { Allocator } from "#core/allocate";
import { observe } from "#core/observe";
import { saturateInt64 } from "#core/pool-count";
import type { PoolInput } from "#core/pools";
import {
  both,
  compile,
  db,
  dual,
  four,
  from,
  ips,
  one,
  pinned,
  planFor,
  pool,
  port,
  prefer,
  type Row,
  require,
  service,
  share,
  six,
  text,
  v6,
} from "./allocation.ts";

const sections: Readonly<Record<string, readonly Row[]>> = {
  "3.2 exact addresses": [
    {
      name: "autoAssign does not matter",
      pools: [pool("p", "10.0.0.0/24", { autoAssign: false })],
      asks: service(ips("10.0.0.9")),
      want: "assign 10.0.0.9 of p",
    },
    {
      name: "a pool that lists the namespace gives them",
      pools: [pinned("p", "10.0.0.0/24", { namespaces: ["shop", "default"] })],
      asks: service(ips("10.0.0.9")),
      want: "assign 10.0.0.9 of p",
    },
    {
      name: "one of several service selectors is enough",
      pools: [
        pinned("p", "10.0.0.0/24", { serviceSelectors: [{ matchLabels: { app: "web" } }, ...db.serviceSelectors] }),
      ],
      asks: service({ ...ips("10.0.0.9"), labels: { app: "db" } }),
      want: "assign 10.0.0.9 of p",
    },
  ],
  "3.3 any pool": [
    {
      name: "a pool for the namespace comes before ordinary ones",
      pools: [four, pinned("z", "10.9.0.0/24", { namespaces: ["default"] })],
      asks: service(),
      want: "assign 10.9.0.0 of z",
    },
    {
      name: "a pool for the labels comes before ordinary ones",
      pools: [four, pinned("z", "10.9.0.0/24", db)],
      asks: service({ labels: { app: "db" } }),
      want: "assign 10.9.0.0 of z",
    },
    {
      name: "namespace and labels must both fit",
      pools: [four, pinned("z", "10.9.0.0/24", { namespaces: ["default"], ...db })],
      asks: service({ labels: { app: "web" } }),
      want: "assign 10.0.0.1 of four",
    },
    {
      name: "a listed namespace or a selected one will do",
      pools: [
        four,
        pinned("z", "10.9.0.0/24", { namespaces: ["shop"], namespaceSelectors: [{ matchLabels: { team: "a" } }] }),
      ],
      asks: service(),
      want: "assign 10.9.0.0 of z",
    },
    {
      name: "a pinned pool without autoAssign is not chosen",
      pools: [four, pool("z", "10.9.0.0/24", { autoAssign: false, serviceAllocation: { namespaces: ["default"] } })],
      asks: service(),
      want: "assign 10.0.0.1 of four",
    },
    {
      name: "a pinned pool is never an ordinary one",
      pools: [pinned("z", "10.9.0.0/24", { namespaces: ["shop"] })],
      asks: service(),
      want: "namespace_not_allowed",
    },
    {
      name: "a pool with nothing but a priority is pinned to every Service",
      pools: [four, pinned("z", "10.9.0.0/24", { priority: 3 })],
      asks: service({ namespace: "anywhere" }),
      want: "assign 10.9.0.0 of z",
    },
    {
      name: "of equal priority the first by name",
      pools: [pinned("y", "10.9.0.0/24", { priority: 3 }), pinned("x", "10.8.0.0/24", { priority: 3 })],
      asks: service(),
      want: "assign 10.8.0.0 of x",
    },
    {
      name: "when pinned pools are full, the ordinary ones serve",
      pools: [four, pinned("z", "10.9.0.1/32", { priority: 1 })],
      asks: service(),
      others: [service({ name: "a", ingress: ["10.9.0.1"] })],
      want: "assign 10.0.0.1 of four",
    },
    {
      name: "a Service of one family takes the first pool that has it",
      pools: [pool("a", "2001:db8:9::/64"), four],
      asks: service(),
      want: "assign 10.0.0.1 of four",
    },
    {
      name: "RequireDualStack needs one pool with both families",
      pools: [four, six],
      asks: service({ spec: require }),
      want: "family_unavailable",
    },
    {
      name: "PreferDualStack without a pool of both takes the primary family, though the other comes first by name",
      pools: [pool("a", "2001:db8:9::/64"), four],
      asks: service({ spec: prefer }),
      want: "assign 10.0.0.1 of four",
    },
    {
      name: "PreferDualStack falls back to the secondary family last",
      pools: [six],
      asks: service({ spec: prefer }),
      want: "assign 2001:db8::1 of six",
    },
    {
      name: "PreferDualStack, repaired: an ordinary pool of both families comes before a pinned one of one",
      pools: [both, pinned("z", "10.9.0.0/24", { priority: 1 })],
      asks: service({ spec: prefer }),
      want: "assign 10.1.0.1,2001:db8:1::1 of mixed",
    },
    {
      name: "PreferDualStack with one cluster IP gets one address of its family",
      pools: [both],
      asks: service({ spec: { ...v6, ipFamilyPolicy: "PreferDualStack" } }),
      want: "assign 2001:db8:1::1 of mixed",
    },
    {
      name: "two cluster IPs and no policy that asks for both always fail",
      pools: [both],
      asks: service({ spec: { ...dual, ipFamilyPolicy: "SingleStack" } }),
      want: "invalid_request",
    },
    {
      name: "the result is IPv4 first, also when IPv6 is the primary family",
      pools: [both],
      asks: service({ spec: { ...require, ipFamilies: ["IPv6", "IPv4"] } }),
      want: "assign 10.1.0.1,2001:db8:1::1 of mixed",
    },
    {
      name: "a named pool must be open to the namespace",
      pools: [four, pinned("z", "10.9.0.0/24", { namespaces: ["shop"] })],
      asks: service(from("z")),
      want: "namespace_not_allowed",
    },
  ],
  "3.4 order": [
    {
      name: "network and broadcast addresses are ordinary ones",
      pools: [pool("p", "10.0.0.0/30")],
      asks: service(),
      want: "assign 10.0.0.0 of p",
    },
    {
      name: ".255 is an ordinary address",
      pools: [pool("p", "10.0.0.255-10.0.1.1")],
      asks: service(),
      want: "assign 10.0.0.255 of p",
    },
    {
      name: "avoidBuggyIPs steps over .255 and .0",
      pools: [pool("p", "10.0.0.255-10.0.1.1", { avoidBuggyIPs: true })],
      asks: service(),
      want: "assign 10.0.1.1 of p",
    },
    {
      name: "avoidBuggyIPs means nothing to IPv6",
      pools: [pool("p", "2001:db8::/64", { avoidBuggyIPs: true })],
      asks: service({ spec: v6 }),
      want: "assign 2001:db8:: of p",
    },
    {
      name: "a shareable address comes before a higher free one",
      pools: [four],
      asks: service({ annotations: share, spec: port(443) }),
      others: [service({ name: "a", annotations: share, ingress: ["10.0.0.1"] })],
      want: "assign 10.0.0.1 of four",
    },
  ],
  "3.6 pool changes": [
    {
      name: "an address that another pool owns now stays, under the new name",
      pools: [pool("renamed", "10.0.0.1-10.0.0.3")],
      asks: service({ ingress: ["10.0.0.2"], annotations: { "metallb.io/ip-allocated-from-pool": "four" } }),
      want: "keep 10.0.0.2 of renamed",
    },
    {
      name: "avoidBuggyIPs turned on clears who sits on .0",
      pools: [pool("p", "10.0.0.0/24", { avoidBuggyIPs: true })],
      asks: service({ ingress: ["10.0.0.0"] }),
      want: "assign 10.0.0.1 of p",
    },
    {
      name: "a pool closed to the namespace clears and another one gives",
      pools: [four, pinned("p", "10.9.0.0/24", { namespaces: ["shop"] })],
      asks: service({ ingress: ["10.9.0.1"] }),
      want: "assign 10.0.0.1 of four",
    },
    {
      name: "autoAssign turned off takes nothing away",
      pools: [pool("p", "10.0.0.0/24", { autoAssign: false })],
      asks: service({ ingress: ["10.0.0.7"] }),
      want: "keep 10.0.0.7 of p",
    },
    {
      name: "a priority changed takes nothing away",
      pools: [pinned("a", "10.1.0.0/24", { priority: 1 }), pinned("b", "10.2.0.0/24", { priority: 9 })],
      asks: service({ ingress: ["10.2.0.7"] }),
      want: "keep 10.2.0.7 of b",
    },
    {
      name: "a range moved behind another takes nothing away",
      pools: [pool("p", ["10.0.9.0/24", "10.0.0.0/24"])],
      asks: service({ ingress: ["10.0.0.7"] }),
      want: "keep 10.0.0.7 of p",
    },
  ],
  "3.9 PreferDualStack over time": [
    {
      name: "a pool that gains the missing family adds to the address, which stays",
      pools: [both],
      asks: service({ ingress: ["2001:db8:1::2"], spec: prefer }),
      want: "assign 10.1.0.1,2001:db8:1::2 of mixed",
    },
    {
      name: "a better pool elsewhere moves nobody",
      pools: [four, both],
      asks: service({ ingress: ["10.0.0.2"], spec: prefer }),
      want: "keep 10.0.0.2 of four",
    },
    {
      name: "Prefer to Require: a single address is given up where no pool has both",
      pools: [four],
      asks: service({ ingress: ["10.0.0.2"], spec: require }),
      want: "family_unavailable",
    },
    {
      name: "Require to Prefer: both addresses stay",
      pools: [both],
      asks: service({ ingress: ["10.1.0.2", "2001:db8:1::2"], spec: prefer }),
      want: "keep 10.1.0.2,2001:db8:1::2 of mixed",
    },
    {
      name: "asked-for addresses must be given for both families",
      pools: [both],
      asks: service({ ingress: ["10.1.0.2"], ...ips("10.1.0.3"), spec: prefer }),
      want: "invalid_request",
    },
    {
      name: "a request that cannot be read takes no part away from who lost a family",
      pools: [both],
      asks: service({ ingress: ["10.1.0.2", "2001:db8:1::2"], spec: { loadBalancerIP: "ten" } }),
      want: "assign 10.1.0.2 of mixed",
    },
  ],
  "3.10 exhaustion": [
    {
      name: "nobody is pushed out of a full pool, not even by a request",
      pools: [one],
      asks: service({ ...ips("10.0.0.1"), name: "aaa" }),
      others: [service({ name: "zzz", ingress: ["10.0.0.1"] })],
      want: "already_assigned",
    },
  ],
};

describe.each(Object.entries(sections))("metallb.md %s", (_section, rows) => {
  it.each(rows)("$name", ({ pools, asks, others = [], want }) => {
    expect(text(planFor(asks, compile(...pools), others))).toBe(want);
  });
});

describe("metallb.md 3.2 and 3.4, of one allocator over time", () => {
  it("a request that fails leaves the record before it untouched", () => {
    const allocator = new Allocator();
    allocator.setPools(compile(four));
    observe(allocator, service({ name: "a", ingress: ["10.0.0.1"] }));
    observe(allocator, service({ ingress: ["10.0.0.2"] }));
    expect(text(allocator.plan(service({ ingress: ["10.0.0.2"], ...ips("10.0.0.1") })))).toBe("already_assigned");
    expect(allocator.ledger.claimOf("default/web")?.addresses.map(formatAddress)).toEqual(["10.0.0.2"]);
  });

  it("a low address that is given back is given out next", () => {
    const allocator = new Allocator();
    allocator.setPools(compile(four));
    for (const name of ["a", "b"]) {
      const plan = allocator.plan(service({ name }));
      if (plan.kind === "assign") allocator.hold(service({ name }), plan.addresses);
    }
    allocator.release("default/a");
    expect(text(allocator.plan(service({ name: "c" })))).toBe("assign 10.0.0.1 of four");
  });

  it("a promise that nobody knows to be written stays closed to others until a write is confirmed", () => {
    const allocator = new Allocator();
    allocator.setPools(compile(four));
    const web = service();
    allocator.hold(web, [parseAddress("10.0.0.1")], "untilWritten");
    allocator.hold(service(ips("10.0.0.2")), [parseAddress("10.0.0.2")], "untilWritten");
    expect(text(allocator.plan(service({ name: "b" })))).toBe("assign 10.0.0.3 of four");
    allocator.hold(service({ ingress: ["10.0.0.2"] }), [parseAddress("10.0.0.2")]);
    expect(text(allocator.plan(service({ name: "b" })))).toBe("assign 10.0.0.1 of four");
  });
});

const counts: readonly { name: string; pool: PoolInput; family: 4 | 6; total: bigint; status?: number }[] = [
  { name: "2 to the power of the host bits", pool: pool("p", "10.0.0.0/22"), family: 4, total: 1024n },
  {
    name: "avoidBuggyIPs takes two from every /24",
    pool: pool("p", "10.0.0.0/22", { avoidBuggyIPs: true }),
    family: 4,
    total: 1016n,
  },
  {
    name: "avoidBuggyIPs takes one from a /25",
    pool: pool("p", "10.0.0.128/25", { avoidBuggyIPs: true }),
    family: 4,
    total: 127n,
  },
  {
    name: "avoidBuggyIPs takes none from the middle",
    pool: pool("p", "10.0.0.64/26", { avoidBuggyIPs: true }),
    family: 4,
    total: 64n,
  },
  { name: "a family without ranges counts 0", pool: six, family: 4, total: 0n },
  {
    name: "a /64 is counted exactly, and saturates in the status",
    pool: pool("p", "2001:db8::/64"),
    family: 6,
    total: 2n ** 64n,
    status: 2 ** 63,
  },
  {
    name: "repaired: what comes after a huge range adds to it, and never turns negative",
    pool: pool("p", ["2001:db8::/64", "2001:db8:1::/64", "2001:db8:2::/120"]),
    family: 6,
    total: 2n ** 65n + 256n,
    status: 2 ** 63,
  },
];

describe("metallb.md 3.5 counting", () => {
  it.each(counts)("$name", ({ pool: input, family, total, status = Number(total) }) => {
    const allocator = new Allocator();
    allocator.setPools(compile(input));
    expect(allocator.ledger.capacity(input.name, family)).toBe(total);
    expect(saturateInt64(allocator.ledger.capacity(input.name, family))).toBe(status);
  });
});
