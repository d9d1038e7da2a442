import { describe, expect, it } from "vitest";
import type { KubeObject } from "#api/kubernetes/objects";
import {
  BFD_PROFILES,
  BGP_ADVERTISEMENTS,
  BGP_PEERS,
  COMMUNITIES,
  CONFIGURATION_STATES,
  ENDPOINT_SLICES,
  IP_ADDRESS_POOLS,
  L2_ADVERTISEMENTS,
  NAMESPACES,
  NODES,
  type ResourceRef,
  SECRETS,
  SPEAKER_STATES,
} from "#api/resources";
import { NS, node, pool, Rig, service, speaker } from "./rig.ts";

const WRONG_SELECTOR = { matchExpressions: [{ key: "a", operator: "Near", values: ["b"] }] };
const peer = { myASN: 64512, peerASN: 64513, peerAddress: "192.0.2.254" };

/** A wrong object of each kind, and the field that its Event names. */
const wrong: readonly { readonly resource: ResourceRef; readonly spec: unknown; readonly field: string }[] = [
  { resource: IP_ADDRESS_POOLS, spec: { addresses: ["10.9.0.9-10.9.0.1"] }, field: "spec.addresses.0" },
  { resource: L2_ADVERTISEMENTS, spec: { nodeSelectors: [WRONG_SELECTOR] }, field: "spec.nodeSelectors.0" },
  { resource: BGP_ADVERTISEMENTS, spec: { communities: ["no-such-alias"] }, field: "spec.communities.0" },
  { resource: BGP_PEERS, spec: { ...peer, bfdProfile: "none" }, field: "spec.bfdProfile" },
  { resource: BGP_PEERS, spec: { ...peer, passwordSecret: { name: "none" } }, field: "spec.passwordSecret.name" },
  {
    resource: COMMUNITIES,
    spec: { communities: [{ name: "a", value: "1:99999" }] },
    field: "spec.communities.0.value",
  },
  { resource: BFD_PROFILES, spec: { detectMultiplier: 1 }, field: "spec.detectMultiplier" },
];

function put(rig: Rig, resource: ResourceRef, name: string, rest: Readonly<Record<string, unknown>>): void {
  rig.server.set(resource, { metadata: { name, namespace: NS }, ...rest } as KubeObject);
}
const state = (rig: Rig) => rig.server.at(CONFIGURATION_STATES, `${NS}/controller`)?.status;
const complaints = (rig: Rig, name: string) => rig.events(name).filter(({ reason }) => reason === "ConfigurationError");

async function rigWithNginx(): Promise<Rig> {
  const rig = new Rig();
  rig.threeNodes();
  await rig.put(pool("production", "127.77.10.1-127.77.10.9"), service("nginx"));
  return rig.start();
}

