import { describe, expect, it } from "vitest";
import { parseRange } from "#core/address";
import { type ConfigurationInput, compileConfiguration } from "#core/configuration";
import { isTransient } from "#core/configuration/finding";
import { parseDuration, widestPrefix } from "#core/configuration/values";
import { linesOf, names, node, object, peer, pool, type Row } from "./configuration-rows.ts";

type Spec = Readonly<Record<string, unknown>>;
const V4 = pool("v4", ["10.0.0.0/24"]);
const V6 = pool("v6", ["2001:db8::/112"]);
const DUAL = pool("dual", ["10.0.0.0/24", "2001:db8::/112"]);
const ALIASES = object("names", { communities: [{ name: "vip", value: "64512:100" }] });
const bgp = (spec: Spec, more: ConfigurationInput = {}): ConfigurationInput => ({
  pools: [V4],
  peers: [peer("p")],
  communities: [ALIASES],
  bgpAdvertisements: [object("ad", spec)],
  ...more,
});
const SELECTOR = [{ matchLabels: { a: "b" } }];
const adError = (field: string, reason: string) => [`BGPAdvertisement ad spec.${field} ${reason}`];
const two = (a: Spec, b: Spec, more: ConfigurationInput = {}): ConfigurationInput => ({
  pools: [V4],
  peers: [peer("p"), peer("q", { peerAddress: "192.0.2.253" })],
  bgpAdvertisements: [object("a", a), object("b", b)],
  ...more,
});
const CLASH = ["BGPAdvertisement b spec.localPref local_pref_conflict"];
const RACKS = [node("n1", { rack: "1" }), node("n2", { rack: "2" })];
const rack = (name: string) => [{ matchLabels: { rack: name } }];

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

const alias = (...communities: unknown[]): ConfigurationInput => ({ communities: [object("c", { communities })] });
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

const bfd = (spec: Spec): ConfigurationInput => ({ bfdProfiles: [object("f", spec)] });
const BFD: readonly Row[] = [
  {
    name: "the ends of every range are accepted",
    input: bfd({
      receiveInterval: 10,
      transmitInterval: 60000,
      echoInterval: 10,
      detectMultiplier: 255,
      minimumTtl: 254,
    }),
  },
  ...(
    [
      ["receiveInterval", 9],
      ["receiveInterval", 60001],
      ["transmitInterval", 9],
      ["transmitInterval", 60001],
      ["echoInterval", 9],
      ["echoInterval", 60001],
      ["detectMultiplier", 1],
      ["detectMultiplier", 256],
      ["minimumTtl", 0],
      ["minimumTtl", 255],
    ] as const
  ).map(
    ([field, value]): Row => ({
      name: `${field} of ${value} is refused`,
      input: bfd({ [field]: value }),
      errors: [`BFDProfile f spec.${field} out_of_range`],
    }),
  ),
  {
    name: "two profiles of one name are one too many",
    input: { bfdProfiles: [object("f", {}), object("f", { echoMode: true })] },
    errors: ["BFDProfile f metadata.name duplicate_name"],
  },
];

