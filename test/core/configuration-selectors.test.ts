import { describe, expect, it } from "vitest";
import type { ConfigurationInput } from "#core/configuration";
import { linesOf, object, peer, pool } from "./configuration-rows.ts";

const P = pool("p", ["10.0.0.0/24"]);
const expression = (rest: Readonly<Record<string, unknown>>) => ({ matchExpressions: [rest] });

/** Every place where a configuration selects by label, but for those of L2Advertisements (configuration.test.ts). */
const places: readonly { readonly at: string; readonly with: (selectors: unknown) => ConfigurationInput }[] = [
  ...(["namespaceSelectors", "serviceSelectors"] as const).map((field) => ({
    at: `IPAddressPool x spec.serviceAllocation.${field}`,
    with: (selectors: unknown) => ({
      pools: [pool("x", ["10.1.0.0/24"], { serviceAllocation: { [field]: selectors } })],
    }),
  })),
  ...(["ipAddressPoolSelectors", "nodeSelectors", "serviceSelectors"] as const).map((field) => ({
    at: `BGPAdvertisement x spec.${field}`,
    with: (selectors: unknown) => ({ pools: [P], bgpAdvertisements: [object("x", { [field]: selectors })] }),
  })),
  { at: "BGPPeer x spec.nodeSelectors", with: (selectors) => ({ peers: [peer("x", { nodeSelectors: selectors })] }) },
];

const refused: readonly {
  readonly what: string;
  readonly selectors: unknown;
  readonly index: number;
  readonly reason: string;
}[] = [
  {
    what: "the same selector twice, whatever the order of its values",
    selectors: [
      expression({ key: "a", operator: "In", values: ["x", "y"] }),
      expression({ key: "a", operator: "In", values: ["y", "x"] }),
    ],
    index: 1,
    reason: "duplicate_entry",
  },
  {
    what: "the same expression twice in one selector",
    selectors: [
      {
        matchExpressions: [
          { key: "a", operator: "Exists" },
          { key: "a", operator: "Exists" },
        ],
      },
    ],
    index: 0,
    reason: "malformed_selector",
  },
  ...(
    [
      ["a repeated value", { key: "a", operator: "In", values: ["x", "x"] }],
      ["a missing key", { operator: "Exists" }],
      ["an unknown operator", { key: "a", operator: "Gt", values: ["1"] }],
      ["no values for In", { key: "a", operator: "In" }],
      ["no values for NotIn", { key: "a", operator: "NotIn", values: [] }],
      ["values for Exists", { key: "a", operator: "Exists", values: ["x"] }],
      ["values for DoesNotExist", { key: "a", operator: "DoesNotExist", values: ["x"] }],
    ] as const
  ).map(([what, rest]) => ({ what, selectors: [{}, expression(rest)], index: 1, reason: "malformed_selector" })),
  { what: "an entry that is null", selectors: [{ matchLabels: { a: "b" } }, null], index: 1, reason: "wrong_type" },
  { what: "an entry that is text", selectors: [{ matchLabels: { a: "b" } }, "a=b"], index: 1, reason: "wrong_type" },
];

describe.each(places)("metallb.md 4.1, selectors everywhere: $at", (place) => {
  it.each(refused)("refuses $what", ({ selectors, index, reason }) => {
    expect(linesOf(place.with(selectors), "error")).toEqual([`${place.at}.${index} ${reason}`]);
  });

  it("accepts different selectors, and the empty one", () => {
    expect(
      linesOf(place.with([{}, { matchLabels: { a: "b" } }, expression({ key: "a", operator: "Exists" })]), "error"),
    ).toEqual([]);
  });
});
