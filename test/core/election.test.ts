import { describe, expect, it } from "vitest";
import { type AnnounceQuestion, advertisementsOf, electAnnouncer, electionHash } from "#core/election";
import type { AnnounceReason } from "#core/reasons";
import { hex } from "#core/sha256";
import { fc } from "../support/random.ts";
import { ad, byHash, node, onNode, question, three } from "./election.ts";

describe("electAnnouncer", () => {
  it("ranks by the hash of node and address", () => {
    const names = Array.from({ length: 20 }, (_, index) => `node-${index}`);
    for (const ip of ["127.77.10.1", "10.0.0.255", "2001:db8::1", "192.0.2.77"]) {
      const answer = electAnnouncer(question({ service: { addresses: [ip] }, nodes: names.map((name) => node(name)) }));
      expect(answer.order).toEqual(byHash(names, ip));
      expect(answer.winner).toBe(answer.order[0]);
      expect(answer.reason).toBe("announced");
    }
  });

  it("keeps to fixed vectors", () => {
    // printf '%s' 'node-01#127.77.10.1' | sha256sum: node-01 ccffc9a9…, node-02 a8a71baf…, node-03 9c46c11d…
    expect(electAnnouncer(question()).order).toEqual(["node-03", "node-02", "node-01"]);
    expect(hex(electionHash("node-03", "127.77.10.1"))).toBe(
      "9c46c11d410fd914f0c76a85d72898d294572fcb7546181c3bd89fc7350eb85c",
    );
  });

  it("hashes only the first address, in canonical form", () => {
    const names = three.map(({ name }) => name);
    const dual = electAnnouncer(question({ service: { addresses: ["2001:DB8:0::1", "127.77.10.1"] } }));
    expect(dual.order).toEqual(byHash(names, "2001:db8::1"));
    const mapped = electAnnouncer(question({ service: { addresses: ["::ffff:7f4d:a01"] } }));
    expect(mapped.order).toEqual(byHash(names, "127.77.10.1"));
  });

  it("does not depend on the order nodes are listed in", () => {
    const many = Array.from({ length: 12 }, (_, index) => node(`n${index}`));
    fc.assert(
      fc.property(fc.shuffledSubarray(many, { minLength: 12 }), (nodes) => {
        expect(electAnnouncer(question({ nodes })).order).toEqual(electAnnouncer(question({ nodes: many })).order);
      }),
    );
  });

  it("moves nothing when a node that is not first goes away", () => {
    const { order, winner } = electAnnouncer(question());
    for (const lost of order.slice(1)) {
      const rest = three.filter(({ name }) => name !== lost);
      expect(electAnnouncer(question({ nodes: rest })).winner).toBe(winner);
    }
    const successor = electAnnouncer(question({ nodes: three.filter(({ name }) => name !== winner) }));
    expect(successor.winner).toBe(order[1]);
  });

  it("puts preference before hash, adding weights over advertisements that allow the node", () => {
    const last = electAnnouncer(question()).order[2] ?? "";
    const preferred = [{ weight: 10, preference: onNode(last) }];
    expect(electAnnouncer(question({ advertisements: [ad({ preferred })] })).winner).toBe(last);
    const others = three.map(({ name }) => name).filter((name) => name !== last);
    const advertisements = [
      ad({ preferred: [{ weight: 15, preference: onNode(others[0] ?? "") }] }),
      ad({ preferred }),
      ad({ preferred }),
      // Does not allow `others[1]`, so its weight does not count there.
      ad({ preferred: [{ weight: 100, preference: onNode(others[1] ?? "") }], nodeSelectors: [onNode(last)] }),
    ];
    expect(electAnnouncer(question({ advertisements })).order).toEqual([last, others[0], others[1]]);
  });

  it("tells every node why", () => {
    const nodes = [
      node("winner"),
      node("other"),
      node("cut-off", { networkUnavailable: true }),
      node("excluded", { labels: { a: "b", "node.kubernetes.io/exclude-from-external-load-balancers": "" } }),
      node("dead", { alive: false }),
      node("starting", { ready: false }),
      node("no-wire", { interfaces: [] }),
      node("not-chosen", { labels: { a: "c" } }),
    ];
    const nodeSelectors = [{ matchExpressions: [{ key: "a", operator: "NotIn", values: ["c"] }] }];
    const { reasons, order } = electAnnouncer(question({ nodes, advertisements: [ad({ nodeSelectors })] }));
    expect(order.toSorted()).toEqual(["other", "winner"]);
    expect(Object.fromEntries(reasons)).toEqual({
      [order[0] ?? ""]: "announced",
      [order[1] ?? ""]: "not_elected",
      "cut-off": "network_unavailable",
      excluded: "excluded_by_label",
      dead: "speaker_not_ready",
      starting: "speaker_not_ready",
      "no-wire": "no_usable_interface",
      "not-chosen": "node_not_selected",
    });
  });

  it("heeds the exclude label only as long as it is told to", () => {
    const labels = { "node.kubernetes.io/exclude-from-external-load-balancers": "false" };
    const nodes = [node("only", { labels })];
    expect(electAnnouncer(question({ nodes })).reason).toBe("excluded_by_label");
    expect(electAnnouncer(question({ nodes, ignoreExcludeLabel: true })).winner).toBe("only");
  });

  it("limits policy Local to nodes with a serving endpoint", () => {
    const endpoints = [
      { nodeName: "node-02", serving: true },
      { nodeName: "node-03", serving: false },
      { nodeName: null, serving: true },
    ];
    const { order, reasons } = electAnnouncer(question({ endpoints, service: { policyLocal: true } }));
    expect(order).toEqual(["node-02"]);
    expect(reasons.get("node-03")).toBe("no_local_endpoint");
  });

  it("takes the union of interfaces, and those the winner has", () => {
    const nodes = [node("only", { interfaces: ["eth0", "eth1", "eth2"] })];
    const advertisements = [ad({ interfaces: ["eth2", "eth9"] }), ad({ interfaces: ["eth0"] })];
    expect(electAnnouncer(question({ nodes, advertisements })).interfaces).toEqual(["eth0", "eth2"]);
    expect(electAnnouncer(question({ nodes, advertisements: [...advertisements, ad()] })).interfaces).toBeNull();
  });

  it("passes over a node that has none of the named interfaces", () => {
    const first = electAnnouncer(question()).winner;
    const nodes = three.map((each) => (each.name === first ? { ...each, interfaces: ["eth7"] } : each));
    const answer = electAnnouncer(question({ nodes, advertisements: [ad({ interfaces: ["eth0"] })] }));
    expect(answer.winner).not.toBe(first);
    expect(answer.reasons.get(first ?? "")).toBe("no_usable_interface");
  });

  const nobody: readonly { name: string; ask: AnnounceQuestion; want: AnnounceReason }[] = [
    {
      name: "another type of Service",
      ask: question({ service: { isLoadBalancer: false } }),
      want: "not_load_balancer",
    },
    { name: "no address yet", ask: question({ service: { addresses: [] } }), want: "no_address" },
    {
      name: "an unreadable address",
      ask: question({ service: { addresses: ["10.0.0.01"] } }),
      want: "invalid_address",
    },
    { name: "an address that no pool owns", ask: question({ pool: null }), want: "address_not_in_pool" },
    { name: "no endpoint at all", ask: question({ endpoints: [] }), want: "no_serving_endpoint" },
    {
      name: "only endpoints that do not serve",
      ask: question({ endpoints: [{ nodeName: "node-01", serving: false }] }),
      want: "no_serving_endpoint",
    },
    { name: "no advertisement", ask: question({ advertisements: [] }), want: "no_matching_advertisement" },
    {
      name: "advertisements for other Services only",
      ask: question({ advertisements: [ad({ serviceSelectors: [{ matchLabels: { app: "db" } }] })] }),
      want: "no_matching_advertisement",
    },
    {
      name: "a shared address and an advertisement with serviceSelectors",
      ask: question({ service: { sharedKeyPresent: true }, advertisements: [ad(), ad({ serviceSelectors: [{}] })] }),
      want: "shared_address_with_service_selector",
    },
    {
      name: "an advertisement that selects no node",
      ask: question({ advertisements: [ad({ nodeSelectors: [onNode("node-99")] })] }),
      want: "node_not_selected",
    },
    { name: "no nodes", ask: question({ nodes: [] }), want: "no_candidate" },
    {
      name: "nodes that are out for different reasons",
      ask: question({ nodes: [node("a", { alive: false }), node("b", { networkUnavailable: true })] }),
      want: "no_candidate",
    },
  ];
  it.each(nobody)("elects nobody with $name", ({ ask, want }) => {
    const answer = electAnnouncer(ask);
    expect(answer.winner).toBeNull();
    expect(answer.reason).toBe(want);
    expect([...answer.reasons.keys()]).toEqual(ask.nodes.map(({ name }) => name));
  });
});

describe("advertisementsOf", () => {
  it("covers by name, by label, or everything when it names nothing", () => {
    const all = [
      ad({ name: "all" }),
      ad({ name: "by-name", pools: ["production"] }),
      ad({ name: "by-label", poolSelectors: [{ matchLabels: { zone: "a" } }] }),
      ad({ name: "other", pools: ["lab"] }),
    ];
    const covering = (pool: string, labels = {}) =>
      advertisementsOf({ name: pool, labels }, all).map(({ name }) => name);
    expect(covering("production")).toEqual(["all", "by-name"]);
    expect(covering("new", { zone: "a" })).toEqual(["all", "by-label"]);
  });
});
