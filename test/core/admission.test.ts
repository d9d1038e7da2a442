import { describe, expect, it } from "vitest";
import { type ConfigurationInput, compileConfiguration } from "#core/configuration";
import { admit, type Change } from "#core/configuration/admission";
import { admitHold } from "#core/configuration/admission-hold";
import type { HoldInput } from "#core/holds";
import type { ServiceLike } from "#core/service-view";
import { fc } from "../support/random.ts";

const NS = "metallb-system";
type Kind = Parameters<typeof admit>[1]["kind"];

function object(kind: Kind, name: string, spec: unknown, metadata: object = {}) {
  const apiVersion = kind === "BGPPeer" ? "metallb.io/v1beta2" : "metallb.io/v1beta1";
  return { apiVersion, kind, metadata: { name, namespace: NS, ...metadata }, spec };
}
const old = (day: number) => ({ creationTimestamp: `2026-01-0${day}T00:00:00Z` });
const pool = (name: string, addresses: readonly string[], spec: object = {}, metadata: object = {}) =>
  object("IPAddressPool", name, { addresses, ...spec }, metadata);
const peer = (name: string, spec: object = {}) =>
  object("BGPPeer", name, { myASN: 64512, peerASN: 64513, peerAddress: "10.0.0.1", ...spec });
const service = (name: string, ip: string, over: Partial<ServiceLike["metadata"]> = {}): ServiceLike => ({
  metadata: { name, namespace: "default", ...over },
  spec: { type: "LoadBalancer", clusterIPs: ["10.96.0.1"], ports: [{ port: 80 }] },
  status: { loadBalancer: { ingress: [{ ip }] } },
});

/** A cluster in which everything fits. */
const CLUSTER: ConfigurationInput = {
  namespace: NS,
  pools: [pool("production", ["10.1.0.0/24"], {}, old(2)), pool("lab", ["10.2.0.0/24"], {}, old(1))],
  l2Advertisements: [object("L2Advertisement", "external", {}, old(1))],
  bgpAdvertisements: [],
  peers: [],
  communities: [],
  bfdProfiles: [],
  secrets: [],
  nodes: [{ metadata: { name: "node-01" }, status: { addresses: [{ type: "InternalIP", address: "10.9.0.5" }] } }],
  namespaces: [{ metadata: { name: "default", labels: { team: "a" } } }],
};
const BGP: ConfigurationInput = {
  ...CLUSTER,
  bgpAdvertisements: [object("BGPAdvertisement", "routed", { communities: ["gold"] }, old(1))],
  peers: [peer("tor", { bfdProfile: "fast" })],
  communities: [object("Community", "names", { communities: [{ name: "gold", value: "64512:1" }] })],
  bfdProfiles: [object("BFDProfile", "fast", {})],
};

function ask(
  operation: Change["operation"],
  changed: ReturnType<typeof object>,
  over: { input?: ConfigurationInput; was?: unknown; services?: readonly ServiceLike[]; lbClass?: string } = {},
) {
  const { input = CLUSTER, was, services = [], lbClass } = over;
  const { kind, metadata } = changed;
  const { name, namespace } = metadata;
  const change = { kind, operation, name, namespace, object: changed, oldObject: was };
  const { errors, warnings } = admit(input, change, { services, lbClass });
  return { errors: errors.map(({ field, reason }) => `${field} ${reason}`), warnings };
}

const production = (addresses: readonly string[], spec: object = {}) => pool("production", addresses, spec, old(2));

