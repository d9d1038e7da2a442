import { describe, expect, it } from "vitest";
import { type ConfigurationInput, compileConfiguration } from "#core/configuration";
import { linesOf, names, node, object, pool, type Row } from "./configuration-rows.ts";

const A = ["10.0.0.0/24"];
const withPool = (addresses: unknown, more: Record<string, unknown> = {}): ConfigurationInput => ({
  pools: [pool("p", addresses, more)],
});
const range = (text: string): ConfigurationInput => withPool([text]);
const MALFORMED = ["IPAddressPool p spec.addresses.0 malformed_range"];
const allocation = (serviceAllocation: Record<string, unknown>) => withPool(A, { serviceAllocation });
const expression = (key: unknown, operator: unknown, values?: unknown) => ({
  matchExpressions: [{ ...(key !== undefined && { key }), operator, ...(values !== undefined && { values }) }],
});

const POOLS: readonly Row[] = [
  {
    name: "a pool without a name is refused",
    input: { pools: [{ metadata: {}, spec: { addresses: A } }] },
    errors: ["IPAddressPool (no name) metadata.name missing_name"],
  },
  {
    name: "a pool without addresses is refused",
    input: withPool([]),
    errors: ["IPAddressPool p spec.addresses missing_field"],
  },
  {
    name: "a pool that does not list addresses is refused",
    input: { pools: [object("p", {})] },
    errors: ["IPAddressPool p spec.addresses missing_field"],
  },
  { name: "blanks round an entry are trimmed (metallb.md 12.6)", input: range(" 10.0.0.0/24 ") },
  { name: "blanks round the dash of a range are legal", input: range("10.0.0.1 - 10.0.0.9") },
  { name: "text that is no address is refused", input: range("office/24"), errors: MALFORMED },
  { name: "a prefix length that is none is refused", input: range("10.0.0.0/"), errors: MALFORMED },
  { name: "an IPv6 group too many is refused", input: range("2001:db8:1:2:3:4:5:6:7/64"), errors: MALFORMED },
  { name: "blanks inside a CIDR are refused", input: range("10.0.0.0 /24"), errors: MALFORMED },
  { name: "a bare address is refused", input: range("10.0.0.1"), errors: MALFORMED },
  { name: "an octet above 255 is refused", input: range("10.0.0.256/32"), errors: MALFORMED },
  { name: "an octet with a leading zero is refused", input: range("10.0.0.01/32"), errors: MALFORMED },
  { name: "an IPv4 prefix longer than 32 is refused", input: range("10.0.0.0/33"), errors: MALFORMED },
  { name: "an IPv6 prefix longer than 128 is refused", input: range("2001:db8::/129"), errors: MALFORMED },
  { name: "a malformed start of a range is refused", input: range("10.0.0-10.0.0.9"), errors: MALFORMED },
  { name: "a malformed end of a range is refused", input: range("10.0.0.1-10.0.0"), errors: MALFORMED },
  { name: "a start after the end is refused", input: range("10.0.0.9-10.0.0.1"), errors: MALFORMED },
  {
    name: "a range from IPv4 to IPv6 is refused (metallb.md 12.6)",
    input: range("10.0.0.1-2001:db8::1"),
    errors: MALFORMED,
  },
  {
    name: "of two pools with one name the older counts and the other is refused",
    input: { pools: [pool("p", A), pool("p", ["10.1.0.0/24"])] },
    errors: ["IPAddressPool p metadata.name duplicate_name"],
  },
  ...(
    [
      ["equal CIDRs", "10.0.0.0/24"],
      ["a CIDR that contains the other", "10.0.0.0/16"],
      ["a CIDR that is contained", "10.0.0.128/25"],
      ["a range over the end of a CIDR", "10.0.0.250-10.0.1.5"],
    ] as const
  ).flatMap(([what, text]): Row[] => [
    {
      name: `overlap across pools is refused: ${what}`,
      input: { pools: [pool("a", A), pool("b", [text])] },
      errors: ["IPAddressPool b spec.addresses.0 overlap"],
    },
    {
      name: `overlap inside one pool is refused: ${what}`,
      input: withPool([...A, text]),
      errors: ["IPAddressPool p spec.addresses.1 overlap"],
    },
  ]),
  ...(
    [
      ["a prefix that is contained", "2001:db8:0:1::/64"],
      ["a range over the end of a prefix", "2001:db8:0:ffff::-2001:db8:1::"],
    ] as const
  ).flatMap(([what, text]): Row[] => [
    {
      name: `overlap of IPv6 across pools is refused: ${what}`,
      input: { pools: [pool("a", ["2001:db8::/48"]), pool("b", [text])] },
      errors: ["IPAddressPool b spec.addresses.0 overlap"],
    },
    {
      name: `overlap of IPv6 inside one pool is refused: ${what}`,
      input: withPool(["2001:db8::/48", text]),
      errors: ["IPAddressPool p spec.addresses.1 overlap"],
    },
  ]),
  {
    name: "neighbours without a common address do not overlap",
    input: withPool(["10.0.0.0/25", "10.0.0.128-10.0.0.129"]),
  },
  { name: "IPv4 and IPv6 never overlap", input: withPool(["0.0.0.0/0", "::/0"]) },
  {
    name: "a namespace listed twice is refused",
    input: allocation({ namespaces: ["a", "a"] }),
    errors: ["IPAddressPool p spec.serviceAllocation.namespaces.1 duplicate_entry"],
  },
  ...(["namespaceSelectors", "serviceSelectors"] as const).flatMap((field): Row[] => [
    {
      name: `the same selector twice in ${field} is refused`,
      input: allocation({ [field]: [{ matchLabels: { a: "b" } }, { matchLabels: { a: "b" } }] }),
      errors: [`IPAddressPool p spec.serviceAllocation.${field}.1 duplicate_entry`],
    },
    {
      name: `a malformed selector in ${field} is refused`,
      input: allocation({ [field]: [expression("a", "Like", ["b"])] }),
      errors: [`IPAddressPool p spec.serviceAllocation.${field}.0 malformed_selector`],
    },
  ]),
  {
    name: "a list where text belongs is refused, and said once",
    input: withPool("10.0.0.0/24"),
    errors: ["IPAddressPool p spec.addresses wrong_type"],
  },
  {
    name: "a priority outside 32 bits is refused",
    input: allocation({ priority: 2 ** 31 }),
    errors: ["IPAddressPool p spec.serviceAllocation.priority out_of_range"],
  },
  {
    name: "a pool outside the namespace of the load balancer is refused",
    input: { ...withPool(A), namespace: "elsewhere" },
    errors: ["IPAddressPool p metadata.namespace wrong_namespace"],
  },
];

