import { describe, it } from "vitest";
import { fc } from "../support/random.ts";
import type { PoolName, ServiceFacts } from "./model/facts.ts";
import { play } from "./model/play.ts";
import { type Step, step } from "./model/steps.ts";

/** `BERTH_MODEL_RUNS=10000` for a longer run. */
const RUNS = Number(process.env.BERTH_MODEL_RUNS ?? 2000);

describe("the controller, through any sequence of changes, restarts, stale caches and lost replies", () => {
  it("shares nothing by accident, stays inside pools, gives out nothing held, serves whoever can be served, moves nothing that is legal, and comes to rest", async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40, size: "max" }), play), {
      numRuns: RUNS,
    });
  }, 3_600_000);
});

const put = (name: "a" | "b" | "c" | "d" | "e", facts: Partial<ServiceFacts> = {}) => ({
  kind: "put" as const,
  name,
  facts: {
    mode: "single",
    key: "",
    ports: ["TCP/80"],
    local: null,
    app: "web",
    pool: null,
    ips: [],
    ...facts,
  } as const,
});
const faults = (...pattern: readonly ("ok" | "lost" | "down" | "conflict" | "forbidden")[]) => ({
  kind: "faults" as const,
  pattern: [...pattern],
});
const give = (block: "low" | "buggy" | "one" | "six" | "six2", to: PoolName | null) => ({
  kind: "give" as const,
  block,
  to,
});
const calm = { kind: "calm" as const };
const ALL_V4 = ["10.0.1.1", "10.0.1.2", "10.0.2.255", "10.0.3.0", "10.0.3.1", "10.0.4.7"];
const hold = (addresses: string, covers: readonly string[], expires: 20 | null = null) => ({
  kind: "hold" as const,
  hold: "h1" as const,
  facts: { addresses: [addresses], covers: [...covers] },
  reason: "reserved" as const,
  expires,
});

/** What the random test has found, as it was found. */
const found: readonly { readonly name: string; readonly steps: readonly Step[] }[] = [
  {
    name: "counters whose write was forbidden are written when it is permitted",
    steps: [faults("forbidden"), give("one", "r"), calm],
  },
  {
    name: "who has one address of two gets the other when a hold expires",
    steps: [put("a", { mode: "prefer-both" }), hold("10.0.0.0/8", ALL_V4, 20), put("b", { mode: "prefer-both" }), calm],
  },
  {
    name: "the pool's name is written though its first write met a conflict and the server then went away",
    steps: [faults("lost", "ok", "conflict", "down"), put("a")],
  },
  {
    name: "conflict upon conflict is not tried again without a pause",
    steps: [
      put("b", { mode: "prefer-both", local: "y", app: "db" }),
      { kind: "crash", change: { kind: "rename", pool: "p", to: "r" }, at: 1, written: false },
      faults("conflict", "lost"),
      put("b", { key: "k", pool: "p" }),
      put("b"),
      put("d", { key: "l", ports: ["UDP/80"], local: "x", pool: "p" }),
    ],
  },
  {
    name: "a request that cannot be read costs nobody the address that stays legal while the other goes",
    steps: [put("e"), calm, put("e", { mode: "prefer-both" }), put("e", { ips: ["ten"] })],
  },
  {
    name: "a pool that is deleted and made anew at once gets its counters",
    steps: [{ kind: "lag", deliver: 0 }, { kind: "drop", pool: "q" }, give("buggy", "q")],
  },
  {
    name: "a write whose reply was lost is not forgotten because the next one is forbidden",
    steps: [
      give("six", null),
      put("a"),
      put("c", { mode: "require-one" }),
      faults("lost", "ok", "forbidden", "conflict", "down"),
      give("one", "q"),
      put("a", { mode: "require-both" }),
      { kind: "restart" },
      put("e"),
      { kind: "lag", deliver: 0 },
      put("a", { ips: ["fd00:2::", "10.0.4.7"] }),
      hold("10.0.1.1", ["10.0.1.1"]),
      put("c"),
      put("d"),
      put("c", { pool: "r" }),
      { kind: "lost-watch", changes: [give("low", "r"), { kind: "spoil", pool: "p" }] },
      { kind: "crash", change: give("low", null), at: 0, written: false },
    ],
  },
  {
    name: "who wants to share no longer keeps its address, though one to share it with was made just before",
    steps: [
      put("d", { key: "l", ports: ["UDP/80"] }),
      calm,
      { kind: "lag", deliver: 0 },
      put("a", { key: "l" }),
      put("d"),
    ],
  },
  {
    name: "so does one whose request cannot be read",
    steps: [
      put("d", { key: "l", ports: ["UDP/80"] }),
      calm,
      { kind: "lag", deliver: 0 },
      put("a", { key: "l" }),
      put("d", { ips: ["ten"] }),
    ],
  },
  {
    name: "who has addresses of two pools has to go, though a third pool cannot be read and nobody knows whose they were",
    steps: [
      give("six2", "r"),
      give("buggy", "r"),
      { kind: "spoil", pool: "p" },
      { kind: "restart" },
      faults("lost", "ok", "forbidden"),
      put("a", { mode: "require-both" }),
      give("buggy", "q"),
    ],
  },
  {
    name: "an address that left a status is free though the reply to that write was lost",
    steps: [
      put("c", { ips: ["10.0.3.0"] }),
      { kind: "spoil", pool: "q" },
      faults("ok", "lost"),
      { kind: "lag", deliver: 0 },
      { kind: "drop", pool: "p" },
      put("c", { ips: ["10.0.4.7"] }),
      { kind: "lag", deliver: 1 },
      { kind: "lost-watch", changes: [put("a")] },
      { kind: "lost-watch", changes: [put("a")] },
      { kind: "set", pool: "p", settings: { autoAssign: true, avoidBuggy: false, pinned: null } },
    ],
  },
];

describe("found by the random test, and kept", () => {
  it.each(found)("$name", ({ steps }) => play(steps));
});
