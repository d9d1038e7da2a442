import { describe, expect, it } from "vitest";
import { type Address, formatAddress, parseAddress } from "#core/address";
import { Allocator } from "#core/allocate";
import { compileConfiguration } from "#core/configuration";
import { observe } from "#core/observe";
import { changedAmong, covers, type PoolView, poolContains, poolOf } from "#core/pools";
import { closedTo } from "#core/refusals";
import { toServiceView } from "#core/service-view";
import { fc } from "../support/random.ts";

/** Three pools that never overlap, each in two networks of its own; now and then one is invalid or not there. */
const NAMES = ["a", "b", "c"] as const;
const NETWORKS = { a: ["10.0.0", "2001:db8:a:"], b: ["10.0.1", "2001:db8:b:"], c: ["10.0.2", "2001:db8:c:"] } as const;
const HOSTS = { min: 1, max: 6 };

const written = fc.record({
  first: fc.integer(HOSTS),
  size: fc.integer({ min: 2, max: 6 }),
  isWrong: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
  isDual: fc.boolean(),
  avoidBuggyIPs: fc.boolean(),
  autoAssign: fc.boolean(),
  colour: fc.constantFrom("blue", "red"),
  allocation: fc.constantFrom(
    undefined,
    { priority: 1 },
    { namespaces: ["default"] },
    { namespaces: ["shop"] },
    { serviceSelectors: [{ matchLabels: { app: "web" } }] },
  ),
});
type Written = typeof written extends fc.Arbitrary<infer T> ? T : never;
type Edition = Readonly<Partial<Record<(typeof NAMES)[number], Written>>>;
const edition: fc.Arbitrary<Edition> = fc.record(
  { a: written, b: written, c: written },
  { requiredKeys: [] },
) as fc.Arbitrary<Edition>;
/** Most edits change one pool. */
const editions = fc
  .tuple(edition, edition, fc.subarray([...NAMES]))
  .map(([before, other, kept]) => [
    before,
    { ...other, ...Object.fromEntries(kept.flatMap((name) => (before[name] ? [[name, before[name]]] : []))) },
  ]);

function compile(pools: Edition, previous?: ReturnType<typeof compileConfiguration>) {
  const objects = NAMES.flatMap((name) => {
    const spec = pools[name];
    if (spec === undefined) return [];
    const last = spec.first + spec.size;
    const [four, six] = NETWORKS[name];
    const addresses = [
      spec.isWrong ? `${four}.9-${four}.1` : `${four}.${spec.first}-${four}.${last}`,
      ...(spec.isDual ? [`${six}:${spec.first}-${six}:${last}`] : []),
    ];
    const { autoAssign, avoidBuggyIPs, allocation: serviceAllocation, colour } = spec;
    return {
      metadata: { name, labels: { colour } },
      spec: { addresses, autoAssign, avoidBuggyIPs, ...(serviceAllocation && { serviceAllocation }) },
    };
  });
  const namespaces = ["default", "shop"].map((name) => ({ metadata: { name } }));
  return compileConfiguration({ pools: objects, namespaces }, previous?.configuration);
}

const address = fc
  .record({ name: fc.constantFrom(...NAMES), host: fc.integer({ min: 0, max: 11 }) })
  .map(({ name, host }) => `${NETWORKS[name][0]}.${host}`);
const asked = fc.record({
  ingress: fc.array(address, { minLength: 1, maxLength: 1 }),
  second: fc.boolean(),
  policy: fc.constantFrom("SingleStack", "SingleStack", "SingleStack", "PreferDualStack", "RequireDualStack"),
  from: fc.constantFrom(undefined, undefined, undefined, "a", "b"),
  isAsked: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
  key: fc.constantFrom("", "", "k"),
  app: fc.constantFrom("web", "api"),
  namespace: fc.constantFrom("default", "shop"),
  port: fc.constantFrom(80, 443),
});
type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never;