const l2 = (spec: Record<string, unknown>): ConfigurationInput => ({
  pools: [pool("p", A)],
  l2Advertisements: [object("ad", spec)],
});
const SELECTOR = [{ matchLabels: { a: "b" } }];

const SELECTOR_LISTS = ["ipAddressPoolSelectors", "nodeSelectors", "serviceSelectors"] as const;
const NONSENSE: readonly (readonly [string, unknown])[] = [
  [
    "an expression written twice",
    {
      matchExpressions: [
        { key: "a", operator: "In", values: ["x", "y"] },
        { key: "a", operator: "In", values: ["y", "x"] },
      ],
    },
  ],
  ["a value repeated in an expression", expression("a", "In", ["x", "x"])],
  ["a missing key", expression(undefined, "Exists")],
  ["an unknown operator", expression("a", "Gt", ["1"])],
  ["no values for In", expression("a", "In")],
  ["no values for NotIn", expression("a", "NotIn", [])],
  ["values for Exists", expression("a", "Exists", ["x"])],
  ["values for DoesNotExist", expression("a", "DoesNotExist", ["x"])],
];

const L2: readonly Row[] = [
  {
    name: "a pool named twice in an L2Advertisement is refused",
    input: l2({ ipAddressPools: ["p", "p"] }),
    errors: ["L2Advertisement ad spec.ipAddressPools.1 duplicate_entry"],
  },
  ...SELECTOR_LISTS.flatMap((field): Row[] => [
    {
      name: `the same selector twice in ${field} is refused, whatever the order of its values`,
      input: l2({ [field]: [expression("a", "In", ["x", "y"]), expression("a", "In", ["y", "x"])] }),
      errors: [`L2Advertisement ad spec.${field}.1 duplicate_entry`],
    },
    ...NONSENSE.map(
      ([what, selector]): Row => ({
        name: `${what} in ${field} is refused`,
        input: l2({ [field]: [selector] }),
        errors: [`L2Advertisement ad spec.${field}.0 malformed_selector`],
      }),
    ),
  ]),
  ...NONSENSE.map(
    ([what, preference]): Row => ({
      name: `${what} in a preference is refused`,
      input: l2({ preferredNodeSelectors: [{ weight: 1, preference }] }),
      errors: ["L2Advertisement ad spec.preferredNodeSelectors.0.preference malformed_selector"],
    }),
  ),
  ...[0, 101, 1.5].map(
    (weight): Row => ({
      name: `a weight of ${weight} is refused`,
      input: l2({ preferredNodeSelectors: [{ weight, preference: SELECTOR[0] }] }),
      errors: ["L2Advertisement ad spec.preferredNodeSelectors.0.weight out_of_range"],
    }),
  ),
  {
    name: "two L2Advertisements of the same content are legal",
    input: { pools: [pool("p", A)], l2Advertisements: [object("a", {}), object("b", {})] },
  },
  {
    name: "an L2Advertisement without a spec is for all pools",
    input: { pools: [pool("p", A)], l2Advertisements: [{ metadata: { name: "ad" } }] },
    warnings: [],
  },
];

