/** metallb.md 6.1 to 6.3, sentence by sentence, on objects as the cluster has them. */

import { describe, expect, it } from "vitest";
import { type AnnounceQuestion, electAnnouncer, type L2Facts, type NodeFacts } from "#core/election";
import { anySelectorMatches, selectorMatches } from "#core/selector";
import { fc } from "../support/random.ts";
import { ad, byHash, node, onNode, question } from "./election.ts";
import {
  asService,
  candidateRows,
  EXCLUDE,
  FIRST,
  nodes,
  other,
  type Row,
  SECOND,
  THIRD,
  web,
} from "./election-rows.ts";

const rankingRows: readonly Row[] = [
  // 6.2, 7
  {
    name: "the lowest hash of node and address is first",
    ask: {},
    order: [FIRST, SECOND, THIRD],
    why: { [FIRST]: "announced", [SECOND]: "not_elected", [THIRD]: "not_elected" },
  },
  {
    name: "another address has another order",
    ask: { service: asService({}, {}, ["192.0.2.10"]) },
    order: ["node-02", "node-01", "node-03"],
  },
  {
    name: "an IPv6 address hashes as compressed lower case text",
    ask: { service: asService({}, {}, ["2001:0DB8:0:0::1"]) },
    order: ["node-02", "node-03", "node-01"],
  },
  {
    name: "an IPv4-mapped address hashes as IPv4",
    ask: { service: asService({}, {}, ["::ffff:192.0.2.10"]) },
    order: ["node-02", "node-01", "node-03"],
  },
  {
    name: "of two addresses the first alone decides",
    ask: { service: asService({}, {}, ["192.0.2.10", "2001:db8::1"]) },
    order: ["node-02", "node-01", "node-03"],
  },
  {
    name: "and the first is the first in the status, of whatever family",
    ask: { service: asService({}, {}, ["2001:db8::1", "192.0.2.10"]) },
    order: ["node-02", "node-03", "node-01"],
  },
  {
    name: "a preferred node comes before the hash",
    ask: { advertisements: [ad({ preferred: [{ weight: 1, preference: onNode(THIRD) }] })] },
    order: [THIRD, FIRST, SECOND],
  },
  {
    name: "the higher score comes first",
    ask: {
      advertisements: [
        ad({
          preferred: [
            { weight: 10, preference: onNode(THIRD) },
            { weight: 20, preference: onNode(SECOND) },
          ],
        }),
      ],
    },
    order: [SECOND, THIRD, FIRST],
  },
  {
    name: "weights of one advertisement add up",
    ask: {
      advertisements: [
        ad({
          preferred: [
            { weight: 10, preference: onNode(THIRD) },
            { weight: 15, preference: onNode(SECOND) },
            { weight: 10, preference: onNode(THIRD) },
          ],
        }),
      ],
    },
    order: [THIRD, SECOND, FIRST],
  },
  {
    name: "weights of several advertisements add up",
    ask: {
      advertisements: [
        ad({ preferred: [{ weight: 10, preference: onNode(THIRD) }] }),
        ad({
          preferred: [
            { weight: 10, preference: onNode(THIRD) },
            { weight: 15, preference: onNode(SECOND) },
          ],
        }),
      ],
    },
    order: [THIRD, SECOND, FIRST],
  },
  {
    name: "weights of an advertisement that does not allow the node do not count",
    ask: {
      advertisements: [
        ad(),
        ad({ nodeSelectors: [onNode(FIRST)], preferred: [{ weight: 100, preference: onNode(THIRD) }] }),
      ],
    },
    order: [FIRST, SECOND, THIRD],
  },
  {
    name: "weights of an advertisement for other Services do not count",
    ask: {
      advertisements: [ad(), ad({ serviceSelectors: other, preferred: [{ weight: 100, preference: onNode(THIRD) }] })],
    },
    order: [FIRST, SECOND, THIRD],
  },
  {
    name: "an empty preference matches every node",
    ask: { advertisements: [ad({ preferred: [{ weight: 5, preference: {} }] })] },
    order: [FIRST, SECOND, THIRD],
  },
  // 6.3
  {
    name: "an advertisement without interfaces means all of them",
    ask: { advertisements: [ad({ interfaces: ["eth9"] }), ad()] },
    interfaces: null,
  },
  {
    name: "the interfaces are the union over the advertisements that allow the winner",
    ask: {
      nodes: nodes({ [FIRST]: { interfaces: ["a", "b", "c"] } }),
      advertisements: [
        ad({ interfaces: ["a"], nodeSelectors: [onNode(FIRST)] }),
        ad({ interfaces: ["b"], nodeSelectors: [onNode(FIRST)] }),
        ad({ interfaces: ["c"], nodeSelectors: [onNode(SECOND)] }),
      ],
    },
    interfaces: ["a", "b"],
  },
  {
    name: "a node with none of the interfaces drops out, and the next takes over",
    ask: { nodes: nodes({ [FIRST]: { interfaces: ["bond0"] } }), advertisements: [ad({ interfaces: ["eth0"] })] },
    order: [SECOND, THIRD],
    why: { [FIRST]: "no_usable_interface" },
    interfaces: ["eth0"],
  },
  {
    name: "a node without any usable interface drops out",
    ask: { nodes: nodes({ [FIRST]: { interfaces: [] } }) },
    order: [SECOND, THIRD],
    why: { [FIRST]: "no_usable_interface" },
  },
  {
    name: "a node whose interfaces are not known stays in",
    ask: { nodes: nodes({ [FIRST]: { interfaces: null } }), advertisements: [ad({ interfaces: ["eth0"] })] },
    order: [FIRST, SECOND, THIRD],
    interfaces: ["eth0"],
  },
  {
    name: "with none of the interfaces anywhere nobody announces",
    ask: { advertisements: [ad({ interfaces: ["bond7"] })] },
    why: "no_usable_interface",
  },
];

