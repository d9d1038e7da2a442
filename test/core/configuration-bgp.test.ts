import { describe, it } from "vitest";
import type { ConfigurationInput } from "#core/configuration";
import { ALIASES, adError, bgp, check, DUAL, RACKS, rack, SELECTOR, V4, V6 } from "./configuration-bgp-rows.ts";
import { object, peer, pool, type Row, type Spec } from "./configuration-rows.ts";

const two = (a: Spec, b: Spec, more: ConfigurationInput = {}): ConfigurationInput => ({
  pools: [V4],
  peers: [peer("p"), peer("q", { peerAddress: "192.0.2.253" })],
  bgpAdvertisements: [object("a", a), object("b", b)],
  ...more,
});
const CLASH = ["BGPAdvertisement b spec.localPref local_pref_conflict"];
const alias = (...communities: unknown[]): ConfigurationInput => ({ communities: [object("c", { communities })] });

const ADVERTISEMENTS: readonly Row[] = [
  {
    name: "an advertisement with everything right is accepted",
    input: bgp({
      ipAddressPools: ["v4"],
      communities: ["vip", "1:2", "large:1:2:3"],
      peers: ["p"],
      localPref: 4294967295,
      aggregationLength: 24,
    }),
    warnings: [],
  },
  {
    name: "a pool named twice is refused",
    input: bgp({ ipAddressPools: ["v4", "v4"] }),
    errors: adError("ipAddressPools.1", "duplicate_entry"),
  },
  {
    name: "a community named twice is refused",
    input: bgp({ communities: ["1:2", "1:2"] }),
    errors: adError("communities.1", "duplicate_entry"),
  },
  {
    name: "a peer named twice is refused",
    input: bgp({ peers: ["p", "p"] }),
    errors: adError("peers.1", "duplicate_entry"),
  },
  {
    name: "an aggregation length above 32 is refused",
    input: bgp({ aggregationLength: 33 }),
    errors: adError("aggregationLength", "out_of_range"),
  },
  {
    name: "an aggregation length below 1 is refused",
    input: bgp({ aggregationLength: 0 }),
    errors: adError("aggregationLength", "out_of_range"),
  },
  {
    name: "an IPv6 aggregation length above 128 is refused",
    input: bgp({ aggregationLengthV6: 129 }),
    errors: adError("aggregationLengthV6", "out_of_range"),
  },
  {
    name: "an aggregate wider than a CIDR of the pool is refused",
    input: bgp({ aggregationLength: 23 }),
    errors: adError("aggregationLength", "aggregation_too_wide"),
  },
  { name: "an aggregate as wide as the CIDR is accepted", input: bgp({ aggregationLength: 24 }) },
  {
    name: "an IPv6 aggregate wider than a CIDR of the pool is refused",
    input: bgp({ aggregationLengthV6: 96 }, { pools: [V6] }),
    errors: adError("aggregationLengthV6", "aggregation_too_wide"),
  },
  {
    name: "a range passes when its widest piece is wide enough",
    input: bgp({ aggregationLength: 24 }, { pools: [pool("v4", ["10.0.0.5-10.0.2.3"])] }),
  },
  {
    name: "a range whose widest piece is too narrow is refused",
    input: bgp({ aggregationLength: 24 }, { pools: [pool("v4", ["10.0.0.5-10.0.1.3"])] }),
    errors: adError("aggregationLength", "aggregation_too_wide"),
  },
  {
    name: "every entry of a pool has to be wide enough",
    input: bgp({ aggregationLength: 24 }, { pools: [pool("v4", ["10.0.0.0/24", "10.9.0.0/25"])] }),
    errors: adError("aggregationLength", "aggregation_too_wide"),
  },
  {
    name: "pools that the advertisement does not cover may be narrower",
    input: bgp({ aggregationLength: 24, ipAddressPools: ["v4"] }, { pools: [V4, pool("small", ["10.9.0.0/30"])] }),
  },
  {
    name: "service selectors with IPv4 aggregation are refused",
    input: bgp({ aggregationLength: 24, serviceSelectors: SELECTOR }),
    errors: adError("aggregationLength", "contradiction"),
  },
  {
    name: "service selectors with IPv6 aggregation are refused",
    input: bgp({ aggregationLengthV6: 112, serviceSelectors: SELECTOR }),
    errors: adError("aggregationLengthV6", "contradiction"),
  },
  { name: "service selectors without aggregation are accepted", input: bgp({ serviceSelectors: SELECTOR }) },
  {
    name: "a community with a number above 65535 is refused",
    input: bgp({ communities: ["64512:65536"] }),
    errors: adError("communities.0", "malformed_community"),
  },
  {
    name: "a community with a text for a number is refused",
    input: bgp({ communities: ["a:b"] }),
    errors: adError("communities.0", "malformed_community"),
  },
  {
    name: "a large community with a number above 32 bits is refused",
    input: bgp({ communities: ["large:4294967296:1:1"] }),
    errors: adError("communities.0", "malformed_community"),
  },
  {
    name: "a community in no known form and no alias waits for the alias",
    input: bgp({ communities: ["unheard-of"] }),
    errors: adError("communities.0", "unknown_reference"),
  },
  {
    name: "a negative local preference is refused",
    input: bgp({ localPref: -1 }),
    errors: adError("localPref", "out_of_range"),
  },
  ...["ipAddressPoolSelectors", "nodeSelectors", "serviceSelectors"].flatMap((field): Row[] => [
    {
      name: `the same selector twice in ${field} is refused`,
      input: bgp({ [field]: [...SELECTOR, ...SELECTOR] }),
      errors: adError(`${field}.1`, "duplicate_entry"),
    },
    {
      name: `a malformed selector in ${field} is refused`,
      input: bgp({ [field]: [{ matchExpressions: [{ key: "a", operator: "In" }] }] }),
      errors: adError(`${field}.0`, "malformed_selector"),
    },
  ]),
  {
    name: "two byte-identical advertisements are one too many",
    input: { ...bgp({}), bgpAdvertisements: [object("ad", {}), object("ad", {})] },
    errors: ["BGPAdvertisement ad metadata.name duplicate_name"],
  },
  {
    name: "two local preferences for one pool are refused",
    input: two({ localPref: 1 }, { localPref: 2 }),
    errors: CLASH,
  },
  { name: "equal local preferences for one pool are accepted", input: two({ localPref: 2 }, { localPref: 2 }) },
  {
    name: "two local preferences for different pools are accepted",
    input: two({ localPref: 1, ipAddressPools: ["v4"] }, { localPref: 2, ipAddressPools: ["v6"] }, { pools: [V4, V6] }),
  },
  {
    name: "two local preferences are accepted when aggregation differs in the pool's one family",
    input: two({ localPref: 1 }, { localPref: 2, aggregationLength: 24 }),
  },
  {
    name: "two local preferences are refused when aggregation differs in one family of two",
    input: two({ localPref: 1 }, { localPref: 2, aggregationLength: 24 }, { pools: [DUAL] }),
    errors: CLASH,
  },
  {
    name: "two local preferences are accepted when aggregation differs in both families",
    input: two({ localPref: 1 }, { localPref: 2, aggregationLength: 24, aggregationLengthV6: 112 }, { pools: [DUAL] }),
  },
  {
    name: "two local preferences are accepted to disjoint named peers",
    input: two({ localPref: 1, peers: ["p"] }, { localPref: 2, peers: ["q"] }),
  },
  {
    name: "two local preferences are refused when one of both names no peers",
    input: two({ localPref: 1, peers: ["p"] }, { localPref: 2 }),
    errors: CLASH,
  },
  {
    name: "two local preferences are refused when named peers intersect",
    input: two({ localPref: 1, peers: ["p"] }, { localPref: 2, peers: ["p", "q"] }),
    errors: CLASH,
  },
  {
    name: "two local preferences are accepted on disjoint nodes",
    input: two(
      { localPref: 1, nodeSelectors: rack("1") },
      { localPref: 2, nodeSelectors: rack("2") },
      { nodes: RACKS },
    ),
  },
  {
    name: "two local preferences are refused when node sets intersect",
    input: two({ localPref: 1, nodeSelectors: rack("1") }, { localPref: 2 }, { nodes: RACKS }),
    errors: CLASH,
  },
  {
    name: "two local preferences are left to the announcement when one has service selectors",
    input: two({ localPref: 1, serviceSelectors: SELECTOR }, { localPref: 2 }),
  },
];

