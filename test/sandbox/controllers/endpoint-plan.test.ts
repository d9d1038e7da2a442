import { describe, expect, it } from "vitest";
import type { Node } from "#api/kubernetes/cluster";
import type { Pod } from "#api/kubernetes/pods";
import type { Service } from "#api/kubernetes/services";
import { planSlices, planSubsets } from "#sandbox/controllers/endpoint-plan";
import { obj } from "#sandbox/kinds/json";

interface PodFacts {
  readonly name?: string;
  readonly ips?: readonly string[];
  readonly ready?: boolean;
  readonly leaving?: boolean;
  readonly phase?: string;
  readonly port?: number;
  readonly spec?: object;
}

const pod = ({
  name = "p",
  ips = ["10.244.1.2"],
  ready = true,
  leaving,
  phase = "Running",
  port = 8080,
  spec,
}: PodFacts) =>
  ({
    metadata: { name, namespace: "default", uid: name, ...(leaving && { deletionTimestamp: "2026-01-01T00:00:00Z" }) },
    spec: { nodeName: "n1", containers: [{ name: "c", ports: [{ name: "http", containerPort: port }] }], ...spec },
    status: {
      phase,
      podIPs: ips.map((ip) => ({ ip })),
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
    },
  }) as unknown as Pod;
const service = (spec: object = {}) =>
  ({
    metadata: { name: "web", namespace: "default" },
    spec: { ports: [{ port: 80, targetPort: "http" }], ...spec },
  }) as unknown as Service;
const NODES = new Map<string, Node>([["n1", { metadata: { labels: { "topology.kubernetes.io/zone": "z1" } } }]]);
const plan = (of: Service, ...pods: readonly PodFacts[]) => planSlices(of, pods.map(pod), NODES);
const shape = (of: Service, ...pods: readonly PodFacts[]) =>
  plan(of, ...pods).map(({ addressType, ports, endpoints }) => [
    addressType,
    ports.map((port) => port.port),
    endpoints.map((one) => [obj(one.targetRef).name, one.addresses]),
  ]);
const conditions = (of: Service, facts: PodFacts) => plan(of, facts)[0]?.endpoints[0]?.conditions;

describe("the EndpointSlices of a Service", () => {
  const states: [string, object, PodFacts, [ready: boolean, serving: boolean, terminating: boolean]][] = [
    ["a ready pod", {}, {}, [true, true, false]],
    ["a pod that is not ready", {}, { ready: false }, [false, false, false]],
    ["a pod that leaves and still serves", {}, { leaving: true }, [false, true, true]],
    ["a pod that leaves and serves no more", {}, { leaving: true, ready: false }, [false, false, true]],
    [
      "publishNotReadyAddresses, a pod that is not ready",
      { publishNotReadyAddresses: true },
      { ready: false },
      [true, false, false],
    ],
    [
      "publishNotReadyAddresses, a pod that leaves",
      { publishNotReadyAddresses: true },
      { leaving: true },
      [true, true, true],
    ],
  ];
  it.each(states)("say ready, serving and terminating of %s", (_name, spec, facts, [ready, serving, terminating]) => {
    expect(conditions(service(spec), facts)).toEqual({ ready, serving, terminating });
  });

  it("leave out pods that have ended or have no address yet", () => {
    const facts = [
      { name: "done", phase: "Succeeded" },
      { name: "failed", phase: "Failed" },
      { name: "new", ips: [] },
    ];
    expect(shape(service(), ...facts)).toEqual([["IPv4", [], []]]);
  });

  it("are one per set of numbers that a named port has, and without the port where a pod does not have it", () => {
    const facts = [{ name: "a" }, { name: "b", port: 9090 }, { name: "c", spec: { containers: [{ name: "c" }] } }];
    expect(shape(service(), ...facts)).toEqual([
      ["IPv4", [8080], [["a", ["10.244.1.2"]]]],
      ["IPv4", [9090], [["b", ["10.244.1.2"]]]],
      ["IPv4", [], [["c", ["10.244.1.2"]]]],
    ]);
  });

  it("are one per family of a dual-stack Service, each with the pods' addresses of that family", () => {
    const both = service({ ipFamilies: ["IPv6", "IPv4"] });
    const facts = [
      { name: "dual", ips: ["10.244.1.2", "fd00::2"] },
      { name: "four", ips: ["10.244.1.3"] },
    ];
    expect(shape(both, ...facts)).toEqual([
      ["IPv6", [8080], [["dual", ["fd00::2"]]]],
      [
        "IPv4",
        [8080],
        [
          ["dual", ["10.244.1.2"]],
          ["four", ["10.244.1.3"]],
        ],
      ],
    ]);
    // The Endpoints object of old shows the Service's first family only.
    expect(planSubsets(plan(both, ...facts)).map((subset) => subset.addresses)).toEqual([
      [expect.objectContaining({ ip: "fd00::2" })],
    ]);
  });

  it("hold at most 100 endpoints each", () => {
    const facts = Array.from({ length: 250 }, (_, index) => ({ name: `p${index}`, ips: [`10.244.1.${index % 250}`] }));
    expect(plan(service(), ...facts).map(({ endpoints }) => endpoints.length)).toEqual([100, 100, 50]);
  });

  it("name the host of a pod with a hostname in the Service's subdomain", () => {
    const named = { spec: { hostname: "db-0", subdomain: "web", containers: [] } };
    expect(plan(service(), named)[0]?.endpoints[0]).toMatchObject({ hostname: "db-0", nodeName: "n1", zone: "z1" });
  });
});