describe("the election", () => {
  it.each([...candidateRows, ...rankingRows])("$name", ({ ask, order, why, interfaces }) => {
    const answer = electAnnouncer(question(ask));
    if (order !== undefined) expect(answer.order).toEqual(order);
    else if (interfaces === undefined) expect(answer.winner).toBeNull();
    if (typeof why === "string") expect([answer.reason, ...answer.reasons.values()]).toEqual(Array(4).fill(why));
    else if (why !== undefined) expect(Object.fromEntries(answer.reasons)).toMatchObject(why);
    if (interfaces !== undefined) expect(answer.interfaces).toEqual(interfaces);
  });

  it("gives services that share an address, and both addresses of one, to one node", () => {
    const one = electAnnouncer(
      question({ service: { key: "a/one", addresses: ["192.0.2.77"], sharedKeyPresent: true } }),
    );
    const two = electAnnouncer(
      question({ service: { key: "b/two", addresses: ["192.0.2.77"], sharedKeyPresent: true } }),
    );
    expect(two.order).toEqual(one.order);
  });

  it("moves an address to a new node only when that hashes first, and back to a node that returns", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 2, maxLength: 12 }),
        fc.ipV4(),
        (names, ip) => {
          const [newcomer = "", ...rest] = names;
          const ask = (list: readonly string[]) =>
            electAnnouncer(question({ nodes: list.map((name) => node(name)), service: { addresses: [ip] } })).winner;
          const before = ask(rest);
          expect(ask(names)).toBe(byHash([newcomer, before ?? ""], ip)[0]);
          expect(ask(rest)).toBe(before);
        },
      ),
    );
  });
});