describe("an object of the configuration that is wrong", () => {
  it.each(wrong)(
    "$resource.kind, $field: one Event on it, ConfigurationState names it, nothing else is disturbed",
    async ({ resource, spec, field }) => {
      const rig = await rigWithNginx();
      put(rig, resource, "odd", { spec });
      await rig.calm();
      const [event, ...more] = complaints(rig, "odd");
      expect(more).toEqual([]);
      expect(event).toMatchObject({ type: "Warning", count: 1 });
      expect(event?.involvedObject).toMatchObject({ kind: resource.kind, name: "odd", namespace: NS });
      expect(event?.message).toContain(`${resource.kind} odd: ${field}: `);
      expect(state(rig)).toMatchObject({ result: "Invalid", errorSummary: event?.message });
      await rig.put(service("second"));
      expect([rig.says("nginx"), rig.says("second")]).toEqual(["127.77.10.1 (production)", "127.77.10.2 (production)"]);
      rig.server.delete(resource, `${NS}/odd`);
      await rig.calm();
      expect(state(rig)).toMatchObject({ result: "Valid", errorSummary: "" });
    },
  );

  it("is complained of once per sentence for as long as that stays true, and again when it comes back", async () => {
    const rig = await rigWithNginx();
    put(rig, L2_ADVERTISEMENTS, "odd", { spec: { nodeSelectors: [WRONG_SELECTOR] } });
    await rig.calm();
    // Whatever else makes the configuration be compiled anew.
    rig.server.set(NODES, { ...node("node-01"), metadata: { name: "node-01", labels: { rack: "7" } } });
    rig.server.set(NAMESPACES, { metadata: { name: "default", labels: { team: "b" } } });
    await rig.put(pool("other", "10.0.0.0/30"));
    expect(complaints(rig, "odd").map(({ count }) => count)).toEqual([1]);
    put(rig, L2_ADVERTISEMENTS, "odd", { spec: { nodeSelectors: [WRONG_SELECTOR], ipAddressPools: ["a", "a"] } });
    await rig.calm();
    expect(complaints(rig, "odd").map(({ message }) => message?.split(": ")[1])).toEqual([
      "spec.nodeSelectors.0",
      "spec.ipAddressPools.1",
    ]);
    put(rig, L2_ADVERTISEMENTS, "odd", { spec: {} });
    await rig.calm();
    put(rig, L2_ADVERTISEMENTS, "odd", { spec: { nodeSelectors: [WRONG_SELECTOR] } });
    await rig.calm();
    expect(complaints(rig, "odd").map(({ count }) => count)).toEqual([2, 1]);
  });

  it("keeps its last valid version in force", async () => {
    const rig = await rigWithNginx();
    rig.server.set(SPEAKER_STATES, speaker("node-01", ["node-01", "node-02", "node-03"]));
    rig.server.set(ENDPOINT_SLICES, {
      metadata: { name: "nginx-x", namespace: "default", labels: { "kubernetes.io/service-name": "nginx" } },
      endpoints: [{ addresses: ["10.244.1.2"], nodeName: "node-01", conditions: { ready: true } }],
    });
    await rig.calm();
    const before = rig.announced("nginx");
    expect(before).toContain("is elected to announce");
    put(rig, L2_ADVERTISEMENTS, "external", { spec: { nodeSelectors: [WRONG_SELECTOR] } });
    await rig.calm();
    expect(state(rig)?.errorSummary).toContain("L2Advertisement external: spec.nodeSelectors.0");
    expect(rig.announced("nginx")).toBe(before);
  });

  it("waits for what it refers to, and is in force the moment that is there", async () => {
    const rig = await rigWithNginx();
    put(rig, BGP_PEERS, "router", { spec: { ...peer, passwordSecret: { name: "tcp-md5" }, bfdProfile: "fast" } });
    await rig.calm();
    expect(complaints(rig, "router")).toHaveLength(2);
    put(rig, BFD_PROFILES, "fast", { spec: { receiveInterval: 50 } });
    put(rig, SECRETS, "tcp-md5", { type: "kubernetes.io/basic-auth", data: { password: "eA==" } });
    await rig.calm();
    expect(state(rig)).toMatchObject({ result: "Valid" });
    // Gone again: it says so, and the session is kept.
    rig.server.delete(SECRETS, `${NS}/tcp-md5`);
    await rig.calm();
    expect(state(rig)?.errorSummary).toContain('there is no Secret "tcp-md5"');
  });
});

/** Members as a cluster could hold them: made before the CRD, by another version, or by an enemy. */
const hostile: readonly { readonly name: string; readonly object: Readonly<Record<string, unknown>> }[] = [
  { name: "no spec", object: {} },
  { name: "a spec that is null", object: { spec: null } },
  { name: "a spec that is text", object: { spec: "addresses" } },
  { name: "a spec that is a list", object: { spec: [[]] } },
  {
    name: "numbers where lists belong",
    object: { spec: { addresses: 7, nodeSelectors: 7, communities: 7, peers: 7 } },
  },
  { name: "lists where text belongs", object: { spec: { peerAddress: [], bfdProfile: {}, holdTime: 90, vrf: true } } },
  {
    name: "null in every list",
    object: { spec: { addresses: [null], nodeSelectors: [null], communities: [null], interfaces: [null] } },
  },
  {
    name: "labels that are numbers",
    object: { spec: {}, metadata: { name: "odd", namespace: NS, labels: { a: 1, b: null } } },
  },
  {
    name: "selectors that are none",
    object: {
      spec: {
        nodeSelectors: [{ matchLabels: [1], matchExpressions: {} }],
        serviceAllocation: { namespaceSelectors: "x", serviceSelectors: [3] },
      },
    },
  },
  {
    name: "a member called __proto__",
    object: JSON.parse(
      '{"spec":{"__proto__":{"addresses":["10.0.0.0/24"]},"constructor":{"prototype":1},"nodeSelectors":[{"matchLabels":{"__proto__":"x"}}]}}',
    ),
  },
  {
    name: "fields of a later version",
    object: {
      spec: { addresses: ["10.7.0.0/30"], autoAssign: false, future: { deep: [1, { two: null }] } },
      status: { conditions: "none" },
    },
  },
  {
    name: "names in many alphabets",
    object: { spec: { addresses: ["١٠.٠.٠.٠/٢٤"], ipAddressPools: ["プール", "🏊", "\u0000"], communities: ["ä:ö"] } },
  },
  { name: "nesting that no schema has", object: { spec: { serviceAllocation: nested(2000) } } },
];

