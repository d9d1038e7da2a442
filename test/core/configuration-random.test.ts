import { describe, expect, it } from "vitest";
import { type ConfigurationInput, compileConfiguration } from "#core/configuration";
import { fc } from "../support/random.ts";

const KINDS = [
  "pools",
  "l2Advertisements",
  "bgpAdvertisements",
  "peers",
  "communities",
  "bfdProfiles",
  "secrets",
  "nodes",
  "namespaces",
  "services",
] as const;

/** Mostly nonsense, with enough sense in it to reach past the first check. */
const text = fc.oneof(
  fc.constantFrom(
    "a",
    "b",
    "p",
    "",
    "In",
    "Exists",
    "10.0.0.0/24",
    "10.0.0.5-10.0.0.9",
    "10.0.0.0/16",
    "2001:db8::/64",
    "192.0.2.1",
    "eth0",
    "90s",
    "1s",
    "64512:1",
    "large:1:2:3",
    "internal",
    "LoadBalancer",
    "kubernetes.io/basic-auth",
  ),
  fc.string({ maxLength: 8 }),
);
const FIELDS = [
  "addresses",
  "autoAssign",
  "avoidBuggyIPs",
  "serviceAllocation",
  "namespaces",
  "namespaceSelectors",
  "serviceSelectors",
  "priority",
  "ipAddressPools",
  "ipAddressPoolSelectors",
  "nodeSelectors",
  "interfaces",
  "preferredNodeSelectors",
  "weight",
  "preference",
  "matchLabels",
  "matchExpressions",
  "key",
  "operator",
  "values",
  "aggregationLength",
  "aggregationLengthV6",
  "localPref",
  "communities",
  "peers",
  "name",
  "value",
  "myASN",
  "peerASN",
  "dynamicASN",
  "peerAddress",
  "interface",
  "holdTime",
  "keepaliveTime",
  "connectTime",
  "routerID",
  "password",
  "passwordSecret",
  "bfdProfile",
  "vrf",
  "echoMode",
  "detectMultiplier",
  "type",
  "__proto__",
  "constructor",
];
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    text,
    fc.oneof(fc.integer(), fc.constantFrom(1, 24, 64512, -1, 0.5, null, true, false)),
    fc.array(tie("tree"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...FIELDS), tie("tree"), { maxKeys: 6 }),
  ),
}));
const object = fc.oneof(
  { weight: 1, arbitrary: fc.jsonValue() },
  {
    weight: 9,
    arbitrary: fc.record(
      {
        apiVersion: text,
        metadata: fc.record(
          {
            name: fc.constantFrom("a", "b", "c", ""),
            namespace: text,
            labels: tree,
            annotations: tree,
            creationTimestamp: fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
          },
          { requiredKeys: ["name"] },
        ),
        spec: fc.dictionary(fc.constantFrom(...FIELDS), tree, { maxKeys: 8 }),
        status: tree,
        data: tree,
      },
      { requiredKeys: ["metadata", "spec"] },
    ),
  },
);

/** Objects of the right shape, close enough to each other to clash. */
const name = fc.constantFrom("a", "b", "c", "d");
const labels = fc.dictionary(fc.constantFrom("rack", "tier"), fc.constantFrom("1", "2"), { maxKeys: 2 });
const selectors = fc.array(fc.record({ matchLabels: labels }), { maxLength: 2 });
const sound = (spec: fc.Arbitrary<unknown>) =>
  fc.array(fc.record({ metadata: fc.record({ name, labels, creationTimestamp: fc.constantFrom("1", "2") }), spec }), {
    maxLength: 5,
  });
const SOUND: fc.Arbitrary<ConfigurationInput> = fc.record({
  pools: sound(
    fc.record({
      addresses: fc.uniqueArray(
        fc.constantFrom("10.0.0.0/24", "10.0.0.0/25", "10.0.1.0/24", "10.0.0.0/16", "2001:db8::/64", "2001:db8::/120"),
        { minLength: 1, maxLength: 2 },
      ),
    }),
  ),
  l2Advertisements: sound(fc.record({ ipAddressPools: fc.uniqueArray(name), nodeSelectors: selectors })),
  bgpAdvertisements: sound(
    fc.record({
      localPref: fc.constantFrom(0, 1, 2),
      aggregationLength: fc.constantFrom(24, 32),
      peers: fc.uniqueArray(name, { maxLength: 2 }),
      nodeSelectors: selectors,
      communities: fc.uniqueArray(fc.constantFrom("x", "y", "1:2"), { maxLength: 1 }),
    }),
  ),
  peers: sound(
    fc.record({
      myASN: fc.constantFrom(1, 2),
      peerASN: fc.constant(3),
      peerAddress: fc.constantFrom("192.0.2.1", "192.0.2.2", "192.0.2.3"),
      nodeSelectors: selectors,
      bfdProfile: fc.constantFrom("", "a"),
    }),
  ),
  communities: sound(
    fc.record({
      communities: fc.array(fc.record({ name: fc.constantFrom("x", "y"), value: fc.constantFrom("1:1", "2:2", "3") }), {
        maxLength: 2,
      }),
    }),
  ),
  bfdProfiles: sound(fc.record({ echoMode: fc.boolean() })),
  nodes: fc.array(fc.record({ metadata: fc.record({ name, labels }) }), { maxLength: 3 }),
});