/** Upstream's ShouldAnnounce, written anew from metallb.md 6.2 as one node evaluates it; "" is yes. */
function shouldAnnounce(
  me: string,
  { service, advertisements, nodes: all, endpoints: eps, ignoreExcludeLabel }: AnnounceQuestion,
): string {
  if (!eps.some((one) => one.serving)) return "notOwner";
  const ads = advertisements.filter(
    (one) => one.serviceSelectors.length === 0 || anySelectorMatches(one.serviceSelectors, service.labels),
  );
  if (service.sharedKeyPresent && ads.some((one) => one.serviceSelectors.length > 0))
    return "sharedIPWithServiceSelector";
  const allows = (one: L2Facts, name: string) => {
    const labels = all.find((each) => each.name === name)?.labels;
    return one.nodeSelectors.length === 0 || anySelectorMatches(one.nodeSelectors, labels);
  };
  if (!ads.some((one) => allows(one, me))) return "noMatchingAdvertisement";
  let candidates = all.filter((each) => each.alive && each.ready && !each.networkUnavailable);
  if (ignoreExcludeLabel !== true) candidates = candidates.filter((each) => !(EXCLUDE in each.labels));
  candidates = candidates.filter((each) => ads.some((one) => allows(one, each.name)));
  if (service.policyLocal) {
    candidates = candidates.filter((each) => eps.some((one) => one.serving && one.nodeName === each.name));
  }
  const score = (each: NodeFacts) =>
    ads
      .filter((one) => allows(one, each.name))
      .flatMap((one) => one.preferred.filter(({ preference }) => selectorMatches(preference, each.labels)))
      .reduce((sum, { weight }) => sum + weight, 0);
  const best = Math.max(...candidates.map(score));
  const [first] = byHash(
    candidates.filter((each) => score(each) === best).map((each) => each.name),
    service.addresses[0] ?? "",
  );
  return first === me ? "" : "notOwner";
}

describe("the same inputs", () => {
  const name = fc.constantFrom("a", "b", "c", "d", "e");
  const selectors = fc.array(fc.constantFrom(onNode("a"), onNode("b"), { matchLabels: { zone: "x" } }, {}), {
    maxLength: 2,
  });
  const anyNode = fc.record({
    name,
    zone: fc.constantFrom("x", "y"),
    excluded: fc.boolean(),
    networkUnavailable: fc.boolean(),
    alive: fc.boolean(),
  });
  const anyAd = fc.record({
    nodeSelectors: selectors,
    serviceSelectors: fc.array(fc.constantFrom(...web, ...other), { maxLength: 1 }),
    preferred: fc.array(
      fc.record({
        weight: fc.integer({ min: 1, max: 3 }),
        preference: fc.constantFrom(onNode("a"), onNode("c"), { matchLabels: { zone: "y" } }),
      }),
      { maxLength: 3 },
    ),
  });
  const asked = fc.record({
    nodes: fc.uniqueArray(anyNode, { selector: (one) => one.name, maxLength: 5 }),
    ads: fc.array(anyAd, { maxLength: 3 }),
    ip: fc.ipV4(),
    policyLocal: fc.boolean(),
    sharedKeyPresent: fc.boolean(),
    ignoreExcludeLabel: fc.boolean(),
    endpoints: fc.array(fc.record({ nodeName: fc.option(name), serving: fc.boolean() }), { maxLength: 4 }),
  });

  it("have the same winner as upstream", () => {
    fc.assert(
      fc.property(asked, ({ nodes: some, ads, ip, policyLocal, sharedKeyPresent, ...rest }) => {
        const ask = question({
          ...rest,
          nodes: some.map(({ name: each, zone, excluded, ...facts }) =>
            node(each, {
              ...facts,
              labels: { "kubernetes.io/hostname": each, zone, ...(excluded && { [EXCLUDE]: "" }) },
            }),
          ),
          advertisements: ads.map((one) => ad(one)),
          service: { addresses: [ip], policyLocal, sharedKeyPresent },
        });
        const { winner } = electAnnouncer(ask);
        const upstream = ask.nodes.filter((each) => each.alive && shouldAnnounce(each.name, ask) === "");
        expect(upstream.map((each) => each.name)).toEqual(winner === null ? [] : [winner]);
      }),
      { numRuns: 1000 },
    );
  });
});
