import { describe, expect, it } from "vitest";
import { flowRules, stalePlaces } from "#sandbox/netns/stale-flows";
import type { EndpointSliceLike, ServiceLike } from "#sandbox/proxy/shapes";
import { buildTable, EMPTY_TABLE, type ProxyTable } from "#sandbox/proxy/table";
import { fc } from "../../support/random.ts";

const VIP = "10.77.10.1";
const CLUSTER_IP = "10.96.0.20";
const A = "10.244.1.2";
const B = "10.244.2.2";
const EVERYWHERE = [`${CLUSTER_IP}|53|UDP`, `${VIP}|53|UDP`, "30053/UDP"];

type State = "ready" | "terminating" | "failing";
const CONDITIONS = {
  ready: { ready: true },
  terminating: { ready: false, serving: true, terminating: true },
  failing: { ready: false, serving: false },
};
type Endpoints = Readonly<Record<string, State>>;

/** A Service of UDP port 53 and TCP port 80, and its endpoints. */
function table(
  endpoints: Endpoints,
  more: { readonly spec?: Partial<NonNullable<ServiceLike["spec"]>>; readonly addresses?: readonly string[] } = {},
): ProxyTable {
  const { spec = {}, addresses = [VIP] } = more;
  const service: ServiceLike = {
    metadata: { namespace: "net", name: "dns" },
    spec: {
      type: "LoadBalancer",
      clusterIPs: [CLUSTER_IP],
      ports: [
        { name: "dns", protocol: "UDP", port: 53, nodePort: 30053 },
        { name: "web", port: 80, nodePort: 30080 },
      ],
      ...spec,
    },
    status: { loadBalancer: { ingress: addresses.map((ip) => ({ ip })) } },
  };
  return buildTable([service], [slice(endpoints)]);
}

function slice(endpoints: Endpoints): EndpointSliceLike {
  return {
    metadata: { namespace: "net", labels: { "kubernetes.io/service-name": "dns" } },
    endpoints: Object.entries(endpoints).map(([address, state]) => ({
      addresses: [address],
      nodeName: "node-01",
      conditions: CONDITIONS[state],
    })),
    ports: [
      { name: "dns", protocol: "UDP", port: 5353 },
      { name: "web", protocol: "TCP", port: 8080 },
    ],
  };
}

describe("UDP flows that a change leaves behind", () => {
  const both = { [A]: "ready", [B]: "ready" } as const;
  it.each([
    ["an endpoint went", table(both), table({ [B]: "ready" }), EVERYWHERE],
    ["an endpoint stopped serving without terminating", table(both), table({ ...both, [A]: "failing" }), EVERYWHERE],
    ["the last endpoint went", table({ [A]: "ready" }), table({}), EVERYWHERE],
    ["the first endpoint came", table({}), table({ [A]: "ready" }), EVERYWHERE],
    ["a Service with endpoints came", EMPTY_TABLE, table(both), EVERYWHERE],
    ["a Service with endpoints went", table(both), EMPTY_TABLE, EVERYWHERE],
    ["its address began to be served", table(both, { addresses: [] }), table(both), [`${VIP}|53|UDP`]],
    ["its address was taken away", table(both), table(both, { addresses: [] }), [`${VIP}|53|UDP`]],
    [
      "its NodePort began to be served",
      table(both, { spec: { type: "ClusterIP" }, addresses: [] }),
      table(both, { spec: { type: "NodePort" }, addresses: [] }),
      ["30053/UDP"],
    ],
  ])("are at every address and port of its UDP port when %s", (_what, before, after, places) => {
    expect([...stalePlaces(before, after)].sort()).toEqual([...places].sort());
  });

  it.each([
    ["nothing changed", table(both), table(both)],
    ["an endpoint was added to others", table({ [A]: "ready" }), table(both)],
    ["an endpoint terminates and still serves", table(both), table({ ...both, [A]: "terminating" })],
    ["traffic policy changed", table(both), table(both, { spec: { externalTrafficPolicy: "Local" } })],
    ["a Service without endpoints came", EMPTY_TABLE, table({})],
    ["a Service without endpoints went", table({}), EMPTY_TABLE],
    [
      "only a TCP port lost its endpoints",
      table(both, { spec: { ports: [{ name: "web", port: 80 }] } }),
      table({}, { spec: { ports: [{ name: "web", port: 80 }] } }),
    ],
  ])("are none when %s", (_what, before, after) => {
    expect(stalePlaces(before, after)).toEqual([]);
  });

  it("may stay where they lead to an endpoint of now, by address and port, terminating ones included", () => {
    const after = table({ [A]: "terminating", [B]: "ready" });
    const keep = [
      { address: A, port: 5353 },
      { address: B, port: 5353 },
    ];
    expect(flowRules(EVERYWHERE, after)).toEqual([
      { address: CLUSTER_IP, port: 53, keep },
      { address: VIP, port: 53, keep },
      { address: null, port: 30053, keep },
    ]);
    expect(flowRules([`${VIP}|53|UDP`], EMPTY_TABLE)).toEqual([{ address: VIP, port: 53, keep: [] }]);
  });

  it("reads IPv6 addresses of a place", () => {
    expect(flowRules(["fd77::a:1|53|UDP"], EMPTY_TABLE)).toEqual([{ address: "fd77::a:1", port: 53, keep: [] }]);
  });

  it("are found wherever a backend of before is no longer one, and nowhere else that had some", () => {
    const pods = fc.subarray([A, B, "10.244.3.2"]);
    fc.assert(
      fc.property(pods, pods, (had, has) => {
        const endpoints = (all: readonly string[]) =>
          table(Object.fromEntries(all.map((address) => [address, "ready" as const])));
        const stale = stalePlaces(endpoints(had), endpoints(has));
        const expected = had.length === 0 ? has.length > 0 : had.some((one) => !has.includes(one));
        expect(stale).toHaveLength(expected ? EVERYWHERE.length : 0);
      }),
      { numRuns: 100 },
    );
  });
});