const onePeer = (spec: Spec, more: ConfigurationInput = {}): ConfigurationInput => ({
  peers: [peer("p", spec)],
  ...more,
});
const peerError = (field: string, reason: string) => [`BGPPeer p spec.${field} ${reason}`];
const secret = (type: string, data: Spec) => ({
  secrets: [{ metadata: { name: "s", namespace: "metallb-system" }, type, data }],
});
const BASIC = "kubernetes.io/basic-auth";
const PEERS: readonly Row[] = [
  {
    name: "a peer with everything right is accepted",
    input: onePeer(
      {
        peerASN: 0,
        dynamicASN: "external",
        localASN: 65000,
        sourceAddress: "192.0.2.1",
        peerPort: 16384,
        holdTime: "90s",
        keepaliveTime: "30s",
        connectTime: "1m",
        routerID: "10.0.0.1",
        passwordSecret: { name: "s" },
        bfdProfile: "f",
        ebgpMultiHop: true,
        vrf: "red",
      },
      { ...bfd({}), ...secret(BASIC, { password: "eA==" }) },
    ),
    warnings: [],
  },
  { name: "myASN 0 is refused", input: onePeer({ myASN: 0 }), errors: peerError("myASN", "missing_field") },
  {
    name: "an AS number above 32 bits is refused",
    input: onePeer({ peerASN: 4294967296 }),
    errors: peerError("peerASN", "out_of_range"),
  },
  {
    name: "neither peerASN nor dynamicASN is refused",
    input: onePeer({ peerASN: 0 }),
    errors: peerError("peerASN", "missing_field"),
  },
  {
    name: "both peerASN and dynamicASN are refused",
    input: onePeer({ dynamicASN: "internal" }),
    errors: peerError("dynamicASN", "contradiction"),
  },
  {
    name: "other text for dynamicASN is refused",
    input: onePeer({ peerASN: 0, dynamicASN: "auto" }),
    errors: peerError("dynamicASN", "out_of_range"),
  },
  {
    name: "multihop with equal AS numbers is refused",
    input: onePeer({ peerASN: 64512, ebgpMultiHop: true }),
    errors: peerError("ebgpMultiHop", "contradiction"),
  },
  {
    name: "neither address nor interface is refused",
    input: onePeer({ peerAddress: "" }),
    errors: peerError("peerAddress", "missing_field"),
  },
  {
    name: "both address and interface are refused",
    input: onePeer({ interface: "eth0" }),
    errors: peerError("interface", "contradiction"),
  },
  { name: "an interface instead of an address is accepted", input: onePeer({ peerAddress: "", interface: "eth0" }) },
  {
    name: "a hold time of 1 s is refused",
    input: onePeer({ holdTime: "1s" }),
    errors: peerError("holdTime", "out_of_range"),
  },
  {
    name: "a hold time of 2.9 s counts as 2 s and is refused",
    input: onePeer({ holdTime: "2900ms" }),
    errors: peerError("holdTime", "out_of_range"),
  },
  {
    name: "a hold time of 2 s is refused",
    input: onePeer({ holdTime: "2s" }),
    errors: peerError("holdTime", "out_of_range"),
  },
  {
    name: "a keepalive time that is no duration is refused",
    input: onePeer({ keepaliveTime: "soon" }),
    errors: peerError("keepaliveTime", "malformed_duration"),
  },
  { name: "a hold time of 0 is accepted", input: onePeer({ holdTime: "0s" }) },
  { name: "a hold time of 3 s is accepted", input: onePeer({ holdTime: "3s" }) },
  {
    name: "keepalive above hold is refused",
    input: onePeer({ holdTime: "9s", keepaliveTime: "10s" }),
    errors: peerError("keepaliveTime", "out_of_range"),
  },
  { name: "keepalive alone makes hold three times as long", input: onePeer({ keepaliveTime: "1s" }) },
  {
    name: "text that is no duration is refused",
    input: onePeer({ holdTime: "90" }),
    errors: peerError("holdTime", "malformed_duration"),
  },
  {
    name: "a negative duration is refused",
    input: onePeer({ holdTime: "-3s" }),
    errors: peerError("holdTime", "out_of_range"),
  },
  {
    name: "a connect time of 0 is refused",
    input: onePeer({ connectTime: "0s" }),
    errors: peerError("connectTime", "out_of_range"),
  },
  {
    name: "a connect time above 65535 s is refused",
    input: onePeer({ connectTime: "65536s" }),
    errors: peerError("connectTime", "out_of_range"),
  },
  {
    name: "a connect time with a fraction is refused",
    input: onePeer({ connectTime: "1500ms" }),
    errors: peerError("connectTime", "out_of_range"),
  },
  {
    name: "a peer address that is none is refused",
    input: onePeer({ peerAddress: "router" }),
    errors: peerError("peerAddress", "malformed_address"),
  },
  {
    name: "a router ID that is none is refused",
    input: onePeer({ routerID: "one" }),
    errors: peerError("routerID", "malformed_address"),
  },
  {
    name: "a source address that is none is refused",
    input: onePeer({ sourceAddress: "here" }),
    errors: peerError("sourceAddress", "malformed_address"),
  },
  {
    name: "both password and secret are refused",
    input: onePeer({ password: "x", passwordSecret: { name: "s" } }, secret(BASIC, { password: "eA==" })),
    errors: peerError("passwordSecret", "contradiction"),
  },
  {
    name: "a missing Secret is waited for",
    input: onePeer({ passwordSecret: { name: "s" } }, { secrets: [] }),
    errors: peerError("passwordSecret.name", "unknown_reference"),
  },
  {
    name: "a Secret of the wrong type is refused",
    input: onePeer({ passwordSecret: { name: "s" } }, secret("Opaque", { password: "eA==" })),
    errors: peerError("passwordSecret.name", "wrong_secret"),
  },
  {
    name: "a Secret without the key password is refused",
    input: onePeer({ passwordSecret: { name: "s" } }, secret(BASIC, { username: "eA==" })),
    errors: peerError("passwordSecret.name", "wrong_secret"),
  },
  { name: "an empty passwordSecret is none", input: onePeer({ passwordSecret: {} }, { secrets: [] }) },
  {
    name: "an unknown BFD profile is waited for",
    input: onePeer({ bfdProfile: "f" }, { bfdProfiles: [] }),
    errors: peerError("bfdProfile", "unknown_reference"),
  },
  {
    name: "an exact duplicate of a peer is one too many",
    input: { peers: [peer("p"), peer("p")] },
    errors: ["BGPPeer p metadata.name duplicate_name"],
  },
  {
    name: "the same node selector twice is refused",
    input: onePeer({ nodeSelectors: [...SELECTOR, ...SELECTOR] }),
    errors: peerError("nodeSelectors.1", "duplicate_entry"),
  },
  {
    name: "a port of 0 is refused, and above 16384 too",
    input: { peers: [peer("p", { peerPort: 0 }), peer("q", { peerPort: 16385, peerAddress: "192.0.2.3" })] },
    errors: ["BGPPeer p spec.peerPort out_of_range", "BGPPeer q spec.peerPort out_of_range"],
  },
];

