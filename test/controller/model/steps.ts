import { fc } from "../../support/random.ts";
import { BLOCK_NAMES, type HoldFacts, NAMES, POOLS, type PoolFacts, type ServiceFacts } from "./facts.ts";

const service: fc.Arbitrary<ServiceFacts> = fc.record({
  mode: fc.constantFrom("single", "single", "single", "prefer-one", "prefer-both", "require-both", "require-one"),
  key: fc.constantFrom("", "", "k", "k", "l"),
  ports: fc.constantFrom(["TCP/80"], ["TCP/81"], ["UDP/80"], ["TCP/80", "TCP/81"]),
  local: fc.constantFrom(null, null, null, "x", "y"),
  app: fc.constantFrom("web", "db"),
  pool: fc.constantFrom(null, null, null, null, ...POOLS),
  ips: fc.constantFrom<readonly string[]>(
    [],
    [],
    [],
    [],
    ["10.0.1.2"],
    ["10.0.3.0"],
    ["10.0.4.7"],
    ["fd00:1::1"],
    ["10.0.1.1", "fd00:1::2"],
    ["fd00:2::", "10.0.4.7"],
    ["ten"],
  ),
});

const settings: fc.Arbitrary<Omit<PoolFacts, "blocks">> = fc.record({
  autoAssign: fc.constantFrom(true, true, true, false),
  avoidBuggy: fc.boolean(),
  pinned: fc.option(
    fc.record({
      priority: fc.constantFrom(0, 1, 2),
      namespace: fc.constantFrom(null, null, "shop", "lab"),
      team: fc.constantFrom(null, null, "red", "blue"),
      app: fc.constantFrom(null, null, "web", "db"),
    }),
    { freq: 2 },
  ),
});

const covered: fc.Arbitrary<HoldFacts> = fc.constantFrom(
  { addresses: ["10.0.1.1"], covers: ["10.0.1.1"] },
  { addresses: ["10.0.4.0/24", "10.0.1.2"], covers: ["10.0.4.7", "10.0.1.2"] },
  { addresses: ["10.0.2.0-10.0.3.0"], covers: ["10.0.2.255", "10.0.3.0"] },
  { addresses: ["fd00:1::/64"], covers: ["fd00:1::1", "fd00:1::2"] },
  { addresses: ["10.0.0.0/8"], covers: ["10.0.1.1", "10.0.1.2", "10.0.2.255", "10.0.3.0", "10.0.3.1", "10.0.4.7"] },
  { addresses: ["fd00:2::", "192.0.2.1"], covers: ["fd00:2::"] },
);

const name = fc.constantFrom(...NAMES);
const pool = fc.constantFrom(...POOLS);
const block = fc.constantFrom(...BLOCK_NAMES);
const hold = fc.constantFrom("h1", "h2");

const change = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant("put" as const), name, facts: service }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("delete" as const), name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("unexpose" as const), name }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("give" as const), block, to: fc.option(pool, { freq: 6 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("set" as const), pool, settings }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rename" as const), pool, to: pool }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("spoil" as const), pool }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("drop" as const), pool }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("label" as const),
      namespace: fc.constantFrom("shop" as const, "lab" as const),
      team: fc.constantFrom("red" as const, "blue" as const, null),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("hold" as const),
      hold,
      facts: covered,
      reason: fc.constantFrom("reserved" as const, "conflict" as const),
      /** Seconds from now. */
      expires: fc.constantFrom(null, null, 1, 20, -5),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("spoil-hold" as const), hold }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("unhold" as const), hold }) },
);
/** What users do. */
export type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** A change, or what goes wrong; `calm` is a rest at which everything is looked at. */
export const step = fc.oneof(
  { weight: 30, arbitrary: change },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("calm" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      /** The process dies at its n-th write after the change, before the server has it or after. */
      kind: fc.constant("crash" as const),
      change,
      at: fc.integer({ min: 0, max: 4 }),
      written: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("lag" as const), deliver: fc.integer({ min: 0, max: 4 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("lost-watch" as const),
      changes: fc.array(change, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("faults" as const),
      pattern: fc.array(fc.constantFrom("ok", "lost", "down", "conflict", "forbidden"), { minLength: 1, maxLength: 6 }),
    }),
  },
);
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
