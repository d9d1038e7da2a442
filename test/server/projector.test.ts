import { describe, expect, it } from "vitest";
import { ANNOTATION, NAMESPACE } from "#api/names";
import {
  ADDRESS_HOLDS,
  ENDPOINT_SLICES,
  IP_ADDRESS_POOLS,
  L2_ADVERTISEMENTS,
  LEASES,
  NODES,
  SERVICE_L2_STATUSES,
  SERVICES,
  SPEAKER_STATES,
} from "#api/resources";
import { changedAmong } from "#core/pools";
import { Dirty } from "#server/dirty";
import { Views } from "#server/facts";
import { Hub } from "#server/hub";
import { Probes } from "#server/probes";
import { startProjector } from "#server/projector";
import { poolRow } from "#server/rows/pools";
import { serviceRow } from "#server/rows/services";
import { World } from "#server/world";
import { fc } from "../support/random.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import {
  advertisement,
  contextFor,
  controllerPod,
  FakeProber,
  healthyCluster,
  l2Status,
  NODE_NAMES,
  pool,
  service,
  speakerState,
  threePods,
} from "./fixtures.ts";
import type { MemoryCluster } from "./memory-cluster.ts";

function projecting(cluster: MemoryCluster) {
  const clock = new VirtualClock(Date.parse("2026-01-01T00:00:30Z"));
  const context = { ...contextFor(cluster), clock };
  const world = new World(cluster, NAMESPACE, clock);
  const hub = new Hub(clock, "0");
  const probes = new Probes({
    clock,
    hub,
    prober: new FakeProber(),
    expectation: () => null,
    unreachableChanged: () => undefined,
  });
  const views = new Views(world, probes, clock);
  const projector = startProjector({ context, world, views, hub, probes });
  projector.now();
  return { clock, world, hub, views, projector };
}

const NAMES = ["a", "b", "c", "d", "e"] as const;
const name = fc.constantFrom(...NAMES);
const ip = fc.constantFrom("127.77.10.1", "127.77.10.2", "127.77.20.1");
const on = fc.constantFrom(...NODE_NAMES);

/** What happens to a cluster, as far as rows of Services and pools can tell. */
const change: fc.Arbitrary<(cluster: MemoryCluster) => void> = fc.oneof(
  fc
    .record({
      name,
      ip: fc.option(ip, { nil: undefined }),
      type: fc.constantFrom("LoadBalancer", "LoadBalancer", "ClusterIP"),
      key: fc.option(fc.constantFrom("k"), { nil: undefined }),
      port: fc.constantFrom(80, 81),
    })
    .map((wish) => (cluster: MemoryCluster) => {
      const annotations: Record<string, string> = {};
      if (wish.key !== undefined) annotations["metallb.io/allow-shared-ip"] = wish.key;
      const ports = [{ port: wish.port, protocol: "TCP", targetPort: 80 }];
      const made = service(wish.name, {
        type: wish.type,
        annotations,
        spec: { ports },
        ...(wish.ip && { ip: wish.ip }),
      });
      cluster.seed(SERVICES, made);
    }),
  name.map((one) => (cluster: MemoryCluster) => cluster.drop(SERVICES, `default/${one}`)),
  name.map((one) => (cluster: MemoryCluster) => cluster.seed(ENDPOINT_SLICES, threePods(one))),
  name.map((one) => (cluster: MemoryCluster) => cluster.drop(ENDPOINT_SLICES, `default/${one}-x`)),
  fc.tuple(name, on).map(
    ([one, where]) =>
      (cluster: MemoryCluster) =>
        cluster.seed(SERVICE_L2_STATUSES, l2Status(one, where)),
  ),
  name.map((one) => (cluster: MemoryCluster) => cluster.drop(SERVICE_L2_STATUSES, `${NAMESPACE}/l2-${one}`)),
  fc
    .constantFrom("127.77.10.1/32", "127.77.10.1-127.77.10.2", "127.77.20.0/24", "nonsense")
    .map((range) => (cluster: MemoryCluster) => {
      cluster.seed(IP_ADDRESS_POOLS, pool("production", [range]));
    }),
  fc
    .tuple(fc.constantFrom("127.77.20.1/32", "127.77.10.2-127.77.10.3", "nonsense"), fc.boolean())
    .map(([range, isBlue]) => (cluster: MemoryCluster) => {
      const made = pool("lab", [range]);
      cluster.seed(IP_ADDRESS_POOLS, {
        ...made,
        metadata: { ...made.metadata, labels: isBlue ? { colour: "blue" } : {} },
      });
    }),
  fc.constant((cluster: MemoryCluster) => cluster.drop(IP_ADDRESS_POOLS, `${NAMESPACE}/lab`)),
  fc.constantFrom("production", "none").map((of) => (cluster: MemoryCluster) => {
    cluster.seed(L2_ADVERTISEMENTS, advertisement("external", [of]));
  }),
  fc.tuple(on, fc.boolean()).map(([where, ready]) => (cluster: MemoryCluster) => {
    cluster.seed(SPEAKER_STATES, speakerState(where, { ready }));
  }),
  on.map((where) => (cluster: MemoryCluster) => {
    cluster.change(NODES, where, (held) => ({ ...held, metadata: { ...held.metadata, labels: { rack: "1" } } }));
  }),
  ip.map((address) => (cluster: MemoryCluster) => {
    cluster.seed(ADDRESS_HOLDS, { metadata: { name: "kept" }, spec: { addresses: [address], reason: "reserved" } });
  }),
  fc.constant((cluster: MemoryCluster) => cluster.drop(ADDRESS_HOLDS, "kept")),
);

