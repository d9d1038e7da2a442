import { describe, expect, it } from "vitest";
import { Fault } from "#core/errors";
import type { Json } from "#sandbox/kinds/definition";
import { at, obj, objects } from "#sandbox/kinds/json";
import { accepted, write } from "./support.ts";

const service = (spec: Json, name = "web"): Json => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "default" },
  spec: { ports: [{ port: 80 }], selector: { app: "web" }, ...spec },
});
const withSpec = (object: Json, spec: Json): Json => ({ ...object, spec: { ...obj(object.spec), ...spec } });
const nodePort = (object: Json) => objects(at(object, "spec", "ports"))[0]?.nodePort;

describe("a Service that is created", () => {
  it("gets everything a real server fills in for a LoadBalancer", () => {
    const { spec, status } = accepted("Service", service({ type: "LoadBalancer" }));
    expect(spec).toMatchObject({
      allocateLoadBalancerNodePorts: true,
      clusterIP: expect.stringMatching(/^10\.96\.\d+\.\d+$/),
      externalTrafficPolicy: "Cluster",
      internalTrafficPolicy: "Cluster",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      ports: [{ port: 80, targetPort: 80, protocol: "TCP", nodePort: expect.any(Number) }],
      sessionAffinity: "None",
      type: "LoadBalancer",
    });
    expect(status).toEqual({ loadBalancer: {} });
  });

  it("has a cluster address of each family when it asks for two", () => {
    const both = accepted("Service", service({ ipFamilyPolicy: "PreferDualStack" }));
    expect(at(both, "spec", "ipFamilies")).toEqual(["IPv4", "IPv6"]);
    expect(at(both, "spec", "clusterIPs")).toEqual([
      expect.stringMatching(/^10\.96\./),
      expect.stringMatching(/^fd00:10:96::/),
    ]);
  });

  it("keeps no cluster address when headless, nor node ports when ClusterIP", () => {
    expect(at(accepted("Service", service({ clusterIP: "None" })), "spec", "clusterIPs")).toEqual(["None"]);
    expect(nodePort(accepted("Service", service({})))).toBeUndefined();
  });

  it("takes no node ports when told not to", () => {
    expect(
      nodePort(accepted("Service", service({ type: "LoadBalancer", allocateLoadBalancerNodePorts: false }))),
    ).toBeUndefined();
  });

  it("never gets an address or port that another Service has", () => {
    const all: Json[] = [];
    for (let index = 0; index < 300; index++) {
      all.push(accepted("Service", service({ type: "NodePort" }, `s${index}`), undefined, all));
    }
    expect(new Set(all.map((one) => at(one, "spec", "clusterIP"))).size).toBe(300);
    expect(new Set(all.map(nodePort)).size).toBe(300);
  });

  it.each([
    ["a cluster address that is taken", { clusterIP: "10.96.0.1" }, "provided IP is already allocated"],
    ["a cluster address outside the network", { clusterIP: "10.1.0.1" }, "The range of valid IPs is 10.96.0.0/16"],
    [
      "a node port that is taken",
      { type: "NodePort", ports: [{ port: 1, nodePort: 30001 }] },
      "provided port is already allocated",
    ],
    [
      "a node port outside the range",
      { type: "NodePort", ports: [{ port: 1, nodePort: 80 }] },
      "The range of valid ports is 30000-32767",
    ],
  ])("is refused %s", (_what, spec: Json, words) => {
    const other = service(
      { clusterIPs: ["10.96.0.1"], type: "NodePort", ports: [{ port: 1, protocol: "TCP", nodePort: 30001 }] },
      "other",
    );
    const refused = () => write("Service", service(spec), undefined, [other]);
    expect(refused).toThrow(words);
    expect(refused).toThrow(Fault);
  });
});

