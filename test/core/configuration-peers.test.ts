import { describe, it } from "vitest";
import {
  adError,
  bfd,
  check,
  DUAL,
  echo,
  onePeer,
  pair,
  RACKS,
  rack,
  SELECTOR,
  V4,
  V6,
} from "./configuration-bgp-rows.ts";
import { object, peer, type Row, type Spec } from "./configuration-rows.ts";

const peerError = (field: string, reason: string) => [`BGPPeer p spec.${field} ${reason}`];
const secret = (type: string, data: Spec) => ({
  secrets: [{ metadata: { name: "s", namespace: "metallb-system" }, type, data }],
});
const BASIC = "kubernetes.io/basic-auth";
const OTHER_RACKS = [{ nodeSelectors: rack("1") }, { nodeSelectors: rack("2") }] as const;
const ECHO = adError("peers", "echo_with_ipv6");

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

describe("metallb.md 4.1, BFDProfiles", () => void it.each(BFD)("$name", check));
describe("metallb.md 4.1, BGPPeers", () => void it.each(PEERS)("$name", check));
describe("metallb.md 4.3, peers that share a node", () => void it.each(CONFLICTS)("$name", check));
describe("metallb.md 4.1, echo mode and IPv6", () => void it.each(CROSS)("$name", check));
