import { describe, expect, it } from "vitest";
import type { PoolInput } from "#core/pools";
import type { AllocationReason } from "#core/reasons";
import type { ServiceView } from "#core/service-view";
import { both, compile, dual, four, planFor, pool, service, share, six } from "./allocation.ts";

const refused: readonly {
  name: string;
  pools: PoolInput[];
  asks: ServiceView;
  others?: ServiceView[];
  want: AllocationReason;
  says: string;
}[] = [
  { name: "without pools", pools: [], asks: service(), want: "no_pool", says: "there is no address pool" },
  {
    name: "for an unknown pool",
    pools: [four],
    asks: service({ annotations: { "metallb.io/address-pool": "prod" } }),
    want: "pool_not_found",
    says: "there is no pool named prod",
  },
  {
    name: "when every address is taken, with the count",
    pools: [four],
    asks: service(),
    others: ["1", "2", "3"].map((n) => service({ name: n, ingress: [`10.0.0.${n}`] })),
    want: "exhausted",
    says: "four: exhausted (3 of 3 in use)",
  },
  {
    name: "outside every pool",
    pools: [four],
    asks: service({ spec: { loadBalancerIP: "127.77.99.9" } }),
    want: "outside_pools",
    says: "127.77.99.9 is outside every pool",
  },
  {
    name: "an address that avoidBuggyIPs leaves out",
    pools: [pool("p", "10.0.0.0/24", { avoidBuggyIPs: true })],
    asks: service({ spec: { loadBalancerIP: "10.0.0.255" } }),
    want: "outside_pools",
    says: "p: leaves out 10.0.0.255",
  },
  {
    name: "an address that is taken",
    pools: [four],
    asks: service({ spec: { loadBalancerIP: "10.0.0.1" } }),
    others: [service({ name: "nginx", ingress: ["10.0.0.1"] })],
    want: "already_assigned",
    says: "10.0.0.1 is already assigned to default/nginx",
  },
  {
    name: "another sharing key",
    pools: [four],
    asks: service({ annotations: share, spec: { loadBalancerIP: "10.0.0.1" } }),
    others: [service({ name: "a", annotations: { "metallb.io/allow-shared-ip": "other" }, ingress: ["10.0.0.1"] })],
    want: "sharing_key_conflict",
    says: "default/a",
  },
  {
    name: "a port that is taken on a shared address",
    pools: [four],
    asks: service({ annotations: share, spec: { loadBalancerIP: "10.0.0.1" } }),
    others: [service({ name: "a", annotations: share, ingress: ["10.0.0.1"] })],
    want: "port_conflict",
    says: "TCP/80",
  },
  {
    name: "Local beside Cluster on a shared address",
    pools: [four],
    asks: service({
      annotations: share,
      spec: { loadBalancerIP: "10.0.0.1", ports: [{ port: 1 }], externalTrafficPolicy: "Local", selector: { a: "b" } },
    }),
    others: [service({ name: "a", annotations: share, ingress: ["10.0.0.1"] })],
    want: "backend_conflict",
    says: "Local",
  },
  {
    name: "when the only pool is not open to the namespace",
    pools: [pool("p", "10.0.0.0/24", { serviceAllocation: { namespaces: ["shop"] } })],
    asks: service(),
    want: "namespace_not_allowed",
    says: "p: namespace default not allowed",
  },
  {
    name: "when selectors of a pool find no namespace",
    pools: [pool("p", "10.0.0.0/24", { serviceAllocation: { namespaceSelectors: [{ matchLabels: { team: "z" } }] } })],
    asks: service({ annotations: { "metallb.io/address-pool": "p" } }),
    want: "namespace_not_allowed",
    says: "namespace default",
  },
  {
    name: "when labels do not match",
    pools: [pool("p", "10.0.0.0/24", { serviceAllocation: { serviceSelectors: [{ matchLabels: { app: "db" } }] } })],
    asks: service(),
    want: "selector_mismatch",
    says: "p: its serviceSelectors",
  },
  {
    name: "when the only pool is for requests",
    pools: [pool("p", "10.0.0.0/24", { autoAssign: false })],
    asks: service(),
    want: "auto_assign_off",
    says: "p: gives addresses only on request",
  },
  {
    name: "a family that no pool has",
    pools: [four],
    asks: service({ spec: { clusterIPs: ["fd00::1"] } }),
    want: "family_unavailable",
    says: "four: has no IPv6 addresses",
  },
  {
    name: "RequireDualStack with one cluster IP",
    pools: [both],
    asks: service({ spec: { ipFamilyPolicy: "RequireDualStack" } }),
    want: "family_unavailable",
    says: "IPv4 only",
  },
  {
    name: "annotation and field at once",
    pools: [four],
    asks: service({ annotations: { "metallb.io/loadBalancerIPs": "10.0.0.1" }, spec: { loadBalancerIP: "10.0.0.1" } }),
    want: "invalid_request",
    says: "keep one",
  },
  {
    name: "a request that is no address",
    pools: [four],
    asks: service({ spec: { loadBalancerIP: "ten" } }),
    want: "invalid_request",
    says: '"ten"',
  },
  {
    name: "an address and another pool",
    pools: [four, pool("z", "10.9.0.0/24")],
    asks: service({ annotations: { "metallb.io/address-pool": "z" }, spec: { loadBalancerIP: "10.0.0.1" } }),
    want: "invalid_request",
    says: "pool four, and for pool z",
  },
  {
    name: "an address of the other family",
    pools: [six],
    asks: service({ spec: { loadBalancerIP: "2001:db8::1" } }),
    want: "invalid_request",
    says: "IPv4",
  },
  {
    name: "addresses of two pools",
    pools: [four, six],
    asks: service({
      annotations: { "metallb.io/loadBalancerIPs": "10.0.0.1,2001:db8::1" },
      spec: { ...dual, ipFamilyPolicy: "RequireDualStack" },
    }),
    want: "outside_pools",
    says: "different pools",
  },
];

describe("Allocator", () => {
  it.each(refused)("refuses $name", ({ pools, asks, others = [], want, says }) => {
    const plan = planFor(asks, compile(...pools), others);
    expect(plan).toMatchObject({ kind: "refuse", reason: want });
    expect(plan.kind === "refuse" && plan.sentence).toContain(says);
    expect(plan.kind === "refuse" && plan.refusals.map(({ reason }) => reason)).toContain(want);
  });

  it("names every pool that refused, and lets the gravest reason stand for all", () => {
    const pools = compile(pool("a", "10.0.1.1/32", { autoAssign: false }), pool("b", "10.0.2.1/32"));
    const plan = planFor(service(), pools, [service({ name: "x", ingress: ["10.0.2.1"] })]);
    expect(plan).toMatchObject({
      reason: "exhausted",
      refusals: [{ pool: "a", reason: "auto_assign_off" }, { pool: "b" }],
    });
    expect(plan.kind === "refuse" && plan.sentence).toBe(
      "a: gives addresses only on request (autoAssign is off); b: exhausted (1 of 1 in use)",
    );
  });
});