const pair = (a: Spec, b: Spec, more: ConfigurationInput = {}): ConfigurationInput => ({
  peers: [peer("p", a), peer("q", { peerAddress: "192.0.2.253", ...b })],
  ...more,
});
const OTHER_RACKS = [{ nodeSelectors: rack("1") }, { nodeSelectors: rack("2") }] as const;
const CONFLICTS: readonly Row[] = [
  {
    name: "different router IDs on one node are refused",
    input: pair({ routerID: "1.1.1.1" }, { routerID: "1.1.1.2" }, { nodes: RACKS }),
    errors: ["BGPPeer q spec.routerID peer_conflict"],
  },
  {
    name: "a router ID on one peer and none on the other of a node is refused",
    input: pair({ routerID: "1.1.1.1" }, {}, { nodes: RACKS }),
    errors: ["BGPPeer q spec.routerID peer_conflict"],
  },
  {
    name: "one address twice on a node and VRF is refused",
    input: pair({}, { peerAddress: "192.0.2.254" }, { nodes: RACKS }),
    errors: ["BGPPeer q spec.peerAddress peer_conflict"],
  },
  {
    name: "one interface twice on a node and VRF is refused",
    input: pair({ peerAddress: "", interface: "eth0" }, { peerAddress: "", interface: "eth0" }, { nodes: RACKS }),
    errors: ["BGPPeer q spec.interface peer_conflict"],
  },
  {
    name: "one address twice in different VRFs is accepted",
    input: pair({}, { peerAddress: "192.0.2.254", vrf: "red" }, { nodes: RACKS }),
  },
  {
    name: "different own AS numbers on a node and VRF are refused",
    input: pair({}, { myASN: 64600 }, { nodes: RACKS }),
    errors: ["BGPPeer q spec.myASN peer_conflict"],
  },
  {
    name: "different own AS numbers in different VRFs are accepted",
    input: pair({}, { myASN: 64600, vrf: "red" }, { nodes: RACKS }),
  },
  {
    name: "peers on disjoint nodes are exempt",
    input: pair({ ...OTHER_RACKS[0] }, { ...OTHER_RACKS[1], myASN: 64600 }, { nodes: RACKS }),
  },
  {
    name: "selectors that meet on a known node do clash",
    input: pair({ nodeSelectors: rack("1") }, { myASN: 64600 }, { nodes: RACKS }),
    errors: ["BGPPeer q spec.myASN peer_conflict"],
  },
  {
    name: "when no node is known peers are taken to share one",
    input: pair({ nodeSelectors: SELECTOR }, { nodeSelectors: rack("1"), myASN: 64600 }, { nodes: [] }),
    errors: ["BGPPeer q spec.myASN peer_conflict"],
  },
  {
    name: "in files, peers of different racks are exempt",
    input: pair({ ...OTHER_RACKS[0] }, { ...OTHER_RACKS[1], myASN: 64600 }, { complete: false }),
    warnings: [],
  },
  {
    name: "in files, peers that may share a node are warned of",
    input: pair({ nodeSelectors: SELECTOR }, { nodeSelectors: rack("1"), myASN: 64600 }, { complete: false }),
    warnings: ["BGPPeer q spec.myASN peer_conflict"],
  },
];

