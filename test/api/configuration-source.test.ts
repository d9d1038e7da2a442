import { describe, expect, it } from "vitest";
import { ConfigurationSource, type WatchedKind, type WatchedKinds } from "#api/configuration-source";
import type { KubeObject } from "#api/kubernetes/objects";
import { keyOf } from "#api/resources";
import { samePools } from "#core/configuration/same";

/** A watched kind in the test's hands: listed from the start, or later, or never. */
class Kind implements WatchedKind {
  readonly #objects = new Map<string, KubeObject>();
  readonly #listeners: ((key: string, now?: KubeObject, before?: KubeObject) => void)[] = [];
  readonly #listed = Promise.withResolvers<void>();
  synced: boolean;

  constructor(objects: readonly KubeObject[] = [], synced = true) {
    this.synced = synced;
    for (const object of objects) this.#objects.set(keyOf(object), object);
    if (synced) this.#listed.resolve();
  }

  whenSynced(): Promise<void> {
    return this.#listed.promise;
  }

  async listNow(): Promise<void> {
    this.synced = true;
    this.#listed.resolve();
    await this.#listed.promise;
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  list(): readonly KubeObject[] {
    return [...this.#objects.values()];
  }

  onChange(listener: (key: string, now?: KubeObject, before?: KubeObject) => void): void {
    this.#listeners.push(listener);
  }

  put(object: KubeObject): void {
    const before = this.get(keyOf(object));
    this.#objects.set(keyOf(object), object);
    for (const listener of this.#listeners) listener(keyOf(object), object, before);
  }
}

const object = (name: string, spec: unknown, rest: Readonly<Record<string, unknown>> = {}): KubeObject => ({
  metadata: { name, namespace: "m" },
  spec,
  ...rest,
});
const pool = (name: string, range: string) => object(name, { addresses: [range] });

function source(kinds: WatchedKinds) {
  const tasks: (() => void)[] = [];
  let compiled = 0;
  const made = new ConfigurationSource({
    kinds,
    namespace: "m",
    signal: new AbortController().signal,
    soon: (task) => void tasks.push(task),
    onCompiled: () => {
      compiled += 1;
    },
  });
  return {
    source: made,
    compiled: () => compiled,
    soon: () => {
      for (const task of tasks.splice(0)) task();
    },
    lines: () => made.refresh().findings.map(({ kind, field, reason }) => `${kind} ${field} ${reason}`),
  };
}

describe("ConfigurationSource", () => {
  it("compiles changes that come together once, and at once when asked", () => {
    const pools = new Kind();
    const one = source({ pools });
    one.source.refresh();
    for (let i = 0; i < 50; i++) pools.put(pool(`p${i}`, `10.0.${i}.0/24`));
    expect(one.compiled()).toBe(1);
    one.soon();
    expect(one.compiled()).toBe(2);
    expect(one.source.current.configuration.pools).toHaveLength(50);
    pools.put(pool("last", "10.1.0.0/24"));
    expect(one.source.refresh().configuration.pools).toHaveLength(51);
    one.soon();
    expect(one.compiled()).toBe(3);
  });

  it.each([
    [
      "the counters of a pool",
      "pools",
      pool("p", "10.0.0.0/24"),
      { ...pool("p", "10.0.0.0/24"), status: { assignedIPv4: 1 } },
    ],
    [
      "a node's heartbeat",
      "nodes",
      object("n", {}, { status: { conditions: [{ lastHeartbeatTime: "1" }], addresses: [] } }),
      object("n", {}, { status: { conditions: [{ lastHeartbeatTime: "2" }], addresses: [] } }),
    ],
    [
      "another key of a Secret",
      "secrets",
      object("s", undefined, { type: "Opaque", data: { password: "YQ==" } }),
      object("s", undefined, { type: "Opaque", data: { password: "Yg==", more: "YQ==" } }),
    ],
  ] as const)("does not compile for %s", (_name, list, before, now) => {
    const kind = new Kind([before]);
    const one = source({ [list]: kind });
    one.source.refresh();
    kind.put(now);
    one.soon();
    expect(one.compiled()).toBe(1);
  });

  it("does not judge what depends on kinds that are not listed, and waits for none of them", async () => {
    const absent = new Kind([], false);
    const aliases = new Kind([object("c", { communities: [{ name: "cust", value: "1:2" }] })], false);
    const one = source({
      pools: new Kind([pool("p", "10.0.0.0/24")]),
      l2Advertisements: new Kind([object("ad", {})]),
      bgpAdvertisements: new Kind([object("bgp", { communities: ["cust"], peers: ["router"] })]),
      peers: new Kind([
        object("router", {
          myASN: 1,
          peerASN: 2,
          peerAddress: "192.0.2.1",
          bfdProfile: "f",
          passwordSecret: { name: "s" },
        }),
      ]),
      communities: aliases,
      bfdProfiles: absent,
      secrets: absent,
      nodes: absent,
      namespaces: absent,
    });
    expect(one.lines().filter((line) => !line.includes("communities"))).toEqual([]);
    expect(one.source.current.configuration.bgpAdvertisements).toHaveLength(1);
    await aliases.listNow();
    expect(one.lines()).toEqual([]);
    expect(one.source.current.configuration.bgpAdvertisements[0]?.communities).toMatchObject([{ text: "1:2" }]);
    await absent.listNow();
    expect(one.lines()).toEqual([
      "BGPPeer spec.bfdProfile unknown_reference",
      "BGPPeer spec.passwordSecret.name unknown_reference",
    ]);
    // What came into force while that was not known stays in force.
    expect(one.source.current.configuration.peers).toHaveLength(1);
  });

  it("gives the same pools when nothing changed for them", () => {
    const nodes = new Kind([object("n", {})]);
    const one = source({ pools: new Kind([pool("p", "10.0.0.0/24")]), nodes });
    const before = one.source.refresh();
    nodes.put({ metadata: { name: "m", labels: { a: "b" } } });
    const now = one.source.refresh();
    expect([now === before, samePools(now, before)]).toEqual([false, true]);
  });

  it("finds the object that a finding is about", () => {
    const broken = pool("p", "10.0.0");
    const one = source({ pools: new Kind([broken]) });
    const [finding] = one.source.refresh().findings;
    if (finding === undefined) throw new Error("no finding");
    expect(one.source.objectOf(finding)).toMatchObject({ object: broken, resource: { kind: "IPAddressPool" } });
    expect(one.source.objectOf({ ...finding, kind: "BGPPeer" })).toBeNull();
  });
});