describe("a change is refused exactly for what the compiler finds wrong with the changed object", () => {
  const rows: readonly (readonly [string, ReturnType<typeof ask>, readonly string[]])[] = [
    ["a sound new pool is accepted", ask("CREATE", pool("new", ["10.3.0.0/24"])), []],
    [
      "a new pool that overlaps one in force is refused",
      ask("CREATE", pool("new", ["10.1.0.9/32"])),
      ["spec.addresses.0 overlap"],
    ],
    [
      "a pool that grows into a younger one is refused: the one that does not change wins",
      ask("UPDATE", pool("lab", ["10.1.0.0-10.2.0.9"], {}, old(1))),
      ["spec.addresses.0 overlap"],
    ],
    [
      "of several mistakes each is named with its field",
      ask("CREATE", pool("new", ["10.3.0.1", "x/8"])),
      ["spec.addresses.0 malformed_range", "spec.addresses.1 malformed_range"],
    ],
    [
      "a pool in another namespace is refused on create",
      ask("CREATE", pool("new", ["10.3.0.0/24"], {}, { namespace: "default" })),
      ["metadata.namespace wrong_namespace"],
    ],
    [
      "a pool in another namespace may be changed, as upstream lets it",
      ask("UPDATE", pool("new", ["10.3.0.0/24"], {}, { namespace: "default" })),
      [],
    ],
    [
      "a pool in another namespace may be deleted",
      ask("DELETE", pool("new", ["10.3.0.0/24"], {}, { namespace: "default" })),
      [],
    ],
    [
      "an update that leaves labels and spec as they are passes even where the object was invalid before",
      ask("UPDATE", pool("bad", ["x"], {}, { annotations: { a: "b" } }), { was: pool("bad", ["x"]) }),
      [],
    ],
    [
      "an invalid object may lose its finalizers while it is being deleted",
      ask("UPDATE", pool("bad", ["y"], {}, { deletionTimestamp: "2026-01-01T00:00:00Z" }), { was: pool("bad", ["x"]) }),
      [],
    ],
    [
      "an invalid object may not become invalid in another way",
      ask("UPDATE", pool("bad", ["y"]), { was: pool("bad", ["x"]) }),
      ["spec.addresses.0 malformed_range"],
    ],
    ["an invalid object may be deleted", ask("DELETE", pool("bad", ["x"])), []],
    [
      "what was wrong elsewhere before does not refuse a sound change",
      ask("CREATE", pool("new", ["10.3.0.0/24"]), { input: { ...CLUSTER, pools: [pool("bad", ["x"])] } }),
      [],
    ],
    ["a peer may come before its BFD profile", ask("CREATE", peer("p", { bfdProfile: "later" })), []],
    ["a peer may come before its Secret", ask("CREATE", peer("p", { passwordSecret: { name: "later" } })), []],
    [
      "an advertisement may come before its community",
      ask("CREATE", object("BGPAdvertisement", "a", { communities: ["later"] })),
      [],
    ],
    [
      "an advertisement may come before its pool",
      ask("CREATE", object("L2Advertisement", "a", { ipAddressPools: ["later"] })),
      [],
    ],
    [
      "a community that is no community is refused",
      ask("CREATE", object("Community", "c", { communities: [{ name: "x", value: "70000:1" }] })),
      ["spec.communities.0.value malformed_community"],
    ],
    [
      "an alias that another Community defines is refused",
      ask("CREATE", object("Community", "c", { communities: [{ name: "gold", value: "1:1" }] }), { input: BGP }),
      ["spec.communities.0.name duplicate_alias"],
    ],
    [
      "a peer with its own AS number 0 is refused",
      ask("CREATE", peer("p", { myASN: 0 })),
      ["spec.myASN missing_field"],
    ],
    [
      "a second session to the same address is refused",
      ask("CREATE", peer("p"), { input: BGP }),
      ["spec.peerAddress peer_conflict"],
    ],
    [
      "a BFD profile out of range is refused",
      ask("CREATE", object("BFDProfile", "b", { receiveInterval: 5 })),
      ["spec.receiveInterval out_of_range"],
    ],
    [
      "a BFD profile that a peer names may not be deleted",
      ask("DELETE", object("BFDProfile", "fast", {}), { input: BGP }),
      ["metadata.name in_use"],
    ],
    [
      "a BFD profile that nobody names may be deleted",
      ask("DELETE", object("BFDProfile", "slow", {}), { input: BGP }),
      [],
    ],
    [
      "an advertisement whose duplicate selectors are refused by the compiler is refused",
      ask(
        "CREATE",
        object("L2Advertisement", "a", {
          ipAddressPoolSelectors: [{ matchLabels: { a: "b" } }, { matchLabels: { a: "b" } }],
        }),
      ),
      ["spec.ipAddressPoolSelectors.1 duplicate_entry"],
    ],
  ];
  it.each(rows)("%s", (_name, { errors }, expected) => expect(errors).toEqual(expected));

  it("and never for something the compiler would take: any pool gives the verdict of a compiler that knows it", () => {
    const entry = fc.constantFrom(
      "10.1.0.0/25",
      "10.4.0.0/24",
      "10.2.0.9-10.2.0.1",
      "2001:db8::/64",
      "10.5.0.1",
      "",
      "10.6.0.0/33",
    );
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), (addresses) => {
        const made = pool("new", addresses);
        const { findings } = compileConfiguration({ ...CLUSTER, pools: [...(CLUSTER.pools ?? []), made] });
        const wrong = findings.filter((one) => one.severity === "error" && one.object === `${NS}/new`);
        expect(ask("CREATE", made).errors).toEqual(wrong.map(({ field, reason }) => `${field} ${reason}`));
      }),
      { numRuns: 100 },
    );
  });
});