const ad = [object("ad", {})];
const DOUBTFUL: readonly Row[] = [
  {
    name: "a pool without an advertisement",
    input: withPool(A),
    warnings: ["IPAddressPool p metadata.name not_advertised"],
  },
  {
    name: "a pool that no advertisement covers",
    input: {
      pools: [pool("p", A), pool("q", ["10.1.0.0/24"])],
      l2Advertisements: [object("ad", { ipAddressPools: ["p"] })],
    },
    warnings: ["IPAddressPool q metadata.name not_advertised"],
  },
  {
    name: "a pool whose advertisement is invalid",
    input: l2({ ipAddressPools: ["p", "p"] }),
    errors: ["L2Advertisement ad spec.ipAddressPools.1 duplicate_entry"],
    warnings: ["IPAddressPool p metadata.name not_advertised"],
  },
  {
    name: "an advertisement that names an unknown pool",
    input: l2({ ipAddressPools: ["p", "x"] }),
    warnings: ["L2Advertisement ad spec.ipAddressPools.1 unknown_reference"],
  },
  {
    name: "an advertisement whose selector matches no pool",
    input: { ...l2({ ipAddressPoolSelectors: SELECTOR, ipAddressPools: ["p"] }) },
    warnings: ["L2Advertisement ad spec.ipAddressPoolSelectors.0 matches_nothing"],
  },
  {
    name: "an advertisement that matches no node",
    input: { ...l2({ nodeSelectors: SELECTOR }), nodes: [node("n", { a: "c" })] },
    warnings: ["L2Advertisement ad spec.nodeSelectors.0 matches_nothing"],
  },
  {
    name: "an advertisement that matches a node is fine",
    input: { ...l2({ nodeSelectors: SELECTOR }), nodes: [node("n", { a: "b" })] },
    warnings: [],
  },
  {
    name: "host bits in a CIDR",
    input: { pools: [pool("p", ["10.0.0.7/24"])], l2Advertisements: ad },
    warnings: ["IPAddressPool p spec.addresses.0 host_bits"],
  },
  {
    name: "a pool that contains the address of a node",
    input: { pools: [pool("p", ["192.0.2.0/28"])], l2Advertisements: ad, nodes: [node("n")] },
    warnings: ["IPAddressPool p spec.addresses.0 contains_node"],
  },
  {
    name: "a namespace that does not exist",
    input: {
      pools: [pool("p", A, { serviceAllocation: { namespaces: ["shop"] } })],
      l2Advertisements: ad,
      namespaces: [{ metadata: { name: "default" } }],
    },
    warnings: ["IPAddressPool p spec.serviceAllocation.namespaces.0 unknown_reference"],
  },
  {
    name: "namespace selectors that match nothing close the pool",
    input: {
      pools: [pool("p", A, { serviceAllocation: { namespaceSelectors: SELECTOR } })],
      l2Advertisements: ad,
      namespaces: [{ metadata: { name: "default" } }],
    },
    warnings: ["IPAddressPool p spec.serviceAllocation.namespaceSelectors matches_nothing"],
  },
  {
    name: "a misspelt field",
    input: { pools: [pool("p", A, { autoassign: false })], l2Advertisements: ad },
    warnings: ["IPAddressPool p spec.autoassign unknown_field"],
  },
  ...(
    [
      [
        "a deprecated annotation",
        { "metallb.universe.tf/loadBalancerIPs": "10.0.0.1" },
        "metallb.universe.tf/loadBalancerIPs deprecated",
      ],
      [
        "a deprecated annotation beside its successor",
        { "metallb.universe.tf/address-pool": "p", "metallb.io/address-pool": "p" },
        "metallb.universe.tf/address-pool no_effect",
      ],
      [
        "an annotation that names an unknown pool",
        { "metallb.io/address-pool": "x" },
        "metallb.io/address-pool unknown_reference",
      ],
      [
        "an annotation with a malformed address",
        { "metallb.io/loadBalancerIPs": "10.0.0.1,10.0.0" },
        "metallb.io/loadBalancerIPs malformed_address",
      ],
    ] as const
  ).map(
    ([name, annotations, says]): Row => ({
      name: `a Service with ${name}`,
      input: {
        pools: [pool("p", A)],
        l2Advertisements: ad,
        services: [{ metadata: { name: "s", namespace: "web", annotations }, spec: { type: "LoadBalancer" } }],
      },
      warnings: [`Service web/s metadata.annotations.${says}`],
    }),
  ),
  {
    name: "a Service with the deprecated spec.loadBalancerIP",
    input: {
      pools: [pool("p", A)],
      l2Advertisements: ad,
      services: [
        { metadata: { name: "s", namespace: "web" }, spec: { type: "LoadBalancer", loadBalancerIP: "10.0.0.1" } },
      ],
    },
    warnings: ["Service web/s spec.loadBalancerIP deprecated"],
  },
  {
    name: "a Service of another type is nobody's business",
    input: {
      pools: [pool("p", A)],
      l2Advertisements: ad,
      services: [
        { metadata: { name: "s", annotations: { "metallb.io/address-pool": "x" } }, spec: { type: "ClusterIP" } },
      ],
    },
    warnings: [],
  },
];

