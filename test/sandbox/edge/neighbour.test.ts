import { describe, expect, it } from "vitest";
import {
  type Neighbour,
  type NeighbourEvent,
  type NeighbourState,
  newNeighbour,
  stepNeighbour,
  usableMac,
} from "#sandbox/edge/neighbour";
import { fc } from "../../support/random.ts";

const A = "02:be:77:00:00:0a";
const B = "02:be:77:00:00:0b";
const T0 = 1_000_000;
const REACHABLE_MS = 30_000;

/** [ms after the start, event, state after it, MAC after it, what is sent or released]. */
type Row = readonly [at: number, event: NeighbourEvent, state: NeighbourState, mac: string | null, effects?: string];

const use: NeighbourEvent = { kind: "use" };
const timer: NeighbourEvent = { kind: "timer" };
const confirm: NeighbourEvent = { kind: "confirm" };
const reply = (mac: string): NeighbourEvent => ({ kind: "reply", mac });
const heard = (mac: string): NeighbourEvent => ({ kind: "heard", mac });
const gratuitous = (mac: string): NeighbourEvent => ({ kind: "gratuitous", mac });

const stories: readonly (readonly [guarantee: string, rows: readonly Row[]])[] = [
  ["a reply to the first request resolves", [[5, reply(A), "REACHABLE", A, "resolved"]]],
  [
    "three broadcasts a second apart without answer fail after three seconds",
    [
      [999, timer, "INCOMPLETE", null],
      [1_000, timer, "INCOMPLETE", null, "ask all"],
      [2_000, timer, "INCOMPLETE", null, "ask all"],
      [3_000, timer, "FAILED", null, "failed"],
    ],
  ],
  [
    "a failed neighbour is asked anew when it is wanted again",
    [
      [1_000, timer, "INCOMPLETE", null, "ask all"],
      [2_000, timer, "INCOMPLETE", null, "ask all"],
      [3_000, timer, "FAILED", null, "failed"],
      [9_000, use, "INCOMPLETE", null, "ask all"],
      [9_010, reply(A), "REACHABLE", A, "resolved"],
    ],
  ],
  ["an announcement completes an entry that waits, as stale", [[5, gratuitous(A), "STALE", A, "resolved"]]],
  [
    "of two replies within a second the first stands",
    [
      [5, reply(A), "REACHABLE", A, "resolved"],
      [400, reply(B), "REACHABLE", A],
      [1_005, reply(B), "REACHABLE", A],
    ],
  ],
  [
    "a contradicting reply after the locktime takes over",
    [
      [5, reply(A), "REACHABLE", A, "resolved"],
      [1_006, reply(B), "REACHABLE", B],
    ],
  ],
  [
    "an agreeing reply does not move the locktime",
    [
      [5, reply(A), "REACHABLE", A, "resolved"],
      [900, reply(A), "REACHABLE", A],
      [1_006, reply(B), "REACHABLE", B],
    ],
  ],
  [
    "a gratuitous request overrides at once, and the entry is stale until confirmed",
    [
      [5, reply(A), "REACHABLE", A, "resolved"],
      [10, gratuitous(B), "STALE", B],
    ],
  ],
  [
    "a gratuitous reply to everybody counts only after the locktime",
    [
      [5, reply(A), "REACHABLE", A, "resolved"],
      [10, heard(B), "REACHABLE", A],
      [1_010, heard(B), "STALE", B],
    ],
  ],
  [
    "hearing the same MAC again changes nothing",
    [
      [5, reply(A), "REACHABLE", A, "resolved"],
      [2_000, gratuitous(A), "REACHABLE", A],
      [4_000, heard(A), "REACHABLE", A],
    ],
  ],
  [
    "an entry nobody uses goes stale after the reachable time and stays so",
    [
      [5, reply(A), "REACHABLE", A, "resolved"],
      [30_005, timer, "REACHABLE", A],
      [30_006, timer, "STALE", A],
      [90_000, timer, "STALE", A],
    ],
  ],
  [
    "a confirmed entry stays reachable beyond its time",
    [
      [5, reply(A), "REACHABLE", A, "resolved"],
      [20_000, confirm, "REACHABLE", A],
      [30_006, timer, "REACHABLE", A],
      [50_001, timer, "STALE", A],
    ],
  ],
  [
    "a stale entry that is used is believed for five seconds, then asked three times by unicast, then failed",
    [
      [5, gratuitous(A), "STALE", A, "resolved"],
      [100, use, "DELAY", A],
      [5_100, timer, "PROBE", A, `ask ${A}`],
      [6_100, timer, "PROBE", A, `ask ${A}`],
      [7_100, timer, "PROBE", A, `ask ${A}`],
      [8_100, timer, "FAILED", null, "failed"],
    ],
  ],
  [
    "progress above makes a delayed entry reachable without a question",
    [
      [5, gratuitous(A), "STALE", A, "resolved"],
      [100, use, "DELAY", A],
      [200, confirm, "DELAY", A],
      [5_100, timer, "REACHABLE", A],
    ],
  ],
  [
    "a probed neighbour that answers is reachable again",
    [
      [5, gratuitous(A), "STALE", A, "resolved"],
      [100, use, "DELAY", A],
      [5_100, timer, "PROBE", A, `ask ${A}`],
      [5_110, reply(A), "REACHABLE", A],
    ],
  ],
  [
    "a reachable entry in use is doubted, not dropped, when nothing confirms it",
    [
      [5, reply(A), "REACHABLE", A, "resolved"],
      [29_000, use, "REACHABLE", A],
      [30_006, timer, "DELAY", A],
      [35_006, timer, "PROBE", A, `ask ${A}`],
      [36_006, timer, "PROBE", A, `ask ${A}`],
      [37_006, timer, "PROBE", A, `ask ${A}`],
      [38_006, timer, "FAILED", null, "failed"],
    ],
  ],
];

