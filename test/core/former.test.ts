import { describe, expect, it } from "vitest";
import { formerAnnouncers, hopTo } from "#core/former";
import { fc } from "../support/random.ts";

const A = "192.0.2.1";
const B = "192.0.2.2";
const ME = "node-01";

interface Row {
  readonly says: string;
  readonly before?: Readonly<Record<string, string>>;
  readonly winner: string | null;
  readonly addresses?: readonly string[];
  /** Nodes by which nothing of the Service can be reached. */
  readonly barren?: readonly string[];
  readonly after: Readonly<Record<string, string>>;
}

const rows: readonly Row[] = [
  { says: "whoever else announces now", winner: "node-02", after: { [A]: "node-02" } },
  {
    says: "whoever announced when this node takes over",
    before: { [A]: "node-02" },
    winner: ME,
    after: { [A]: "node-02" },
  },
  { says: "the last one, of several", before: { [A]: "node-02" }, winner: "node-03", after: { [A]: "node-03" } },
  {
    says: "whoever announced last, while nobody does",
    before: { [A]: "node-02" },
    winner: null,
    after: { [A]: "node-02" },
  },
  { says: "nobody for an address that was announced by nobody before", winner: ME, after: {} },
  {
    says: "nobody for an address that is new on the Service",
    before: { [A]: "node-02" },
    winner: ME,
    addresses: [A, B],
    after: { [A]: "node-02" },
  },
  {
    says: "nobody for an address that left the Service",
    before: { [A]: "node-02", [B]: "node-02" },
    winner: ME,
    addresses: [B],
    after: { [B]: "node-02" },
  },
  {
    says: "nobody, when the last one can carry nothing to the Service",
    before: { [A]: "node-02" },
    winner: ME,
    barren: ["node-02"],
    after: {},
  },
];

describe("the former announcer of an address is", () => {
  it.each(rows)("$says", ({ before = {}, winner, addresses = [A], barren = [], after }) => {
    const known = new Map(Object.entries(before));
    const now = formerAnnouncers(known, {
      self: ME,
      winner,
      addresses,
      mayCarry: (node) => !barren.includes(node),
    });
    expect(Object.fromEntries(now)).toEqual(after);
  });

  it("never this node itself, and only known for addresses that the Service has", () => {
    const nodes = fc.constantFrom(ME, "node-02", "node-03");
    const elections = fc.array(
      fc.record({ winner: fc.option(nodes), addresses: fc.uniqueArray(fc.constantFrom(A, B, "2001:db8::1")) }),
    );
    fc.assert(
      fc.property(elections, (history) => {
        let known: ReadonlyMap<string, string> = new Map();
        for (const { winner, addresses } of history) {
          known = formerAnnouncers(known, {
            self: ME,
            winner,
            addresses,
            mayCarry: () => true,
          });
          expect([...known.values()]).not.toContain(ME);
          expect(addresses).toEqual(expect.arrayContaining([...known.keys()]));
        }
      }),
    );
  });
});

describe("the next hop for an address", () => {
  it.each([
    ["is the node's address of the same family", "2001:db8::1", ["10.0.0.1", "fd00::1"], "fd00::1"],
    ["is the first of several", A, ["10.0.0.1", "10.0.0.2"], "10.0.0.1"],
    ["is none where the node has none of that family", "2001:db8::1", ["10.0.0.1"], null],
    ["is none for a node that is gone", A, [], null],
    ["is none for what is no address, whatever the node calls its own", "flush ruleset", ["delete table ip x"], null],
  ])("%s", (_says, address, own, hop) => expect(hopTo(address, own)).toBe(hop));
});
