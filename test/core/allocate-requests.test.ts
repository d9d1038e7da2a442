/** Sentences of metallb.md section 2 about what a Service may ask for; those not here are in allocate.test.ts. */
import { describe, expect, it } from "vitest";
import {
  both,
  compile,
  db,
  four,
  from,
  ips,
  one,
  pinned,
  planFor,
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

const local = (app: string) => ({
  externalTrafficPolicy: "Local",
  selector: (app === "" ? {} : { app }) as Record<string, string>,
});

const sections: Readonly<Record<string, readonly Row[]>> = {
  "2.1 inputs": [
    {
      name: "spaces are allowed round the commas of loadBalancerIPs",
      pools: [both],
      asks: service({ ...ips(" 10.1.0.2 ,  2001:db8:1::3 "), spec: require }),
      want: "assign 10.1.0.2,2001:db8:1::3 of mixed",
    },
    {
      name: "spec.loadBalancerIP together with the annotation is an error, in the deprecated spelling too",
      pools: [four],
      asks: service({
        annotations: { "metallb.universe.tf/loadBalancerIPs": "10.0.0.1" },
        spec: { loadBalancerIP: "10.0.0.1" },
      }),
      want: "invalid_request",
    },
    {
      name: "an empty new loadBalancerIPs wins over the deprecated one, and asks for nothing",
      pools: [four],
      asks: service({
        annotations: { "metallb.universe.tf/loadBalancerIPs": "10.0.0.3", "metallb.io/loadBalancerIPs": "" },
      }),
      want: "assign 10.0.0.1 of four",
    },
    {
      name: "an empty new allow-shared-ip wins over the deprecated one, and shares with nobody",
      pools: [one],
      asks: service({
        annotations: { "metallb.universe.tf/allow-shared-ip": "k", "metallb.io/allow-shared-ip": "" },
        spec: port(443),
      }),
      others: [service({ name: "a", annotations: share, ingress: ["10.0.0.1"] })],
      want: "exhausted",
    },
    {
      name: "the two spellings of allow-shared-ip share one name",
      pools: [one],
      asks: service({ annotations: { "metallb.universe.tf/allow-shared-ip": "k" }, spec: port(443) }),
      others: [service({ name: "a", annotations: share, ingress: ["10.0.0.1"] })],
      want: "assign 10.0.0.1 of one",
    },
    {
      name: "families come from clusterIPs, whatever ipFamilies says",
      pools: [four, six],
      asks: service({ spec: { clusterIPs: ["fd00::1"], ipFamilies: ["IPv4"] } }),
      want: "assign 2001:db8::1 of six",
    },
    {
      name: "clusterIP alone will do where there are no clusterIPs",
      pools: [four, six],
      asks: service({ spec: { clusterIPs: undefined, clusterIP: "fd00::1" } }),
      want: "assign 2001:db8::1 of six",
    },
  ],
  "2.2 convergence": [
    {
      name: "step 2: without any pool, what it holds is given up",
      pools: [],
      asks: service({ ingress: ["10.0.0.1"] }),
      want: "no_pool",
    },
    {
      name: "step 3: without a cluster IP it gets none",
      pools: [four],
      asks: service({ ingress: ["10.0.0.1"], spec: { clusterIPs: [] } }),
      want: "invalid_request",
    },
    {
      name: "step 3: a headless Service has no cluster IP",
      pools: [four],
      asks: service({ spec: { clusterIPs: ["None"] } }),
      want: "invalid_request",
    },
    {
      name: "step 5: RequireDualStack with one cluster IP gives up what it holds",
      pools: [both],
      asks: service({ ingress: ["10.1.0.1"], spec: { ipFamilyPolicy: "RequireDualStack" } }),
      want: "family_unavailable",
    },
    {
      name: "step 6: cluster IPs that cannot be read clear nothing",
      pools: [four],
      asks: service({ ingress: ["10.0.0.2"], spec: { clusterIPs: ["10.96.0.999"] } }),
      want: "keep 10.0.0.2 of four",
    },
    {
      name: "step 6: an address of another family than the cluster IP is given up",
      pools: [four, six],
      asks: service({ ingress: ["10.0.0.2"], spec: v6 }),
      want: "assign 2001:db8::1 of six",
    },
    {
      name: "step 6: with dual cluster IPs and PreferDualStack, one address is enough",
      pools: [four],
      asks: service({ ingress: ["10.0.0.2"], spec: prefer }),
      want: "keep 10.0.0.2 of four",
    },
    {
      name: "step 9: the addresses it has, asked for in another order, are the same set",
      pools: [both],
      asks: service({ ingress: ["10.1.0.2", "2001:db8:1::3"], ...ips("2001:db8:1::3,10.1.0.2"), spec: require }),
      want: "keep 10.1.0.2,2001:db8:1::3 of mixed",
    },
    {
      name: "step 9: asked-for addresses stay in the order written, and are not sorted by text",
      pools: [both],
      asks: service({ ingress: ["2001:db8:1::3", "10.1.0.2"], ...ips("2001:db8:1::3,10.1.0.2"), spec: require }),
      want: "keep 2001:db8:1::3,10.1.0.2 of mixed",
    },
    {
      name: "step 9: a set that differs in one address is another set",
      pools: [both],
      asks: service({ ingress: ["10.1.0.2", "2001:db8:1::3"], ...ips("10.1.0.2,2001:db8:1::1"), spec: require }),
      want: "assign 10.1.0.2,2001:db8:1::1 of mixed",
    },
    {
      name: "step 9: an address that somebody else has is refused, and what it had is given up",
      pools: [four],
      asks: service({ ingress: ["10.0.0.1"], ...ips("10.0.0.2") }),
      others: [service({ name: "a", ingress: ["10.0.0.2"] })],
      want: "already_assigned",
    },
    {
      name: "step 10: the second address comes from the same pool only",
      pools: [four, six, both],
      asks: service({ ingress: ["10.0.0.2"], spec: prefer }),
      want: "keep 10.0.0.2 of four",
    },
    {
      name: "step 10, repaired: a single-stack Service with PreferDualStack and two addresses goes back to one for good",
      pools: [both],
      asks: service({ ingress: ["10.1.0.2", "2001:db8:1::1"], spec: { ipFamilyPolicy: "PreferDualStack" } }),
      want: "assign 10.1.0.2 of mixed",
    },
  ],
  "2.3 requests": [
    {
      name: "an address of a pool that is closed to the namespace",
      pools: [pinned("p", "10.0.0.0/24", { namespaces: ["shop"] })],
      asks: service(ips("10.0.0.1")),
      want: "namespace_not_allowed",
    },
    {
      name: "an address of a pool whose selectors do not match",
      pools: [pinned("p", "10.0.0.0/24", db)],
      asks: service(ips("10.0.0.1")),
      want: "selector_mismatch",
    },
    {
      name: "one address for a Service of two families, even under PreferDualStack",
      pools: [both],
      asks: service({ ...ips("10.1.0.1"), spec: prefer }),
      want: "invalid_request",
    },
    {
      name: "two addresses for a Service of one family",
      pools: [both],
      asks: service(ips("10.1.0.1,2001:db8:1::1")),
      want: "invalid_request",
    },
    {
      name: "more than two addresses",
      pools: [both],
      asks: service({ ...ips("10.1.0.1,2001:db8:1::1,10.1.0.2"), spec: require }),
      want: "invalid_request",
    },
    {
      name: "two addresses of one family",
      pools: [four],
      asks: service(ips("10.0.0.1,10.0.0.2")),
      want: "invalid_request",
    },
    {
      name: "a named pool with nothing free",
      pools: [one, six],
      asks: service(from("one")),
      others: [service({ name: "a", ingress: ["10.0.0.1"] })],
      want: "exhausted",
    },
    {
      name: "a named pool without the family",
      pools: [four, six],
      asks: service(from("six")),
      want: "family_unavailable",
    },
    {
      name: "a named pool that is not compatible",
      pools: [four, pinned("p", "10.0.9.0/24", db)],
      asks: service(from("p")),
      want: "selector_mismatch",
    },
  ],
  "2.5 sharing": [
    {
      name: "two Local Services share when they select the same pods",
      pools: [one],
      asks: service({ annotations: share, spec: { ...port(443), ...local("x") } }),
      others: [service({ name: "a", annotations: share, spec: local("x"), ingress: ["10.0.0.1"] })],
      want: "assign 10.0.0.1 of one",
    },
    {
      name: "two Local Services do not share when they select different pods",
      pools: [one],
      asks: service({
        ...ips("10.0.0.1"),
        annotations: { ...share, ...ips("10.0.0.1").annotations },
        spec: { ...port(443), ...local("x") },
      }),
      others: [service({ name: "a", annotations: share, spec: local("y"), ingress: ["10.0.0.1"] })],
      want: "backend_conflict",
    },
    {
      name: "a Local Service without selector shares with a Cluster one",
      pools: [one],
      asks: service({ annotations: share, spec: { ...port(443), ...local("") } }),
      others: [service({ name: "a", annotations: share, ingress: ["10.0.0.1"] })],
      want: "assign 10.0.0.1 of one",
    },
    {
      name: "Cluster Services share whatever they select",
      pools: [one],
      asks: service({ annotations: share, spec: { ...port(443), selector: { app: "x" } } }),
      others: [service({ name: "a", annotations: share, spec: { selector: { app: "y" } }, ingress: ["10.0.0.1"] })],
      want: "assign 10.0.0.1 of one",
    },
    {
      name: "namespaces do not matter",
      pools: [one],
      asks: service({ namespace: "shop", annotations: share, spec: port(443) }),
      others: [service({ name: "a", annotations: share, ingress: ["10.0.0.1"] })],
      want: "assign 10.0.0.1 of one",
    },
    {
      name: "the empty key shares with nobody, not with another empty key either",
      pools: [one],
      asks: service({ annotations: { "metallb.io/allow-shared-ip": "" }, spec: port(443) }),
      others: [service({ name: "a", annotations: { "metallb.io/allow-shared-ip": "" }, ingress: ["10.0.0.1"] })],
      want: "exhausted",
    },
    {
      name: "one common port among several is one too many",
      pools: [one],
      asks: service({ annotations: share, spec: { ports: [{ port: 443 }, { port: 80 }] } }),
      others: [service({ name: "a", annotations: share, ingress: ["10.0.0.1"] })],
      want: "exhausted",
    },
    {
      name: "a third Service must fit beside both who are there",
      pools: [one],
      asks: service({ annotations: share, spec: port(443) }),
      others: [
        service({ name: "a", annotations: share, ingress: ["10.0.0.1"] }),
        service({ name: "b", annotations: share, spec: port(443), ingress: ["10.0.0.1"] }),
      ],
      want: "exhausted",
    },
    {
      name: "the sole user changes its key in place",
      pools: [four],
      asks: service({ annotations: { "metallb.io/allow-shared-ip": "new" }, ingress: ["10.0.0.2"] }),
      others: [service({ annotations: share, ingress: ["10.0.0.2"] })],
      want: "keep 10.0.0.2 of four",
    },
    {
      name: "the sole user changes its policy in place",
      pools: [four],
      asks: service({ annotations: share, spec: local("x"), ingress: ["10.0.0.2"] }),
      others: [service({ annotations: share, ingress: ["10.0.0.2"] })],
      want: "keep 10.0.0.2 of four",
    },
    {
      name: "who changes its key while others share gets another address",
      pools: [four],
      asks: service({ annotations: { "metallb.io/allow-shared-ip": "new" }, ingress: ["10.0.0.2"] }),
      others: [service({ name: "a", annotations: share, spec: port(443), ingress: ["10.0.0.2"] })],
      want: "assign 10.0.0.1 of four",
    },
    {
      name: "who changes its policy while others share gets another address",
      pools: [four],
      asks: service({ annotations: share, spec: local("x"), ingress: ["10.0.0.2"] }),
      others: [service({ name: "a", annotations: share, spec: port(443), ingress: ["10.0.0.2"] })],
      want: "assign 10.0.0.1 of four",
    },
    {
      name: "who takes a port that another one uses gets another address",
      pools: [four],
      asks: service({ annotations: share, spec: port(443), ingress: ["10.0.0.2"] }),
      others: [service({ name: "a", annotations: share, spec: port(443), ingress: ["10.0.0.2"] })],
      want: "assign 10.0.0.1 of four",
    },
    {
      name: "to force sharing, the address is asked for",
      pools: [four],
      asks: service({ annotations: { ...share, ...ips("10.0.0.2").annotations }, spec: port(443) }),
      others: [service({ name: "a", annotations: share, ingress: ["10.0.0.2"] })],
      want: "assign 10.0.0.2 of four",
    },
  ],
};

describe.each(Object.entries(sections))("metallb.md %s", (_section, rows) => {
  it.each(rows)("$name", ({ pools, asks, others = [], want }) => {
    expect(text(planFor(asks, compile(...pools), others))).toBe(want);
  });
});
