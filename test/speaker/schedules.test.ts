import { afterAll, describe, expect, it } from "vitest";
import { type Outcome, runSchedule } from "./schedule.ts";

/** `BERTH_SCHEDULES=20000` runs more of them, `BERTH_SCHEDULE_SEED=n` begins there. */
const RUNS = Number(process.env.BERTH_SCHEDULES ?? 1000);
const SEED = Number(process.env.BERTH_SCHEDULE_SEED ?? 1);
const PARTS = 10;
/** After the last disturbance: silence is believed after 350 to 700 ms, and the lag of a stall comes on top. */
const NOBODY_MS = 1000;
const TWO_MS = 400;

const worst = { twoMs: 0, nobodyMs: 0 };

afterAll(() => {
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  console.log(
    `${RUNS} schedules from seed ${SEED}: two announcers at most ${ms(worst.twoMs)} after a heal, ` +
      `nobody at most ${ms(worst.nobodyMs)} while an eligible node lived (bounds ${ms(TWO_MS)}, ${ms(NOBODY_MS)})`,
  );
});

describe("kills, restarts, stalls, loss, one-way links and partitions, as a seed has them", () => {
  it.each(Array.from({ length: PARTS }, (_none, part) => part))(
    "leave no address with two announcers or with none for longer than the bound, and all is well again (part %i)",
    { timeout: 600_000 },
    (part) => {
      const bad: [number, Outcome][] = [];
      for (let seed = SEED + part; seed < SEED + RUNS; seed += PARTS) {
        const outcome = runSchedule(seed);
        worst.twoMs = Math.max(worst.twoMs, outcome.twoMs);
        worst.nobodyMs = Math.max(worst.nobodyMs, outcome.nobodyMs);
        const { twoMs, nobodyMs, settled } = outcome;
        if (twoMs > TWO_MS || nobodyMs > NOBODY_MS || !settled) bad.push([seed, outcome]);
      }
      expect(bad).toEqual([]);
    },
  );
});