const COMMUNITIES: readonly Row[] = [
  {
    name: "x:y and large:a:b:c are values",
    input: alias({ name: "a", value: "65535:0" }, { name: "b", value: "large:4294967295:0:1" }),
  },
  ...["64512", "1:2:3", "large:1:2", "", "1:-2", "x:y"].map(
    (value): Row => ({
      name: `a value of ${JSON.stringify(value)} is refused`,
      input: alias({ name: "a", value }),
      errors: ["Community c spec.communities.0.value malformed_community"],
    }),
  ),
  {
    name: "a value with a number above 65535 is refused",
    input: alias({ name: "a", value: "1:65536" }),
    errors: ["Community c spec.communities.0.value malformed_community"],
  },
  {
    name: "a large value with a number above 32 bits is refused",
    input: alias({ name: "a", value: "large:1:2:4294967296" }),
    errors: ["Community c spec.communities.0.value malformed_community"],
  },
  {
    name: "an alias defined twice in one object is refused",
    input: alias({ name: "a", value: "1:2" }, { name: "a", value: "1:2" }),
    errors: ["Community c spec.communities.1.name duplicate_alias"],
  },
  {
    name: "an alias defined in two objects is refused in the later",
    input: { communities: [ALIASES, object("more", { communities: [{ name: "vip", value: "1:1" }] })] },
    errors: ["Community names spec.communities.0.name duplicate_alias"],
  },
];

describe("metallb.md 4.1, BGPAdvertisements", () => void it.each(ADVERTISEMENTS)("$name", check));
describe("metallb.md 4.1, Communities", () => void it.each(COMMUNITIES)("$name", check));
