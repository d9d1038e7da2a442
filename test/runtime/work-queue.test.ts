import { describe, expect, it } from "vitest";
import { Fault } from "#core/errors";
import { silentLog } from "#runtime/log";
import { runLoop } from "#runtime/loop";
import { WorkQueue } from "#runtime/work-queue";
import { VirtualClock } from "../support/virtual-clock.ts";

function setUp() {
  const clock = new VirtualClock();
  return { clock, queue: new WorkQueue({ clock, random: () => 1, baseDelayMs: 100, maxDelayMs: 1000 }) };
}

describe("WorkQueue", () => {
  it("gives a key that was added three times once", async () => {
    const { queue } = setUp();
    for (const key of ["a", "b", "a", "a"]) queue.add(key);
    expect(queue.size).toBe(2);
    expect([await queue.take(), await queue.take()]).toEqual(["a", "b"]);
    expect(queue.size).toBe(0);
  });

  it("never gives a key that is being worked on, and gives it again afterwards", async () => {
    const { queue } = setUp();
    queue.add("a");
    expect(await queue.take()).toBe("a");
    queue.add("a");
    queue.add("a");
    let second: string | null | undefined;
    const taken = queue.take().then((key) => {
      second = key;
    });
    await Promise.resolve();
    expect(second).toBeUndefined();
    queue.done("a");
    await taken;
    expect(second).toBe("a");
  });

  it("hands a key to a taker that already waits", async () => {
    const { queue } = setUp();
    const taken = queue.take();
    queue.add("a");
    expect(await taken).toBe("a");
    expect(queue.size).toBe(0);
  });

  it("lets the earlier of two delays win, and an add overtake both", () => {
    const { queue, clock } = setUp();
    queue.addAfter("a", 500);
    queue.addAfter("a", 200);
    queue.addAfter("a", 900);
    clock.advance(199);
    expect(queue.size).toBe(0);
    clock.advance(1);
    expect(queue.size).toBe(1);
    queue.addAfter("b", 500);
    queue.add("b");
    expect(queue.size).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it("doubles the pause with each failure up to the longest, and starts small after a success", () => {
    const { queue, clock } = setUp();
    const pause = async () => {
      queue.retry("a");
      const from = clock.monotonic();
      while (queue.size === 0) clock.advance(1);
      void queue.take();
      queue.done("a");
      return clock.monotonic() - from;
    };
    return (async () => {
      const pauses: number[] = [];
      for (let n = 0; n < 6; n++) pauses.push(await pause());
      expect(pauses).toEqual([100, 200, 400, 800, 1000, 1000]);
      queue.forget("a");
      expect(await pause()).toBe(100);
    })();
  });

  it("ends every taker and every delay when it is closed", async () => {
    const { queue, clock } = setUp();
    const taken = queue.take();
    queue.addAfter("a", 100);
    queue.close();
    queue.add("b");
    expect(await taken).toBeNull();
    expect(await queue.take()).toBeNull();
    expect(clock.pending).toBe(0);
  });
});

describe("runLoop", () => {
  it("never runs one key twice at once, whatever the number of workers", async () => {
    const queue = new WorkQueue();
    const running = new Map<string, number>();
    const runs = new Map<string, number>();
    let worst = 0;
    const ending = new AbortController();
    const loop = runLoop(
      queue,
      async (key) => {
        running.set(key, (running.get(key) ?? 0) + 1);
        worst = Math.max(worst, running.get(key) ?? 0);
        await new Promise((resolve) => setTimeout(resolve, 2));
        running.set(key, (running.get(key) ?? 0) - 1);
        runs.set(key, (runs.get(key) ?? 0) + 1);
        return {};
      },
      { log: silentLog, signal: ending.signal, workers: 4 },
    );
    for (let n = 0; n < 20; n++) {
      queue.add("a");
      queue.add("b");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    ending.abort();
    await loop;
    expect(worst).toBe(1);
    expect(runs.get("a")).toBeGreaterThan(2);
    expect(runs.get("a")).toBeLessThanOrEqual(20);
  });

  it("retries a failure that may pass, and leaves one that cannot", async () => {
    const queue = new WorkQueue({ baseDelayMs: 1 });
    const ending = new AbortController();
    const runs: string[] = [];
    const loop = runLoop(
      queue,
      async (key) => {
        runs.push(key);
        if (key === "never") throw new Fault("invalid", "wrong");
        if (runs.filter((run) => run === key).length < 3) throw new Fault("unavailable", "not yet");
        return {};
      },
      { log: silentLog, signal: ending.signal },
    );
    queue.add("never");
    queue.add("later");
    await expect.poll(() => runs.filter((run) => run === "later").length).toBe(3);
    ending.abort();
    await loop;
    expect(runs.filter((run) => run === "never")).toHaveLength(1);
  });

  it("comes back to a key when its reconcile asked for that", async () => {
    const queue = new WorkQueue();
    const ending = new AbortController();
    let runs = 0;
    const loop = runLoop(queue, async () => (runs++ < 2 ? { requeueAfterMs: 1 } : {}), {
      log: silentLog,
      signal: ending.signal,
    });
    queue.add("a");
    await expect.poll(() => runs).toBe(3);
    ending.abort();
    await loop;
  });
});
