import { describe, expect, it } from "vitest";
import { parseAddress } from "#core/address";
import { Allocator } from "#core/allocate";
import { observe } from "#core/observe";
import type { PoolInput } from "#core/pools";
import type { ServiceView } from "#core/service-view";
import { both, compile, dual, four, planFor, pool, service, share, six, text } from "./allocation.ts";

const rows: readonly { name: string; pools: PoolInput[]; asks: ServiceView; others?: ServiceView[]; want: string }[] = [
  { name: "gives the first address of the only pool", pools: [four], asks: service(), want: "assign 10.0.0.1 of four" },
  {
    name: "gives the lowest that is free",
    pools: [four],
    asks: service(),
    others: [service({ name: "a", ingress: ["10.0.0.1"] }), service({ name: "b", ingress: ["10.0.0.3"] })],
    want: "assign 10.0.0.2 of four",
  },
  {
    name: "goes through ranges in the order they are listed",
    pools: [pool("p", ["10.0.9.9/32", "10.0.0.1/32"])],
    asks: service(),
    want: "assign 10.0.9.9 of p",
  },
  {
    name: "keeps what the status says, though a lower one is free",
    pools: [four],
    asks: service({ ingress: ["10.0.0.3"] }),
    want: "keep 10.0.0.3 of four",
  },
  {
    name: "moves off an address that left every pool",
    pools: [four],
    asks: service({ ingress: ["192.0.2.1"] }),
    want: "assign 10.0.0.1 of four",
  },
  {
    name: "moves off a text that is no address",
    pools: [four],
    asks: service({ ingress: ["10.0.0.01"] }),
    want: "assign 10.0.0.1 of four",
  },
  {
    name: "yields an address that somebody else already holds",
    pools: [four],
    asks: service({ ingress: ["10.0.0.1"] }),
    others: [service({ name: "a", ingress: ["10.0.0.1"] })],
    want: "assign 10.0.0.2 of four",
  },
  {
    name: "takes pools by name",
    pools: [pool("b", "10.0.2.1/32"), pool("a", "10.0.1.1/32")],
    asks: service(),
    want: "assign 10.0.1.1 of a",
  },
  {
    name: "takes pinned pools by priority before others, unset last",
    pools: [
      four,
      pool("p0", "10.0.1.1/32", { serviceAllocation: {} }),
      pool("p9", "10.0.2.1/32", { serviceAllocation: { priority: 9 } }),
      pool("p5", "10.0.3.1/32", { serviceAllocation: { priority: 5 } }),
    ],
    asks: service(),
    want: "assign 10.0.3.1 of p5",
  },
  {
    name: "goes on to the next pool when the first is full",
    pools: [four, pool("a", "10.0.1.1/32")],
    asks: service(),
    others: [service({ name: "x", ingress: ["10.0.1.1"] })],
    want: "assign 10.0.0.1 of four",
  },
  {
    name: "takes the pool that the annotation names, even without autoAssign",
    pools: [four, pool("z", "10.9.0.1/32", { autoAssign: false })],
    asks: service({ annotations: { "metallb.io/address-pool": "z" } }),
    want: "assign 10.9.0.1 of z",
  },
  {
    name: "reads the deprecated prefix",
    pools: [four, pool("z", "10.9.0.1/32")],
    asks: service({ annotations: { "metallb.universe.tf/address-pool": "z" } }),
    want: "assign 10.9.0.1 of z",
  },
  {
    name: "lets a new key win even when it is empty",
    pools: [four, pool("z", "10.9.0.1/32")],
    asks: service({ annotations: { "metallb.universe.tf/address-pool": "z", "metallb.io/address-pool": "" } }),
    want: "assign 10.0.0.1 of four",
  },
  {
    name: "moves when another pool is asked for",
    pools: [four, pool("z", "10.9.0.1/32")],
    asks: service({ ingress: ["10.0.0.1"], annotations: { "metallb.io/address-pool": "z" } }),
    want: "assign 10.9.0.1 of z",
  },
  {
    name: "grants a requested address",
    pools: [four],
    asks: service({ annotations: { "metallb.io/loadBalancerIPs": " 10.0.0.2 " } }),
    want: "assign 10.0.0.2 of four",
  },
  {
    name: "grants spec.loadBalancerIP",
    pools: [four],
    asks: service({ spec: { loadBalancerIP: "10.0.0.2" } }),
    want: "assign 10.0.0.2 of four",
  },
  {
    name: "moves to a requested address",
    pools: [four],
    asks: service({ ingress: ["10.0.0.1"], spec: { loadBalancerIP: "10.0.0.2" } }),
    want: "assign 10.0.0.2 of four",
  },
  {
    name: "keeps its address while the request cannot be read",
    pools: [four],
    asks: service({ ingress: ["10.0.0.1"], spec: { loadBalancerIP: "ten" } }),
    want: "keep 10.0.0.1 of four",
  },
  {
    name: "keeps its address while the request asks for two of one family",
    pools: [four],
    asks: service({ ingress: ["10.0.0.1"], annotations: { "metallb.io/loadBalancerIPs": "10.0.0.1,10.0.0.2" } }),
    want: "keep 10.0.0.1 of four",
  },
  {
    name: "leaves out .0 under avoidBuggyIPs",
    pools: [pool("p", "10.0.0.0/24", { avoidBuggyIPs: true })],
    asks: service(),
    want: "assign 10.0.0.1 of p",
  },
  {
    name: "gives IPv6 to an IPv6 Service",
    pools: [four, six],
    asks: service({ spec: { clusterIPs: ["fd00::1"] } }),
    want: "assign 2001:db8::1 of six",
  },
  {
    name: "gives both families from one pool, IPv4 first",
    pools: [four, six, both],
    asks: service({ spec: { ...dual, ipFamilyPolicy: "RequireDualStack" } }),
    want: "assign 10.1.0.1,2001:db8:1::1 of mixed",
  },
  {
    name: "prefers a pool with both families even when it comes later",
    pools: [four, both],
    asks: service({ spec: { ...dual, ipFamilyPolicy: "PreferDualStack" } }),
    want: "assign 10.1.0.1,2001:db8:1::1 of mixed",
  },
  {
    name: "falls back to the primary family",
    pools: [four, six],
    asks: service({
      spec: { clusterIPs: dual.clusterIPs, ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "PreferDualStack" },
    }),
    want: "assign 2001:db8::1 of six",
  },
  {
    name: "adds the second family when its pool has it",
    pools: [both],
    asks: service({ ingress: ["10.1.0.2"], spec: { ...dual, ipFamilyPolicy: "PreferDualStack" } }),
    want: "assign 10.1.0.2,2001:db8:1::1 of mixed",
  },
  {
    name: "keeps its address and adds the second family when the Service now requires both",
    pools: [both],
    asks: service({ ingress: ["10.1.0.2"], spec: { ...dual, ipFamilyPolicy: "RequireDualStack" } }),
    want: "assign 10.1.0.2,2001:db8:1::1 of mixed",
  },
  {
    name: "gives up only the family that the Service lost",
    pools: [both],
    asks: service({ ingress: ["10.1.0.3", "2001:db8:1::2"], spec: { clusterIPs: ["10.96.0.1"] } }),
    want: "assign 10.1.0.3 of mixed",
  },
  {
    name: "gives up only the family that the pool lost, where one is enough",
    pools: [four],
    asks: service({
      ingress: ["10.0.0.3", "2001:db8:1::2"],
      spec: { ...dual, ipFamilyPolicy: "PreferDualStack" },
    }),
    want: "assign 10.0.0.3 of four",
  },
  {
    name: "moves to a pool with both when its own has not what the Service now requires",
    pools: [four, both],
    asks: service({ ingress: ["10.0.0.3"], spec: { ...dual, ipFamilyPolicy: "RequireDualStack" } }),
    want: "assign 10.1.0.1,2001:db8:1::1 of mixed",
  },
  {
    name: "adds no second family to a Service with one cluster IP",
    pools: [both],
    asks: service({ ingress: ["10.1.0.2"], spec: { ipFamilyPolicy: "PreferDualStack" } }),
    want: "keep 10.1.0.2 of mixed",
  },
  {
    name: "keeps requested addresses in the order written",
    pools: [both],
    asks: service({
      annotations: { "metallb.io/loadBalancerIPs": "2001:db8:1::2,10.1.0.2" },
      spec: { ...dual, ipFamilyPolicy: "RequireDualStack" },
    }),
    want: "assign 2001:db8:1::2,10.1.0.2 of mixed",
  },
  {
    name: "shares an address when key, ports and policy fit",
    pools: [pool("one", "10.0.0.1/32")],
    asks: service({ annotations: share, spec: { ports: [{ port: 443 }] } }),
    others: [service({ name: "a", annotations: share, ingress: ["10.0.0.1"] })],
    want: "assign 10.0.0.1 of one",
  },
  {
    name: "tells UDP from TCP",
    pools: [pool("one", "10.0.0.1/32")],
    asks: service({ annotations: share, spec: { ports: [{ port: 80, protocol: "UDP" }] } }),
    others: [service({ name: "a", annotations: share, ingress: ["10.0.0.1"] })],
    want: "assign 10.0.0.1 of one",
  },
  {
    name: "takes a lower free address before a shareable one",
    pools: [four],
    asks: service({ annotations: share, spec: { ports: [{ port: 443 }] } }),
    others: [service({ name: "a", annotations: share, ingress: ["10.0.0.2"] })],
    want: "assign 10.0.0.1 of four",
  },
  {
    name: "frees what is no LoadBalancer",
    pools: [four],
    asks: service({ ingress: ["10.0.0.1"], spec: { type: "ClusterIP" } }),
    want: "release",
  },
  {
    name: "ignores another class",
    pools: [four],
    asks: service({ spec: { loadBalancerClass: "other.io/lb" } }),
    want: "ignore",
  },
];