const echo = (pools: readonly unknown[], ad: Spec, echoMode: boolean): ConfigurationInput => ({
  pools,
  peers: [peer("p", { bfdProfile: "f" }), peer("q", { peerAddress: "192.0.2.253" })],
  bfdProfiles: [object("f", { echoMode })],
  bgpAdvertisements: [object("ad", ad)],
});
const ECHO = adError("peers", "echo_with_ipv6");
const CROSS: readonly Row[] = [
  {
    name: "a pool with IPv6 advertised to a peer with echo mode is refused",
    input: echo([V6], { peers: ["p"] }, true),
    errors: ECHO,
  },
  { name: "also when only one of its CIDRs is IPv6", input: echo([DUAL], { peers: ["p"] }, true), errors: ECHO },
  { name: "also when the advertisement is for all peers", input: echo([V6], {}, true), errors: ECHO },
  { name: "not without echo mode", input: echo([V6], {}, false) },
  { name: "not to another peer", input: echo([V6], { peers: ["q"] }, true) },
  { name: "not for an IPv4 pool", input: echo([V4], {}, true) },
];

const DOUBTFUL: readonly Row[] = [
  {
    name: "an advertisement that names an unknown peer",
    input: bgp({ peers: ["p", "x"] }),
    warnings: ["BGPAdvertisement ad spec.peers.1 unknown_reference"],
  },
  {
    name: "an advertisement with no peer to announce to",
    input: bgp({}, { peers: [] }),
    warnings: ["BGPAdvertisement ad spec.peers matches_nothing"],
  },
  {
    name: "an advertisement that matches no node",
    input: bgp({ nodeSelectors: SELECTOR }, { nodes: RACKS }),
    warnings: ["BGPAdvertisement ad spec.nodeSelectors.0 matches_nothing"],
  },
  {
    name: "a peer that matches no node",
    input: onePeer({ nodeSelectors: SELECTOR }, { nodes: RACKS }),
    warnings: ["BGPPeer p spec.nodeSelectors matches_nothing"],
  },
  { name: "disableMP", input: onePeer({ disableMP: true }), warnings: ["BGPPeer p spec.disableMP deprecated"] },
  {
    name: "version v1beta1 of a peer",
    input: {
      peers: [
        object(
          "p",
          { myASN: 1, peerASN: 2, peerAddress: "192.0.2.1", peerPort: 0 },
          { apiVersion: "metallb.io/v1beta1" },
        ),
      ],
    },
    warnings: ["BGPPeer p apiVersion deprecated"],
  },
  {
    name: "multihop on a peer of the own AS",
    input: onePeer({ peerASN: 0, dynamicASN: "internal", ebgpMultiHop: true }),
    warnings: ["BGPPeer p spec.ebgpMultiHop no_effect"],
  },
  {
    name: "a source address of another family",
    input: onePeer({ sourceAddress: "2001:db8::1" }),
    warnings: ["BGPPeer p spec.sourceAddress no_effect"],
  },
  {
    name: "a Secret of another namespace",
    input: { ...onePeer({ passwordSecret: { name: "s", namespace: "web" } }), namespace: "metallb-system" },
    warnings: ["BGPPeer p spec.passwordSecret.namespace wrong_namespace"],
  },
  {
    name: "in files, a BFD profile that is not among them",
    input: onePeer({ bfdProfile: "f" }, { complete: false }),
    warnings: ["BGPPeer p spec.bfdProfile unknown_reference"],
  },
  {
    name: "in files, an alias that is not among them",
    input: bgp({ communities: ["elsewhere"] }, { complete: false }),
    warnings: ["BGPAdvertisement ad spec.communities.0 unknown_reference"],
  },
];

const check = ({ input, errors = [], warnings }: Row) => {
  expect(linesOf(input, "error")).toEqual(errors);
  if (warnings !== undefined) expect(linesOf(input, "warning")).toEqual(warnings);
};

describe("metallb.md 4.1, BGPAdvertisements", () => void it.each(ADVERTISEMENTS)("$name", check));
describe("metallb.md 4.1, Communities", () => void it.each(COMMUNITIES)("$name", check));
describe("metallb.md 4.1, BFDProfiles", () => void it.each(BFD)("$name", check));
describe("metallb.md 4.1, BGPPeers", () => void it.each(PEERS)("$name", check));
describe("metallb.md 4.3, peers that share a node", () => void it.each(CONFLICTS)("$name", check));
describe("metallb.md 4.1, echo mode and IPv6", () => void it.each(CROSS)("$name", check));
describe("legal, and worth a warning", () => void it.each(DOUBTFUL)("$name", check));