describe("metallb.md 4.1, pools and selectors", () => {
  it.each(POOLS)("$name", ({ input, errors = [] }) => expect(linesOf(input, "error")).toEqual(errors));
});

describe("metallb.md 4.1, L2Advertisements", () => {
  it.each(L2)("$name", ({ input, errors = [], warnings }) => {
    expect(linesOf(input, "error")).toEqual(errors);
    if (warnings !== undefined) expect(linesOf(input, "warning")).toEqual(warnings);
  });
});

describe("legal, and worth a warning", () => {
  it.each(DOUBTFUL)("$name", ({ input, errors = [], warnings = [] }) => {
    expect(linesOf(input, "warning")).toEqual(warnings);
    expect(linesOf(input, "error")).toEqual(errors);
  });
});

describe("what is in force", () => {
  it("is every valid object, resolved, whatever is wrong with others", () => {
    const { configuration, findings } = compileConfiguration({
      pools: [pool("good", A, {}, { tier: "gold" }), pool("bad", ["10.0.0"])],
      l2Advertisements: [
        object("gold", {
          ipAddressPoolSelectors: [{ matchLabels: { tier: "gold" } }],
          nodeSelectors: [{ matchLabels: { rack: "1" } }],
        }),
        object("broken", { nodeSelectors: [{ matchExpressions: [{ key: "a", operator: "?" }] }] }),
      ],
      nodes: [node("n1", { rack: "1" }), node("n2", { rack: "2" })],
    });
    expect(names(configuration.pools)).toEqual(["good"]);
    expect(configuration.l2Advertisements).toMatchObject([{ name: "gold", covers: ["good"], nodes: new Set(["n1"]) }]);
    expect(findings.map(({ severity }) => severity)).toEqual(["error", "error"]);
  });

  it("keeps the last valid version of an object that became invalid, as long as it exists", () => {
    const first = compileConfiguration(l2({ ipAddressPools: ["p"], interfaces: ["eth0"] })).configuration;
    const broken: ConfigurationInput = {
      pools: [pool("p", ["10.0.0"])],
      l2Advertisements: [object("ad", { ipAddressPools: ["p", "p"] })],
    };
    const second = compileConfiguration(broken, first);
    expect(second.configuration.pools).toEqual(first.pools);
    expect(second.configuration.l2Advertisements).toEqual(first.l2Advertisements);
    expect(second.findings.filter(({ severity }) => severity === "error")).toHaveLength(2);
    expect(compileConfiguration({}, second.configuration).configuration.pools).toEqual([]);
  });

  it("lets the pool that did not change win over one that grew into it", () => {
    const before = { pools: [pool("a", ["10.1.0.0/24"]), pool("b", A)] };
    const first = compileConfiguration(before).configuration;
    const after = { pools: [pool("a", ["10.0.0.0/16"]), pool("b", A)] };
    const { configuration, findings } = compileConfiguration(after, first);
    expect(configuration.pools).toEqual(first.pools);
    expect(findings[0]).toMatchObject({ object: "metallb-system/a", reason: "overlap" });
  });

  it("says of every finding where it is, what is wrong and what would be right", () => {
    const { findings } = compileConfiguration({ pools: [pool("p", ["10.0.0.9-10.0.0.1"])] });
    expect(findings).toEqual([
      {
        severity: "error",
        kind: "IPAddressPool",
        object: "metallb-system/p",
        field: "spec.addresses.0",
        reason: "malformed_range",
        message: '"10.0.0.9-10.0.0.1" is inverted: it begins at 10.0.0.9, after its end 10.0.0.1',
        fix: "write 10.0.0.1-10.0.0.9",
      },
    ]);
  });

  it.each([
    ["adresses", "addresses"],
    ["addressess", "addresses"],
    ["addresess", "addresses"],
    ["AutoAssign", "autoAssign"],
    ["autoAssing", "autoAssign"],
  ])("says what %s is probably meant to be", (written, meant) => {
    const { findings } = compileConfiguration({ pools: [pool("p", A, { [written]: [] })], l2Advertisements: ad });
    expect(findings).toMatchObject([{ reason: "unknown_field", field: `spec.${written}`, fix: `write ${meant}` }]);
  });
});