const wild: fc.Arbitrary<ConfigurationInput> = fc.record(
  Object.fromEntries(KINDS.map((kind) => [kind, fc.array(object, { maxLength: 4 })])) as Record<
    (typeof KINDS)[number],
    fc.Arbitrary<unknown[]>
  >,
  { requiredKeys: [] },
);
const backwards = (input: ConfigurationInput): ConfigurationInput =>
  Object.fromEntries(
    Object.entries(input).map(([kind, list]) => [kind, Array.isArray(list) ? list.toReversed() : list]),
  );

describe("compileConfiguration on random input", () => {
  it("never throws, whatever the objects hold, and explains every object that it leaves out", () => {
    fc.assert(
      fc.property(wild, wild, fc.boolean(), (first, second, complete) => {
        const { configuration } = compileConfiguration({ ...first, complete });
        const { findings } = compileConfiguration({ ...second, namespace: "a" }, configuration);
        for (const { field, message, fix } of findings)
          expect([typeof field, message === "", fix === ""]).toEqual(["string", false, false]);
      }),
      { numRuns: 500 },
    );
  });

  it("does not depend on the order of the objects", () => {
    fc.assert(
      fc.property(fc.oneof(SOUND, wild), SOUND, (before, input) => {
        const previous = compileConfiguration(before).configuration;
        expect(compileConfiguration(backwards(before)).configuration).toEqual(previous);
        expect(compileConfiguration(backwards(input), previous)).toEqual(compileConfiguration(input, previous));
      }),
      { numRuns: 500 },
    );
  });

  it("changes nothing when it is compiled again on top of itself", () => {
    fc.assert(
      fc.property(SOUND, (input) => {
        const once = compileConfiguration(input);
        const again = compileConfiguration(input, once.configuration);
        expect(again.configuration).toEqual(once.configuration);
        // Of several neighbours that an object overlaps, another may be named.
        const said = ({ findings }: typeof once) => findings.map(({ kind, object: of, reason }) => [kind, of, reason]);
        expect(said(again)).toEqual(said(once));
      }),
      { numRuns: 300 },
    );
  });

  it("leaves an object out only with an error that names it, and only as long as that error lasts", () => {
    fc.assert(
      fc.property(SOUND, SOUND, (before, input) => {
        const { configuration, findings } = compileConfiguration(input, compileConfiguration(before).configuration);
        const lists = [
          ["IPAddressPool", input.pools, configuration.pools],
          ["L2Advertisement", input.l2Advertisements, configuration.l2Advertisements],
          ["BGPAdvertisement", input.bgpAdvertisements, configuration.bgpAdvertisements],
          ["BGPPeer", input.peers, configuration.peers],
          ["Community", input.communities, configuration.communities],
        ] as const;
        for (const [kind, objects = [], inForce] of lists) {
          const wanted = new Set(
            (objects as readonly { metadata: { name: string } }[]).map(({ metadata }) => metadata.name),
          );
          const present = new Set(inForce.map((view) => view.name));
          expect([...present].filter((one) => !wanted.has(one))).toEqual([]);
          const missing = [...wanted].filter((one) => !present.has(one));
          const blamed = new Set(
            findings.filter((one) => one.severity === "error" && one.kind === kind).map((one) => one.object),
          );
          expect(missing.filter((one) => !blamed.has(one))).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("takes enormous lists in its stride", () => {
    const many = Array.from({ length: 10_000 }, (_, index) => ({ matchLabels: { [`key-${index}`]: "x" } }));
    const ad = {
      metadata: { name: "ad" },
      spec: { nodeSelectors: many, serviceSelectors: many, ipAddressPools: many.map((_, index) => `p${index}`) },
    };
    const { configuration } = compileConfiguration({ l2Advertisements: [ad], bgpAdvertisements: [ad] });
    expect([configuration.l2Advertisements.length, configuration.bgpAdvertisements.length]).toEqual([1, 1]);
  });

  it("survives nesting that no schema has", () => {
    let deep: unknown = "x";
    for (let depth = 0; depth < 50_000; depth++) deep = { spec: deep };
    expect(compileConfiguration({ pools: [{ metadata: { name: "p" }, spec: deep }] }).configuration.pools).toEqual([]);
  });
});
