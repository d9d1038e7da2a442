import { describe, expect, it } from "vitest";
import { parseRange } from "#core/address";
import { compileConfiguration } from "#core/configuration";
import { parseDuration, widestPrefix } from "#core/configuration/values";
import { bfd, bgp, check, echo, onePeer, pair, RACKS, SELECTOR, V4, V6 } from "./configuration-bgp-rows.ts";
import { names, object, type Row, type Spec } from "./configuration-rows.ts";

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
    expect(findings).toMatchObject([{ severity: "error", reason: "unknown_reference" }]);
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
