import { describe, expect, it } from "vitest";
import { PodNetwork, podAddress6, shadowOf } from "#sandbox/proxy/pod-network";
import { frontendKey } from "#sandbox/proxy/service-frontends";
import type { EndpointSliceLike } from "#sandbox/proxy/shapes";
import { buildTable, usableBackends } from "#sandbox/proxy/table";

const web = (spec: object = {}) => ({
  metadata: { namespace: "default", name: "web" },
  spec: {
    type: "LoadBalancer",
    clusterIPs: ["10.96.0.7"],
    ports: [{ port: 80, nodePort: 30_080 }],
    ...spec,
  },
  status: { loadBalancer: { ingress: [{ ip: "127.77.10.1" }] } },
});
type Conditions = { ready?: boolean; serving?: boolean; terminating?: boolean };
const slice = (
  endpoints: readonly (readonly [address: string, node: string, conditions?: Conditions])[],
  ports: EndpointSliceLike["ports"] = [{ port: 8080, protocol: "TCP" }],
): EndpointSliceLike => ({
  metadata: { namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
  endpoints: endpoints.map(([address, nodeName, conditions = { ready: true }]) => ({
    addresses: [address],
    nodeName,
    conditions,
  })),
  ports,
});
const ready3 = slice([
  ["10.244.3.2", "node-03"],
  ["10.244.1.2", "node-01"],
  ["10.244.2.2", "node-02"],
]);
const external = frontendKey("127.77.10.1", 80, "TCP");
const going = { ready: false, serving: true, terminating: true };

/** Addresses a connection to the external address may reach from `node`. */
const reach = (service: object, slices: readonly EndpointSliceLike[], node = "node-01", key = external) => {
  const frontend = buildTable([web(service)], slices).frontends.get(key);
  if (frontend === undefined) return "no frontend";
  const usable = usableBackends(frontend, node);
  return typeof usable === "string" ? usable : usable.map((backend) => backend.address);
};

describe("where a connection may go", () => {
  it.each([
    ["to every ready endpoint", {}, [ready3], ["10.244.1.2", "10.244.2.2", "10.244.3.2"]],
    [
      "to the endpoints of all slices, each once",
      {},
      [
        ready3,
        slice([
          ["10.244.1.2", "node-01"],
          ["10.244.1.3", "node-01"],
        ]),
      ],
      ["10.244.1.2", "10.244.1.3", "10.244.2.2", "10.244.3.2"],
    ],
    [
      "not to one that is unready",
      {},
      [
        slice([
          ["10.244.1.2", "node-01", { ready: false }],
          ["10.244.2.2", "node-02"],
        ]),
      ],
      ["10.244.2.2"],
    ],
    ["to one whose readiness is unset", {}, [slice([["10.244.1.2", "node-01", {}]])], ["10.244.1.2"]],
    [
      "not to a terminating one while another is ready",
      {},
      [
        slice([
          ["10.244.1.2", "node-01", going],
          ["10.244.2.2", "node-02"],
        ]),
      ],
      ["10.244.2.2"],
    ],
    [
      "to terminating ones that serve, when nothing is ready",
      {},
      [
        slice([
          ["10.244.1.2", "node-01", going],
          ["10.244.2.2", "node-02", { ready: false, serving: false, terminating: true }],
        ]),
      ],
      ["10.244.1.2"],
    ],
    ["nowhere without endpoints: refused", {}, [], "refuse"],
    ["policy Local: only to this node's", { externalTrafficPolicy: "Local" }, [ready3], ["10.244.1.2"]],
    [
      "policy Local: this node's terminating one before anybody else's",
      { externalTrafficPolicy: "Local" },
      [
        slice([
          ["10.244.1.2", "node-01", going],
          ["10.244.2.2", "node-02"],
        ]),
      ],
      ["10.244.1.2"],
    ],
    [
      "policy Local without one here: silence",
      { externalTrafficPolicy: "Local" },
      [slice([["10.244.2.2", "node-02"]])],
      "drop",
    ],
    ["policy Local without any anywhere: refused", { externalTrafficPolicy: "Local" }, [], "refuse"],
  ])("%s", (_guarantee, service, slices, expected) => {
    expect(reach(service, slices)).toEqual(expected);
  });

  it("the ClusterIP follows the internal policy, not the external one", () => {
    const key = frontendKey("10.96.0.7", 80, "TCP");
    expect(reach({ externalTrafficPolicy: "Local" }, [ready3], "node-01", key)).toHaveLength(3);
    expect(reach({ internalTrafficPolicy: "Local" }, [ready3], "node-02", key)).toEqual(["10.244.2.2"]);
  });

  it("named ports find their number in the slice, per protocol", () => {
    const ports = [
      { name: "dns", port: 53, protocol: "UDP" },
      { name: "dns-tcp", port: 53, protocol: "TCP" },
    ];
    const targets = [
      { name: "dns", port: 5353, protocol: "UDP" },
      { name: "dns-tcp", port: 5354 },
    ];
    const { frontends } = buildTable([web({ ports })], [slice([["10.244.1.2", "node-01"]], targets)]);
    const portsOf = (protocol: "TCP" | "UDP") =>
      frontends.get(frontendKey("127.77.10.1", 53, protocol))?.backends.map(({ port }) => port);
    expect([portsOf("UDP"), portsOf("TCP")]).toEqual([[5353], [5354]]);
  });

  it("IPv6 addresses lead to IPv6 endpoints only", () => {
    const service = { ...web(), status: { loadBalancer: { ingress: [{ ip: "FC00:77::1" }, { ip: "127.77.10.1" }] } } };
    const { frontends } = buildTable([service], [ready3, slice([["fd00::5", "node-01"]])]);
    expect(frontends.get(frontendKey("fc00:77::1", 80, "TCP"))?.backends.map(({ address }) => address)).toEqual([
      "fd00::5",
    ]);
  });
});

describe("the table", () => {
  it("lists the load balancer addresses and node ports of LoadBalancer Services", () => {
    const table = buildTable([web()], [ready3]);
    expect([...table.loadBalancerAddresses]).toEqual(["127.77.10.1"]);
    expect([...table.nodePorts.keys()]).toEqual(["30080/TCP"]);
  });

  it("keeps an address that a Service of another type still carries in its status out", () => {
    const table = buildTable([web({ type: "ClusterIP" })], [ready3]);
    expect(table.loadBalancerAddresses.size).toBe(0);
    expect([...table.frontends.keys()]).toEqual([frontendKey("10.96.0.7", 80, "TCP")]);
  });

  it("leaves out what it cannot read, and takes the rest", () => {
    const odd = { metadata: {}, spec: { ports: [{ port: 1, protocol: "SCTP" }], clusterIPs: ["None", "x"] } };
    const endpoints: EndpointSliceLike = { ...ready3, endpoints: [{}, { addresses: ["nonsense"] }], ports: [{}] };
    const table = buildTable([odd, web()], [endpoints, { metadata: {} }, ready3]);
    expect(table.frontends.get(external)?.backends).toHaveLength(3);
  });

  it("costs little when one Service of many changed, and shows the change", () => {
    const services = [web(), { ...web(), metadata: { namespace: "default", name: "other" }, status: {} }];
    const before = buildTable(services, [ready3]).frontends.get(external);
    expect(buildTable(services, [ready3]).frontends.get(external)).toBe(before);
    const after = buildTable(services, [slice([["10.244.1.9", "node-01"]])]).frontends.get(external);
    expect(after?.backends.map(({ address }) => address)).toEqual(["10.244.1.9"]);
  });

  it("gives one address and port to the first Service by name", () => {
    const other = { ...web(), metadata: { namespace: "default", name: "a" } };
    expect(buildTable([web(), other], []).frontends.get(external)?.service).toBe("default/a");
  });

  it("keeps session affinity for three hours unless told otherwise", () => {
    const affinity = (spec: object) => buildTable([web(spec)], []).frontends.get(external)?.affinityMs;
    expect(affinity({})).toBeNull();
    expect(affinity({ sessionAffinity: "ClientIP" })).toBe(10_800_000);
    const config = { clientIP: { timeoutSeconds: 60 } };
    expect(affinity({ sessionAffinity: "ClientIP", sessionAffinityConfig: config })).toBe(60_000);
  });
});

describe("the pod network", () => {
  it.each([
    ["a pod's address has a shadow on loopback", "10.244.1.5", "127.244.1.5"],
    ["a host's loopback address stands for itself", "127.77.0.11", "127.77.0.11"],
    ["anything else has none", "192.0.2.1", null],
    ["IPv6 has none", "fd00::5", null],
  ])("%s", (_guarantee, address, expected) => {
    expect(shadowOf(address)).toBe(expected);
  });

  it("knows the socket that was opened, and falls back to the shadow", () => {
    const network = new PodNetwork();
    const at = { address: "127.244.1.5", port: 43_211 };
    network.open("10.244.1.5", 80, "TCP", at);
    expect(network.lookup("10.244.1.5", 80, "TCP")).toBe(at);
    expect(network.lookup("fd77:244:1::5", 80, "TCP")).toBe(at);
    expect(network.lookup("10.244.1.5", 80, "UDP")).toEqual({ address: "127.244.1.5", port: 80 });
    network.close("10.244.1.5");
    expect(network.lookup("10.244.1.5", 80, "TCP")).toEqual({ address: "127.244.1.5", port: 80 });
  });

  it.each([
    ["a pod's", "10.244.1.26", "fd77:244:1::1a"],
    ["a node's", "10.77.0.11", null],
    ["an IPv6", "fd77::1", null],
  ])("knows the second address of %s address", (_what, address, second) => {
    expect(podAddress6(address)).toBe(second);
  });
});