function service(ask: Asked, index: number) {
  const isDual = ask.policy !== "SingleStack";
  const six = ask.ingress.map((ip) => ip.replace(/^10\.0\.(\d)\./, (_, net) => `${NETWORKS[NAMES[net] ?? "a"][1]}:`));
  const ingress = [...ask.ingress, ...(isDual && ask.second ? six : [])];
  return toServiceView({
    metadata: {
      name: `s${index}`,
      namespace: ask.namespace,
      labels: { app: ask.app },
      annotations: {
        ...(ask.from && { "metallb.io/address-pool": ask.from }),
        ...(ask.isAsked && { "metallb.io/loadBalancerIPs": ingress.join() }),
        ...(ask.key && { "metallb.io/allow-shared-ip": ask.key }),
        ...(ask.from && { "metallb.io/ip-allocated-from-pool": ask.from }),
      },
    },
    spec: {
      type: "LoadBalancer",
      clusterIPs: isDual ? ["10.96.0.1", "fd00::1"] : ["10.96.0.1"],
      ipFamilyPolicy: ask.policy,
      ports: [{ port: ask.port }],
    },
    status: { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } },
  });
}

describe("after a change of pools", () => {
  it("whoever is not named as concerned, and has what it asks for, keeps the plan it had", () => {
    let unconcerned = 0;
    let concerned = 0;
    const names = (compiled: ReturnType<typeof compile>) => new Set(compiled.leftOut.map(({ name }) => name));
    fc.assert(
      fc.property(editions, fc.array(asked, { maxLength: 10 }), ([before = {}, after = {}], asks) => {
        const old = compile(before);
        const now = compile(after, old);
        const allocator = new Allocator();
        allocator.setPools(old.configuration.pools, names(old));
        const services = asks.map(service);
        for (const each of services) observe(allocator, each);
        const plans = services.map((each) => allocator.plan(each));
        const keys = allocator.setPools(now.configuration.pools, names(now));
        for (const [index, each] of services.entries()) {
          const plan = plans[index];
          if (plan?.kind !== "keep" || plan.note !== null) continue;
          if (keys === null || keys.has(each.key)) concerned++;
          else {
            unconcerned++;
            expect(allocator.plan(each)).toEqual(plan);
          }
        }
      }),
      { numRuns: 400 },
    );
    expect(Math.min(unconcerned, concerned)).toBeGreaterThan(100);
  });

  it("an address of which nothing changed is of the very same pool as before", () => {
    fc.assert(
      fc.property(editions, fc.array(address), ([before = {}, after = {}], addresses) => {
        const old = compile(before);
        const [was, is] = [old.configuration.pools, compile(after, old).configuration.pools];
        const isChanged = changedAmong(was, is);
        for (const each of addresses.map(parseAddress)) {
          if (!isChanged(each)) expect(poolOf(is, each)).toBe(poolOf(was, each));
        }
      }),
    );
  });

  it("a pool that covers what it was is closed to nobody who could hold an address of it", () => {
    let covered = 0;
    const mayHold = (pool: PoolView, view: ReturnType<typeof service>, each: Address) =>
      poolContains(pool, each) && closedTo(pool, view) === null;
    fc.assert(
      fc.property(written, written, asked, (before, after, ask) => {
        const old = compile({ a: before });
        const [was] = old.configuration.pools;
        const [is] = compile({ a: after }, old).configuration.pools;
        if (was === undefined || is === undefined || !covers(is, was)) return;
        covered++;
        for (let host = 0; host < 12; host++) {
          const each = parseAddress(`10.0.0.${host}`);
          const view = service(ask, 0);
          const text = `${formatAddress(each)} for ${view.key}`;
          if (mayHold(was, view, each)) expect(mayHold(is, view, each), text).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
    expect(covered).toBeGreaterThan(50);
  });

  it("one that was left alone concerns nobody, and one that none was ever valid of concerns everybody", () => {
    const [pool] = fc.sample(written, { numRuns: 1, seed: 1 });
    if (pool === undefined) throw new Error("no pool");
    const sound = { ...pool, isWrong: false };
    const old = compile({ a: sound });
    const again = compile({ a: sound }, old);
    const allocator = new Allocator();
    allocator.setPools(old.configuration.pools);
    observe(allocator, toServiceView({ metadata: { name: "web" }, spec: { type: "LoadBalancer" } }));
    expect(allocator.setPools(again.configuration.pools)).toEqual(new Set());
    expect(allocator.setPools(again.configuration.pools, new Set(["b"]))).toBeNull();
  });
});