describe("Allocator", () => {
  it.each(rows)("$name", ({ pools, asks, others = [], want }) => {
    expect(text(planFor(asks, compile(...pools), others))).toBe(want);
  });

  it("leaves an address alone whose pool object is invalid", () => {
    const held = { ingress: ["192.0.2.7"], annotations: { "metallb.io/ip-allocated-from-pool": "broken" } };
    const leftOut = new Set(["broken"]);
    expect(text(planFor(service(held), compile(four), [], leftOut))).toBe("keep 192.0.2.7 of broken");
    expect(text(planFor(service(held), compile(four), []))).toBe("assign 10.0.0.1 of four");
  });

  it("clears addresses of two pools in force, whatever other pool object is invalid", () => {
    const held = { ingress: ["10.0.0.1", "2001:db8::1"], spec: { ...dual, ipFamilyPolicy: "RequireDualStack" } };
    const two = compile(four, six, both);
    const leftOut = new Set(["broken"]);
    expect(text(planFor(service(held), two, [], leftOut))).toBe("assign 10.1.0.1,2001:db8:1::1 of mixed");
    const one = { ...held, ingress: ["10.0.0.1", "2001:db8:9::1"] };
    expect(text(planFor(service(one), two, [], leftOut))).toBe("keep 10.0.0.1,2001:db8:9::1 of null");
  });

  it("plans the same address again while its own claim is in flight", () => {
    const allocator = new Allocator();
    allocator.setPools(compile(four));
    const blocker = service({ name: "blocker", ingress: ["10.0.0.1"] });
    observe(allocator, blocker);
    const first = allocator.plan(service());
    if (first.kind === "assign") allocator.hold(service(), first.addresses);
    allocator.release(blocker.key);
    expect(text(allocator.plan(service()))).toBe("assign 10.0.0.2 of four");
  });

  it("adds the same second address again while its own claim is in flight", () => {
    const allocator = new Allocator();
    allocator.setPools(compile(both));
    const asks = service({ ingress: ["10.1.0.2"], spec: { ...dual, ipFamilyPolicy: "PreferDualStack" } });
    for (let look = 0; look < 3; look++) {
      const plan = allocator.plan(asks);
      expect(text(plan)).toBe("assign 10.1.0.2,2001:db8:1::1 of mixed");
      if (plan.kind === "assign") allocator.hold(asks, plan.addresses, "untilWritten");
    }
  });

  it("counts a shared address once and says what a change frees", () => {
    const allocator = new Allocator();
    allocator.setPools(compile(four));
    const a = service({ name: "a", annotations: share });
    const b = service({ name: "b", annotations: share, spec: { ports: [{ port: 443 }] } });
    const address = [parseAddress("10.0.0.1")];
    expect([allocator.hold(a, address), allocator.hold(b, address), allocator.hold(a, address)]).toEqual([
      false,
      false,
      false,
    ]);
    expect(allocator.ledger.inUse("four", 4)).toBe(1);
    expect(allocator.hold(service({ name: "b", annotations: share, spec: { ports: [{ port: 444 }] } }), address)).toBe(
      true,
    );
    expect([allocator.release("default/a"), allocator.release("default/a")]).toEqual([true, false]);
    expect(allocator.ledger.inUse("four", 4)).toBe(1);
    allocator.release("default/b");
    expect(allocator.ledger.inUse("four", 4)).toBe(0);
  });
});