describe("the projector", () => {
  it("after any changes, in any batches, has the rows that were made anew from everything", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(change, fc.boolean()), { maxLength: 25 }), (changes) => {
        const cluster = healthyCluster();
        const { clock, world, hub, views, projector } = projecting(cluster);
        for (const [apply, settles] of changes) {
          apply(cluster);
          if (settles) clock.advance(50);
        }
        clock.advance(1_200);
        const view = views.now();
        const byKey = <T extends { readonly key: string }>(rows: readonly T[]) =>
          Object.fromEntries(rows.map((row) => [row.key, row]));
        expect(byKey(hub.rows("services"))).toEqual(byKey(world.services.list().map((one) => serviceRow(one, view))));
        expect(hub.rows("pools")).toEqual(world.pools.list().map((one) => poolRow(one, view)));
        projector.close();
        world.close();
      }),
      { numRuns: Number(process.env.BERTH_FUZZ ?? 60) },
    );
  });
});

describe("in a cluster of thousands", () => {
  const balancers = (count: number, ip: (index: number) => string | undefined) =>
    Array.from({ length: count }, (_, index) => {
      const held = ip(index);
      return service(`s${index}`, held === undefined ? {} : { ip: held });
    });

  it("a pool that changed is shown before the Services that it decides about", () => {
    const cluster = healthyCluster();
    cluster.seed(SERVICES, ...balancers(2_000, (index) => `127.77.${10 + (index >> 8)}.${index & 255}`));
    const { clock, hub } = projecting(cluster);
    const pools = () => hub.row("pools", "production")?.addresses;
    const named = () => hub.rows("services").filter((row) => row.pool === "production").length;
    expect(named()).toBe(254);
    cluster.seed(IP_ADDRESS_POOLS, pool("production", ["127.77.0.0/16"]));
    clock.advance(25);
    expect(pools()).toEqual(["127.77.0.0/16"]);
    expect(named()).toBeLessThan(1_000);
    clock.advance(200);
    expect(named()).toBe(2_000);
  });

  it("an edit of a pool concerns those on its addresses and those who ask for more, not the others", () => {
    const cluster = healthyCluster();
    const spec = { ipFamilyPolicy: "PreferDualStack" };
    cluster.seed(SERVICES, ...balancers(300, () => "127.77.10.1"));
    cluster.seed(
      SERVICES,
      service("lab", { ip: "127.77.30.1" }),
      service("waits"),
      service("more", { spec, ip: "127.77.10.1" }),
    );
    const { world, views } = projecting(cluster);
    const dirty = new Dirty(world);
    const due = (addresses: readonly string[]) => {
      const before = views.now().pools;
      cluster.seed(IP_ADDRESS_POOLS, pool("lab", addresses));
      dirty.poolsChanged(changedAmong(before, views.now().pools));
      const taken = dirty.takeServices(() => []);
      return taken === "all" ? taken : [...taken].sort();
    };
    expect(due(["127.77.20.0/24"])).toEqual(["default/more", "default/waits"]);
    expect(due(["127.77.20.0/24", "127.77.30.1/32"])).toEqual(["default/lab", "default/more", "default/waits"]);
    expect(due(["nonsense"])).toEqual(["default/more", "default/waits"]);
  });

  it("waiting Services hear within a second that an address was given back, and of nothing else", () => {
    const cluster = healthyCluster();
    cluster.seed(IP_ADDRESS_POOLS, pool("production", ["127.77.10.1/32"]));
    cluster.seed(SERVICES, service("holder", { ip: "127.77.10.1" }), ...balancers(300, () => undefined));
    const { clock, hub } = projecting(cluster);
    const waiting = () => hub.rows("services").filter((row) => row.reason === "exhausted").length;
    expect(waiting()).toBe(300);
    clock.advance(1_100);
    const before = hub.row("services", "default/s1");
    cluster.change(SERVICES, "default/holder", (held) => ({
      ...held,
      metadata: { ...held.metadata, annotations: { "example.com/turn": "1" } },
    }));
    clock.advance(1_100);
    expect(hub.row("services", "default/s1")).toBe(before);
    cluster.drop(SERVICES, "default/holder");
    clock.advance(1_100);
    expect(waiting()).toBe(0);
  });

  it("who leads, and with how much memory, is shown within a second of a renewal", () => {
    const cluster = healthyCluster();
    const { clock, hub } = projecting(cluster);
    const leader = () => hub.row("components", "controller")?.pods[0];
    expect(leader()).toMatchObject({ leadership: null, memoryBytes: null });
    cluster.seed(LEASES, {
      metadata: {
        name: "berth-controller",
        namespace: NAMESPACE,
        annotations: { [ANNOTATION.memoryBytes]: "80000000" },
      },
      spec: { holderIdentity: `${controllerPod().metadata.name}_1`, renewTime: "2026-01-01T00:00:00.000000Z" },
    });
    clock.advance(1_100);
    expect(leader()).toMatchObject({ leadership: { leads: true }, memoryBytes: 80_000_000 });
  });

  it("they hear of a reservation that ended, too", () => {
    const cluster = healthyCluster();
    cluster.seed(IP_ADDRESS_POOLS, pool("production", ["127.77.10.1/32"]));
    cluster.seed(ADDRESS_HOLDS, {
      metadata: { name: "kept" },
      spec: { addresses: ["127.77.10.1"], reason: "reserved" },
    });
    cluster.seed(SERVICES, ...balancers(300, () => undefined));
    const { clock, hub } = projecting(cluster);
    const reasons = () => [...new Set(hub.rows("services").map((row) => row.reason))];
    expect(reasons()).toEqual(["exhausted"]);
    cluster.drop(ADDRESS_HOLDS, "kept");
    clock.advance(1_100);
    expect(reasons()).toEqual([null]);
  });
});
