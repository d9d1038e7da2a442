import { describe, expect, it } from "vitest";
import { startPacer } from "#probe/scheduler";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("pacing", () => {
  /** Start times of tasks, relative to the first, with tasks that take `takesMs`. */
  function pace(rate: number, takesMs: number, inFlightMax = 100) {
    const clock = new VirtualClock();
    const origin = clock.monotonic();
    const starts: number[] = [];
    const pacer = startPacer({
      rate,
      inFlightMax,
      clock,
      task: () => {
        starts.push(clock.monotonic() - origin);
        return new Promise((resolve) => void clock.schedule(takesMs, resolve));
      },
    });
    return { clock, starts, pacer };
  }

  it.each([
    [0.1, 60_000, 7],
    [1, 10_000, 11],
    [3, 10_000, 31],
    [50, 10_000, 501],
  ])("%d per second for %d ms is %d requests, the first at once", async (rate, ms, count) => {
    const { clock, starts, pacer } = pace(rate, 1);
    await clock.run(ms + 1, 1_000 / rate > 100 ? 100 : 5);
    expect(starts).toHaveLength(count);
    expect(starts.every((at, n) => Math.abs(at - (n * 1_000) / rate) < 1)).toBe(true);
    expect(pacer.skipped()).toBe(0);
  });

  it("sends no burst after a stall, and counts what it left out", async () => {
    // A clock that jumps, as for a process that was stopped: due tasks run late, once.
    const clock = new VirtualClock();
    let stallMs = 0;
    const stalling = {
      ...clock,
      now: () => clock.now(),
      monotonic: () => clock.monotonic() + stallMs,
      schedule: (ms: number, task: () => void) => clock.schedule(ms, task),
    };
    let starts = 0;
    const pacer = startPacer({
      rate: 10,
      inFlightMax: 100,
      clock: stalling,
      task: async () => {
        starts += 1;
      },
    });
    await clock.run(1_000);
    expect(starts).toBe(11);
    stallMs = 5_000;
    await clock.run(100);
    expect(starts).toBe(12);
    await clock.run(1_000);
    expect(starts).toBe(22);
    expect(pacer.skipped()).toBe(50);
  });

  it("keeps at most so many in flight, and skips the others", async () => {
    const { clock, starts, pacer } = pace(10, 1_000, 3);
    await clock.run(2_050);
    expect(starts.length).toBeLessThanOrEqual(9);
    expect(pacer.sent() + pacer.skipped()).toBe(21);
  });

  it("stops at once", async () => {
    const { clock, starts, pacer } = pace(10, 1);
    await clock.run(250);
    pacer.stop();
    await clock.run(1_000);
    expect(starts).toHaveLength(3);
    expect(clock.pending).toBe(0);
  });
});