function nested(depth: number): unknown {
  let value: unknown = "x";
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { namespaceSelectors: value };
  return value;
}

const KINDS = [IP_ADDRESS_POOLS, L2_ADVERTISEMENTS, BGP_ADVERTISEMENTS, BGP_PEERS, COMMUNITIES, BFD_PROFILES];

describe("objects that a cluster could hold anyway", () => {
  it.each(hostile)("neither stop the controller nor cost anybody an address: $name", async ({ object }) => {
    const rig = new Rig();
    rig.threeNodes();
    // Before the start, in every kind at once.
    for (const resource of [...KINDS, SECRETS]) put(rig, resource, "odd", object);
    await rig.put(pool("production", "127.77.10.1-127.77.10.9"), service("nginx"));
    await rig.start();
    expect(rig.says("nginx")).toBe("127.77.10.1 (production)");
    // And again while it runs, with the last word left to those that are sound.
    for (const resource of KINDS) put(rig, resource, "later", object);
    rig.server.set(NODES, { ...object, metadata: { name: "odd-node" } } as KubeObject);
    rig.server.set(NAMESPACES, { ...object, metadata: { name: "odd-namespace" } } as KubeObject);
    await rig.calm();
    await rig.put(service("second"));
    expect(rig.says("second")).toBe("127.77.10.2 (production)");
    expect(rig.controller?.healthy()).toBe(true);
  });

  const ranges = (count: number) =>
    Array.from({ length: count }, (_, i) => `11.${i >> 12}.${(i >> 4) & 255}.${(i & 15) * 16}/30`);
  const selectors = Array.from({ length: 10_000 }, (_, i) => ({ matchLabels: { [`k${i}`]: `${i}` } }));
  const enormous: readonly { readonly name: string; readonly resource: ResourceRef; readonly spec: unknown }[] = [
    {
      name: "a pool of 100,000 ranges",
      resource: IP_ADDRESS_POOLS,
      spec: { addresses: ranges(100_000), autoAssign: false },
    },
    {
      name: "a pool of 100,000 ranges that are none",
      resource: IP_ADDRESS_POOLS,
      spec: { addresses: Array(100_000).fill("10.0.0") },
    },
    { name: "a pool of 100,000 numbers", resource: IP_ADDRESS_POOLS, spec: { addresses: Array(100_000).fill(7) } },
    {
      name: "a pool of 10,000 selectors of namespaces and of Services",
      resource: IP_ADDRESS_POOLS,
      spec: {
        addresses: ["10.7.0.0/30"],
        serviceAllocation: { namespaceSelectors: selectors, serviceSelectors: selectors },
      },
    },
    {
      name: "an advertisement of 10,000 of everything",
      resource: L2_ADVERTISEMENTS,
      spec: {
        ipAddressPools: selectors.map((_, i) => `p${i}`),
        ipAddressPoolSelectors: selectors,
        nodeSelectors: selectors,
        serviceSelectors: selectors,
        interfaces: selectors.map((_, i) => `eth${i}`),
      },
    },
    {
      name: "one selector of 10,000 expressions",
      resource: L2_ADVERTISEMENTS,
      spec: { nodeSelectors: [{ matchExpressions: selectors.map((_, i) => ({ key: `k${i}`, operator: "Exists" })) }] },
    },
    {
      name: "a Community of 10,000 aliases, each defined twice",
      resource: COMMUNITIES,
      spec: { communities: selectors.map((_, i) => ({ name: `a${i % 5000}`, value: "1:2" })) },
    },
  ];

  it.each(enormous)("cost a bounded time: $name", async ({ name, resource, spec }) => {
    const rig = await rigWithNginx();
    const start = performance.now();
    put(rig, resource, "enormous", { spec });
    await rig.put(service("second"));
    expect(rig.says("second")).toBe("127.77.10.2 (production)");
    expect((state(rig)?.errorSummary ?? "").length).toBeLessThanOrEqual(32_768);
    expect(complaints(rig, "enormous").length).toBeLessThanOrEqual(21);
    console.log(`${name}: ${Math.round(performance.now() - start)} ms`);
  });
});