describe("the neighbour state machine", () => {
  it("begins by asking everybody", () => {
    const { entry, effects } = newNeighbour(T0, REACHABLE_MS);
    expect(entry).toMatchObject({ state: "INCOMPLETE", mac: null, timerAt: T0 + 1_000 });
    expect(effects).toEqual([{ kind: "ask", mac: null }]);
  });

  it.each(stories)("%s", (_guarantee, rows) => {
    let entry = newNeighbour(T0, REACHABLE_MS).entry;
    for (const [at, event, state, mac, effects = ""] of rows) {
      const step = stepNeighbour(entry, event, T0 + at);
      const said = step.effects.map((effect) => (effect.kind === "ask" ? `ask ${effect.mac ?? "all"}` : effect.kind));
      expect([at, step.entry.state, step.entry.mac, said.join()]).toEqual([at, state, mac, effects]);
      entry = step.entry;
    }
  });

  it("keeps its promises for any sequence of events", () => {
    const mac = fc.constantFrom(A, B);
    const event: fc.Arbitrary<NeighbourEvent> = fc.oneof(
      fc.constantFrom(use, timer, confirm),
      mac.map(reply),
      mac.map(heard),
      mac.map(gratuitous),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 9_000 }), event), { maxLength: 60 }), (steps) => {
        let entry: Neighbour = newNeighbour(T0, REACHABLE_MS).entry;
        let now = T0;
        for (const [pause, what] of steps) {
          now += pause;
          const step = stepNeighbour(entry, what, now);
          entry = step.entry;
          const pendingStates = entry.state === "INCOMPLETE" || entry.state === "FAILED";
          // A MAC is offered exactly when one is known, and what waits always has an end.
          expect(usableMac(entry) === null).toBe(pendingStates);
          expect(entry.mac === null).toBe(pendingStates);
          expect(entry.timerAt === null).toBe(entry.state === "STALE" || entry.state === "FAILED");
          expect(entry.probes).toBeLessThanOrEqual(3);
        }
      }),
      { numRuns: 300 },
    );
  });
});
