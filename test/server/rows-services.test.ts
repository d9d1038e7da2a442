import { describe, expect, it } from "vitest";
import { ServiceRow } from "#api/dashboard/services";
import { serviceRow } from "#server/rows/services";
import { type Facts, makeView } from "#server/view";
import { controllerPod, facts, l2Status, macOf, pool, service, slice, speakerState, threePods } from "./fixtures.ts";

interface Case {
  readonly name: string;
  readonly facts: Partial<Facts>;
  readonly expect: Partial<ServiceRow>;
  readonly sentence: RegExp;
}

const SERVED = { slices: [threePods("web")], l2Statuses: [l2Status("web", "node-02")] };
const HELD = { services: [service("web", { ip: "127.77.10.1" })] };

const CASES: readonly Case[] = [
  {
    name: "announced and served is ready",
    facts: { ...HELD, ...SERVED },
    expect: {
      status: "ready",
      cause: "",
      announcedBy: ["node-02"],
      pool: "production",
      endpoints: { ready: 3, total: 3 },
    },
    sentence: /127\.77\.10\.1 from pool production, announced by node-02, served by 3 ready pods/,
  },
  {
    name: "a ClusterIP Service is not exposed and may be",
    facts: { services: [service("web", { type: "ClusterIP" })] },
    expect: { status: "not_exposed", exposeBlockedBy: null },
    sentence: /inside the cluster only/,
  },
  {
    name: "an ExternalName cannot be exposed and says why",
    facts: { services: [service("web", { type: "ExternalName", spec: { externalName: "example.org" } })] },
    expect: { status: "not_exposed", exposeBlockedBy: expect.stringMatching(/DNS name/) },
    sentence: /DNS name for example.org/,
  },
  {
    name: "a headless Service cannot be exposed and says why",
    facts: { services: [service("web", { type: "ClusterIP", spec: { clusterIP: "None", clusterIPs: ["None"] } })] },
    expect: { headless: true, clusterIPs: [], exposeBlockedBy: expect.stringMatching(/cluster IP/) },
    sentence: /Headless/,
  },
  {
    name: "an unknown pool is named",
    facts: { services: [service("web", { annotations: { "metallb.io/address-pool": "prod" } })] },
    expect: { status: "pending", reason: "pool_not_found", cause: "Unknown pool", requestedPool: "prod" },
    sentence: /there is no pool named prod/,
  },
  {
    name: "an address outside every pool is named",
    facts: { services: [service("web", { annotations: { "metallb.io/loadBalancerIPs": "192.0.2.1" } })] },
    expect: { status: "pending", reason: "outside_pools", requestedAddresses: ["192.0.2.1"] },
    sentence: /192\.0\.2\.1 is outside every pool/,
  },
  {
    name: "a taken address names its holder",
    facts: {
      services: [
        service("other", { ip: "127.77.10.1" }),
        service("web", { annotations: { "metallb.io/loadBalancerIPs": "127.77.10.1" } }),
      ],
    },
    expect: { status: "pending", reason: "already_assigned" },
    sentence: /127\.77\.10\.1 is already assigned to default\/other/,
  },
  {
    name: "a full pool says how full",
    facts: {
      pools: [pool("tiny", ["127.77.11.1/32"])],
      services: [service("other", { ip: "127.77.11.1" }), service("web")],
    },
    expect: { status: "pending", reason: "exhausted", cause: "Pool full" },
    sentence: /tiny: exhausted \(1 of 1 in use\)/,
  },
  {
    name: "without pools there is no address",
    facts: { pools: [], services: [service("web")] },
    expect: { status: "pending", reason: "no_pool" },
    sentence: /there is no address pool/,
  },
  {
    name: "with a controller at work a fresh Service is in progress",
    facts: { services: [service("web")] },
    expect: { status: "in_progress", reason: null },
    sentence: /being assigned/,
  },
  {
    name: "without a controller a fresh Service waits for it",
    facts: { services: [service("web")], controllerReady: false },
    expect: { status: "pending", cause: "Controller not running" },
    sentence: /controller is not running/,
  },
  {
    name: "another class is not ours",
    facts: { services: [service("web", { spec: { loadBalancerClass: "example.com/lb" } })] },
    expect: { status: "not_ours", reason: "class_not_ours" },
    sentence: /example\.com\/lb/,
  },
  {
    name: "no ready pod is said before anything about announcing",
    facts: { ...HELD, slices: [slice("web", [{ pod: "a", node: "node-01", ready: false }])] },
    expect: { status: "no_ready_pods", endpoints: { ready: 0, total: 1 } },
    sentence: /none of its 1 pod is ready/,
  },
  {
    name: "a pool that nobody advertises is the reason",
    facts: { ...HELD, slices: [threePods("web")], advertisements: [] },
    expect: { status: "not_announced", cause: "No advertisement" },
    sentence: /no L2Advertisement covers pool production/,
  },
  {
    name: "no speaker is the reason",
    facts: { ...HELD, slices: [threePods("web")], speakerStates: [], pods: [controllerPod()] },
    expect: { status: "not_announced", cause: "No speaker ready" },
    sentence: /no speaker is ready/,
  },
  {
    name: "an elected node that has not reported yet is progress",
    facts: { ...HELD, slices: [threePods("web")] },
    expect: { status: "in_progress", cause: "Announcing" },
    sentence: /node-0\d is about to announce/,
  },
  {
    name: "where nothing reports, the election says who announces",
    facts: { ...HELD, slices: [threePods("web")], announcersKnown: false },
    expect: { status: "ready" },
    sentence: /announced by node-0/,
  },
  {
    name: "a dead probe makes it not reachable",
    facts: { ...HELD, ...SERVED, unreachable: new Set(["default/web"]) },
    expect: { status: "not_reachable" },
    sentence: /no answer/,
  },
  {
    name: "two MACs are a conflict",
    facts: {
      ...HELD,
      ...SERVED,
      speakerStates: [
        speakerState("node-01", {
          wire: [
            {
              address: "127.77.10.1",
              askedAt: "2026-01-01T00:00:00Z",
              answers: [{ mac: macOf("node-02") }, { mac: macOf("node-03") }],
            },
          ],
        }),
      ],
    },
    expect: { status: "conflict" },
    sentence: /2 machines answer for 127\.77\.10\.1/,
  },
  ...(
    [
      [
        "a machine that is no node and uses the address",
        "conflict",
        { status: "conflict", cause: "Another machine uses it" },
      ],
      ["two nodes that both answer", "split_brain", { status: "conflict", cause: "Several MACs answer" }],
      ["a proxy", "proxy_arp", { status: "ready" }],
      ["a finding of another version", "else", { status: "ready" }],
    ] as const
  ).map(([what, kind, expected]) => ({
    name: `what a speaker's watch over the wire found is said: ${what}`,
    facts: {
      ...HELD,
      ...SERVED,
      speakerStates: [
        speakerState("node-01", {
          heartbeatAt: "2026-01-01T00:00:00Z",
          findings: [
            {
              address: "127.77.10.1",
              kind,
              claimants: [{ mac: "52:54:00:00:00:99" }],
              message: "another machine was heard",
              since: "2026-01-01T00:00:00Z",
            },
          ],
        }),
      ],
    },
    expect: expected,
    sentence: expected.status === "ready" ? /announced by/ : /^Another machine was heard\.$/,
  })),
  {
    name: "a finding of a speaker that has fallen silent is none",
    facts: {
      ...HELD,
      ...SERVED,
      speakerStates: [
        speakerState("node-01", {
          heartbeatAt: "2025-12-31T23:59:00Z",
          findings: [
            { address: "127.77.10.1", kind: "conflict", claimants: [], message: "old", since: "2025-12-31T23:58:00Z" },
          ],
        }),
      ],
    },
    expect: { status: "ready" },
    sentence: /announced by/,
  },
  {
    name: "of two announcers during a fail-over the later one counts",
    facts: {
      ...HELD,
      slices: [threePods("web")],
      l2Statuses: [l2Status("web", "node-02"), { ...l2Status("web", "node-03"), metadata: { name: "l2-b" } }],
      speakerStates: [
        speakerState("node-02", {
          announcing: [
            { address: "127.77.10.1", service: "default/web", interfaces: [], since: "2026-01-01T00:00:00Z" },
          ],
        }),
        speakerState("node-03", {
          announcing: [
            { address: "127.77.10.1", service: "default/web", interfaces: [], since: "2026-01-01T00:00:09Z" },
          ],
        }),
      ],
    },
    expect: { announcedBy: ["node-03"] },
    sentence: /node-03/,
  },
  {
    name: "a mapped port is listed",
    facts: {
      ...SERVED,
      services: [
        service("web", { ip: "127.77.10.1", annotations: { "berth.dev/reachable-at": "80/TCP=127.0.0.1:18080" } }),
      ],
    },
    expect: { reachableAt: ["127.0.0.1:18080"], status: "ready" },
    sentence: /announced/,
  },
];

describe("a Service's row", () => {
  it.each(CASES)("$name", ({ facts: more, expect: wanted, sentence }) => {
    const view = makeView(facts(more));
    const subject = view.facts.services.find((one) => one.metadata.name === "web");
    if (subject === undefined) throw new Error("no subject");
    const row = ServiceRow.parse(serviceRow(subject, view));
    expect(row).toMatchObject(wanted);
    expect(row.sentence).toMatch(sentence);
    expect(row.cause.split(" ").length).toBeLessThanOrEqual(4);
  });
});
