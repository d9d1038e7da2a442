/** What the tests of BGP configuration speak in. */
import { expect } from "vitest";
import type { ConfigurationInput } from "#core/configuration";
import { linesOf, node, object, peer, pool, type Row, type Spec } from "./configuration-rows.ts";

export const V4 = pool("v4", ["10.0.0.0/24"]);
export const V6 = pool("v6", ["2001:db8::/112"]);
export const DUAL = pool("dual", ["10.0.0.0/24", "2001:db8::/112"]);
export const ALIASES = object("names", { communities: [{ name: "vip", value: "64512:100" }] });
export const bgp = (spec: Spec, more: ConfigurationInput = {}): ConfigurationInput => ({
  pools: [V4],
  peers: [peer("p")],
  communities: [ALIASES],
  bgpAdvertisements: [object("ad", spec)],
  ...more,
});
export const SELECTOR = [{ matchLabels: { a: "b" } }];
export const adError = (field: string, reason: string) => [`BGPAdvertisement ad spec.${field} ${reason}`];
export const RACKS = [node("n1", { rack: "1" }), node("n2", { rack: "2" })];
export const rack = (name: string) => [{ matchLabels: { rack: name } }];
export const bfd = (spec: Spec): ConfigurationInput => ({ bfdProfiles: [object("f", spec)] });
export const onePeer = (spec: Spec, more: ConfigurationInput = {}): ConfigurationInput => ({
  peers: [peer("p", spec)],
  ...more,
});
export const pair = (a: Spec, b: Spec, more: ConfigurationInput = {}): ConfigurationInput => ({
  peers: [peer("p", a), peer("q", { peerAddress: "192.0.2.253", ...b })],
  ...more,
});
export const echo = (pools: readonly unknown[], ad: Spec, echoMode: boolean): ConfigurationInput => ({
  pools,
  peers: [peer("p", { bfdProfile: "f" }), peer("q", { peerAddress: "192.0.2.253" })],
  bfdProfiles: [object("f", { echoMode })],
  bgpAdvertisements: [object("ad", ad)],
});
export const check = ({ input, errors = [], warnings }: Row) => {
  expect(linesOf(input, "error")).toEqual(errors);
  if (warnings !== undefined) expect(linesOf(input, "warning")).toEqual(warnings);
};