describe("what is in force", () => {
  it("is resolved: aliases to values, advertisements to pools, peers and nodes", () => {
    const input = bgp(
      { communities: ["vip", "large:01:2:3"], ipAddressPools: ["v4"], peers: ["p", "x"] },
      { pools: [V4, V6], nodes: RACKS },
    );
    const [ad] = compileConfiguration(input).configuration.bgpAdvertisements;
    expect(ad).toMatchObject({
      aggregation: { 4: 32, 6: 128 },
      communities: [
        { kind: "standard", text: "64512:100" },
        { kind: "large", text: "large:1:2:3" },
      ],
      covers: ["v4"],
      targets: ["p"],
      nodes: new Set(["n1", "n2"]),
      withheld: [],
    });
  });

  it("makes one of hold and keepalive time from the other", () => {
    const timers = (spec: Spec) => compileConfiguration(onePeer(spec)).configuration.peers[0];
    expect(timers({ holdTime: "90s" })).toMatchObject({ holdMs: 90_000, keepaliveMs: 30_000 });
    expect(timers({ keepaliveTime: "10s" })).toMatchObject({ holdMs: 30_000, keepaliveMs: 10_000 });
    expect(timers({})).toMatchObject({ holdMs: null, keepaliveMs: null, connectMs: null });
  });

  it("keeps a session whose Secret or BFD profile went away, and says that it waits", () => {
    const first = compileConfiguration(onePeer({ bfdProfile: "f" }, bfd({}))).configuration;
    const { configuration, findings } = compileConfiguration(onePeer({ bfdProfile: "f" }, { bfdProfiles: [] }), first);
    expect(configuration.peers).toEqual(first.peers);
    expect(findings.map(isTransient)).toEqual([true]);
  });

  it("keeps an advertisement whose alias went away, with the value it had", () => {
    const first = compileConfiguration(bgp({ communities: ["vip"] })).configuration;
    const { configuration } = compileConfiguration(bgp({ communities: ["vip"] }, { communities: [] }), first);
    expect(configuration.bgpAdvertisements[0]?.communities).toEqual([{ kind: "standard", text: "64512:100" }]);
  });

  it("lets the peer that did not change win, and keeps the other's last version", () => {
    const first = compileConfiguration(pair({}, {}, { nodes: RACKS })).configuration;
    const moved = compileConfiguration(pair({ peerAddress: "192.0.2.253" }, {}, { nodes: RACKS }), first);
    expect(moved.configuration.peers).toEqual(first.peers);
    expect(moved.findings).toMatchObject([{ object: "metallb-system/p", reason: "peer_conflict" }]);
  });

  it("has nobody refused when two peers swap their addresses", () => {
    const first = compileConfiguration(pair({}, {}, { nodes: RACKS })).configuration;
    const swapped = compileConfiguration(
      pair({ peerAddress: "192.0.2.253" }, { peerAddress: "192.0.2.254" }, { nodes: RACKS }),
      first,
    );
    expect(swapped.findings).toEqual([]);
    expect(names(swapped.configuration.peers)).toEqual(["p", "q"]);
  });

  it("keeps IPv6 from a peer with echo mode only, and announces the rest", () => {
    const { configuration } = compileConfiguration(echo([V4, V6], {}, true));
    expect(configuration.bgpAdvertisements).toMatchObject([
      { covers: ["v4", "v6"], targets: ["p", "q"], withheld: [{ pool: "v6", peer: "p" }] },
    ]);
  });

  it("never shows a password in a finding", () => {
    const { findings } = compileConfiguration(
      onePeer({ password: "open sesame", passwordSecret: { name: "s" }, myASN: 0 }),
    );
    expect(JSON.stringify(findings)).not.toContain("sesame");
  });
});

describe("small readers", () => {
  it.each([
    ["1m30s", 90_000],
    ["0", 0],
    ["1.5h", 5_400_000],
    ["-2s", -2000],
    ["100us", 0.1],
    ["", null],
    ["s", null],
    ["90", null],
    ["1d", null],
    [`${"9".repeat(90)}h`, null],
  ])("a duration of %j is %j ms", (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    ["10.0.0.0/24", 24],
    ["0.0.0.0/0", 0],
    ["10.0.0.1-10.0.0.1", 32],
    ["10.0.0.1-10.0.0.6", 31],
    ["2001:db8::/64", 64],
    ["::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0],
  ])("the widest CIDR within %s has length %i", (text, length) => expect(widestPrefix(parseRange(text))).toBe(length));
});