describe("a legal change that is probably not meant is warned of", () => {
  const inUse = ["10.1.0.1", "10.1.0.200"].map((ip, index) => service(`web-${index}`, ip));
  const bare = { ...CLUSTER, l2Advertisements: [] };
  const rows: readonly (readonly [string, ReturnType<typeof ask>, readonly string[]])[] = [
    ["nothing is said of a change that is fine", ask("CREATE", pool("new", ["10.3.0.0/24"])), []],
    [
      "a pool that no advertisement covers",
      ask("CREATE", pool("new", ["10.3.0.0/24"]), { input: bare }),
      ["metadata.name: no advertisement covers the pool"],
    ],
    [
      "host bits in a prefix",
      ask("CREATE", pool("new", ["10.3.0.7/24"])),
      ['spec.addresses.0: "10.3.0.7/24" has bits set behind its prefix'],
    ],
    [
      "a pool that contains a node's address",
      ask("CREATE", pool("new", ["10.9.0.0/24"])),
      ['spec.addresses.0: "10.9.0.0/24" contains 10.9.0.5, the address of node node-01'],
    ],
    [
      "an advertisement that names a pool nobody made",
      ask("CREATE", object("L2Advertisement", "a", { ipAddressPools: ["later"] })),
      ['spec.ipAddressPools.0: there is no pool "later"'],
    ],
    ["a reference to what is not there yet", ask("CREATE", peer("p", { bfdProfile: "later" })), ["spec.bfdProfile: "]],
    [
      "deleting a pool lists the Services that lose their address",
      ask("DELETE", production([]), { services: inUse }),
      [
        "deleting pool production costs 2 Services the address:",
        "default/web-0 loses 10.1.0.1",
        "default/web-1 loses 10.1.0.200",
      ],
    ],
    [
      "shrinking a pool lists those whose address falls out",
      ask("UPDATE", production(["10.1.0.0/25"]), { services: inUse }),
      ["changing pool production costs 1 Service the address:", "default/web-1 loses 10.1.0.200"],
    ],
    [
      "closing a pool to a namespace lists its Services",
      ask("UPDATE", production(["10.1.0.0/24"], { serviceAllocation: { namespaces: ["shop"] } }), {
        services: inUse.slice(0, 1),
      }),
      [
        'spec.serviceAllocation.namespaces.0: there is no namespace "shop"',
        "changing pool production costs 1 Service the address:",
        "default/web-0 loses 10.1.0.1",
      ],
    ],
    [
      "growing a pool takes nothing from anybody",
      ask("UPDATE", production(["10.1.0.0/24", "10.3.0.0/24"]), { services: inUse }),
      [],
    ],
    [
      "Services of another class are somebody else's",
      ask("DELETE", production([]), { services: inUse, lbClass: "ours" }),
      [],
    ],
    [
      "Services whose address was not the pool's lose nothing",
      ask("DELETE", production([]), { services: [service("web", "192.0.2.1")] }),
      [],
    ],
    [
      "deleting the last advertisement of a pool",
      ask("DELETE", object("L2Advertisement", "external", {})),
      [
        `IPAddressPool ${NS}/lab: metadata.name: no advertisement covers`,
        `IPAddressPool ${NS}/production: metadata.name: no advertisement covers`,
      ],
    ],
    [
      "deleting a pool that an advertisement names",
      ask("DELETE", production([]), {
        input: {
          ...CLUSTER,
          l2Advertisements: [object("L2Advertisement", "external", { ipAddressPools: ["production", "lab"] })],
        },
      }),
      [`L2Advertisement ${NS}/external: spec.ipAddressPools.0: there is no pool "production"`],
    ],
    [
      "deleting a Community in use",
      ask("DELETE", object("Community", "names", {}), { input: BGP }),
      [`BGPAdvertisement ${NS}/routed: spec.communities.0: `],
    ],
    [
      "deleting a BGPPeer that advertisements announce to",
      ask("DELETE", peer("tor"), { input: BGP }),
      [
        "routes of 1 BGPAdvertisement are withdrawn from the peer: routed",
        `BGPAdvertisement ${NS}/routed: spec.peers: there is no BGPPeer to announce to`,
      ],
    ],
  ];
  it.each(rows)("%s", (_name, { errors, warnings }, expected) => {
    expect(errors).toEqual([]);
    expect(warnings.map((text, index) => text.slice(0, expected[index]?.length))).toEqual(expected);
  });

  it.each([
    ["grows", production(["10.1.0.0/24", "10.3.0.0/24"])],
    ["is given to the front of the line", production(["10.1.0.0/24"], { serviceAllocation: { priority: 1 } })],
    ["is not given out by itself any more", production(["10.1.0.0/24"], { autoAssign: false })],
  ])("no Service is looked at when a pool %s: none can lose anything", (_name, changed) => {
    const context = {
      get services(): readonly ServiceLike[] {
        throw new Error("looked at");
      },
    };
    const { namespace, name } = changed.metadata;
    const change = (object: unknown) =>
      ({ kind: "IPAddressPool", operation: "UPDATE", namespace, name, object, oldObject: undefined }) as const;
    expect(admit(CLUSTER, change(changed), context).errors).toEqual([]);
    expect(() => admit(CLUSTER, change(production(["10.1.0.0/25"])), context)).toThrow("looked at");
  });

  it("a long list of Services stops after ten and says how many more there are", () => {
    const many = Array.from({ length: 25 }, (_, index) => service(`web-${index + 10}`, `10.1.0.${index + 1}`));
    const { warnings } = ask("DELETE", production([]), { services: many });
    expect(warnings).toHaveLength(12);
    expect(warnings.at(0)).toBe("deleting pool production costs 25 Services the address:");
    expect(warnings.at(-1)).toBe("and 15 more Services");
  });
});