describe("a Service that changes its type", () => {
  const balancer = accepted("Service", service({ type: "LoadBalancer" }));
  const assigned = { ...balancer, status: { loadBalancer: { ingress: [{ ip: "192.0.2.1", ipMode: "VIP" }] } } };

  it("loses what only a LoadBalancer has, and its external address, but keeps its cluster address", () => {
    const plain = accepted("Service", withSpec(assigned, { type: "ClusterIP" }), assigned);
    expect(plain.spec).toEqual({
      clusterIP: at(balancer, "spec", "clusterIP"),
      clusterIPs: at(balancer, "spec", "clusterIPs"),
      internalTrafficPolicy: "Cluster",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
      selector: { app: "web" },
      sessionAffinity: "None",
      type: "ClusterIP",
    });
    expect(plain.status).toEqual({ loadBalancer: {} });
  });

  it("keeps its node port between LoadBalancer and NodePort", () => {
    const ports = accepted("Service", withSpec(balancer, { type: "NodePort" }), balancer);
    expect(nodePort(ports)).toBe(nodePort(balancer));
    expect(at(ports, "spec", "allocateLoadBalancerNodePorts")).toBeUndefined();
    expect(at(ports, "spec", "externalTrafficPolicy")).toBe("Cluster");
  });

  it("loses its cluster address as an ExternalName", () => {
    const name = accepted(
      "Service",
      withSpec(balancer, { type: "ExternalName", externalName: "example.org", ports: [] }),
      balancer,
    );
    expect(at(name, "spec", "clusterIP")).toBeUndefined();
    expect(at(name, "spec", "ipFamilies")).toBeUndefined();
  });

  it("becomes a LoadBalancer with a node port and the same cluster address", () => {
    const plain = accepted("Service", service({}));
    const exposed = accepted("Service", withSpec(plain, { type: "LoadBalancer" }), plain);
    expect(nodePort(exposed)).toEqual(expect.any(Number));
    expect(at(exposed, "spec", "clusterIP")).toBe(at(plain, "spec", "clusterIP"));
  });

  it("keeps what was allocated when an update leaves it out, as kubectl replace does", () => {
    const again = accepted("Service", service({ type: "LoadBalancer" }), balancer);
    expect(again.spec).toEqual(balancer.spec);
  });

  it("gets and loses the health check port with externalTrafficPolicy", () => {
    const local = accepted("Service", withSpec(balancer, { externalTrafficPolicy: "Local" }), balancer);
    expect(at(local, "spec", "healthCheckNodePort")).toEqual(expect.any(Number));
    const back = accepted("Service", withSpec(local, { externalTrafficPolicy: "Cluster" }), local);
    expect(at(back, "spec", "healthCheckNodePort")).toBeUndefined();
  });
});

describe("a Service is refused, naming the field and what would be right,", () => {
  it.each<[string, Json, readonly string[]]>([
    [
      "for a port that is no port and a policy that is none",
      { type: "LoadBalancer", ports: [{ port: 70000 }], externalTrafficPolicy: "Sometimes" },
      [
        "spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive",
        "spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        'spec.externalTrafficPolicy: Unsupported value: "Sometimes": supported values: "Cluster", "Local"',
      ],
    ],
    ["without ports", { ports: [] }, ["spec.ports: Required value"]],
    [
      "for two ports without names",
      { ports: [{ port: 1 }, { port: 2 }] },
      ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
    ],
    [
      "for the same port name twice",
      {
        ports: [
          { name: "a", port: 1 },
          { name: "a", port: 2 },
        ],
      },
      ['spec.ports[1].name: Duplicate value: "a"'],
    ],
    [
      "for an unknown type",
      { type: "Magic" },
      [
        'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [
      "for an external policy on a ClusterIP",
      { externalTrafficPolicy: "Local" },
      ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
    ],
    [
      "for a node port on a ClusterIP",
      { ports: [{ port: 1, nodePort: 30000 }] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      "for a class on a ClusterIP",
      { loadBalancerClass: "x" },
      ["spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"],
    ],
    ["for ExternalName without a name", { type: "ExternalName", ports: [] }, ["spec.externalName: Required value"]],
    [
      "for an affinity that is none",
      { sessionAffinity: "Sticky" },
      ['spec.sessionAffinity: Unsupported value: "Sticky": supported values: "ClientIP", "None"'],
    ],
    [
      "for a value of a wrong type",
      { ports: "80" },
      ['spec.ports: Invalid value: "string": spec.ports in body must be of type array: "80"'],
    ],
  ])("%s", (_what, spec, causes) => {
    expect(write("Service", service(spec))).toEqual(causes);
  });

  it("for another cluster address than it has", () => {
    const old = accepted("Service", service({ clusterIP: "10.96.7.7" }));
    expect(write("Service", withSpec(old, { clusterIP: "10.96.7.8", clusterIPs: ["10.96.7.8"] }), old)).toEqual([
      'spec.clusterIPs[0]: Invalid value: ["10.96.7.8"]: may not change once set',
    ]);
  });

  it("for an address in its status while it is no LoadBalancer", () => {
    const status = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } };
    expect(write("Service", { ...service({}), status })).toEqual([
      "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
    ]);
  });
});