describe("no object makes a verdict fail", () => {
  const weird = fc.oneof(
    fc.anything(),
    fc.jsonValue(),
    fc.constant(JSON.parse(`${"[".repeat(9000)}${"]".repeat(9000)}`)),
  );
  it("whatever is in the object and in the cluster", () => {
    fc.assert(
      fc.property(weird, weird, fc.constantFrom("CREATE", "UPDATE", "DELETE"), (spec, other, operation) => {
        for (const kind of [
          "IPAddressPool",
          "L2Advertisement",
          "BGPAdvertisement",
          "BGPPeer",
          "Community",
          "BFDProfile",
        ] as const) {
          const change = { kind, operation: operation as Change["operation"], name: "x", namespace: NS };
          const input = { ...BGP, pools: [other], peers: [other, object("BGPPeer", "y", other)] };
          const verdict = admit(
            input,
            { ...change, object: object(kind, "x", spec), oldObject: other },
            { services: [] },
          );
          expect(Array.isArray(verdict.errors)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("a hold", () => {
  const hold = (over: Partial<HoldInput> = {}): HoldInput => ({
    name: "h",
    addresses: ["10.1.0.1"],
    reason: "reserved",
    expiry: null,
    note: "",
    mac: "",
    node: "",
    ...over,
  });
  const context = { services: [service("web", "10.1.0.1")], now: Date.parse("2026-06-01T00:00:00Z") };
  const say = (input: HoldInput, before: HoldInput | null = null) => admitHold(input, before, context);

  it("with something unreadable is refused, and names it", () => {
    expect(say(hold({ addresses: ["x"], expiry: "soon" })).errors.map(({ field }) => field)).toEqual([
      "spec.addresses.0",
      "spec.expiry",
    ]);
  });
  it("that was as wrong before stays editable", () => {
    const wrong = hold({ addresses: ["x"] });
    expect(say(wrong, wrong).errors).toEqual([]);
  });
  it("on an address in use says that the Service keeps it", () => {
    expect(say(hold())).toEqual({
      errors: [],
      warnings: ["10.1.0.1 is in use: default/web keeps it, and nobody gets it afterwards"],
    });
  });
  it("that is over already is warned of", () => {
    expect(say(hold({ expiry: "2026-01-01T00:00:00Z" })).warnings[0]).toContain("this time is past");
  });
});
