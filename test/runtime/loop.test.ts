import { describe, expect, it } from "vitest";
import type { Clock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { runLoop } from "#runtime/loop";
import { WorkQueue } from "#runtime/work-queue";

const KEYS = 500;
/** What a reconcile takes; nothing else takes any time. */
const WORK_MS = 1;
const SLICE_MS = 10;

/** Works off so many keys, none of which waits for anything; how many were done at each turn of everybody else. */
async function turnsOfOthers(workers: number, isSliced: boolean): Promise<readonly number[]> {
  let now = 0;
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    schedule(_delayMs, task) {
      const timer = setImmediate(task);
      return () => clearImmediate(timer);
    },
  };
  const queue = new WorkQueue({ clock });
  for (let index = 0; index < KEYS; index++) queue.add(`key-${index}`);
  let done = 0;
  const turns: number[] = [];
  const ending = new AbortController();
  const turn = () => {
    turns.push(done);
    if (done === KEYS) ending.abort();
    else setImmediate(turn);
  };
  setImmediate(turn);
  const work = () => {
    now += WORK_MS;
    done += 1;
    return Promise.resolve({});
  };
  await runLoop(queue, work, { log: silentLog, signal: ending.signal, workers, ...(isSliced && { clock }) });
  return turns;
}

describe("a loop with thousands of keys that wait for nothing", () => {
  it.each([1, 32])("answers others, the webhook say, between two slices, with %i workers", async (workers) => {
    const turns = await turnsOfOthers(workers, true);
    const between = turns.map((done, index) => done - (turns[index - 1] ?? 0));
    // Those that were taken already when the slice ended are worked on before the pause.
    expect(Math.max(...between)).toBeLessThanOrEqual(SLICE_MS / WORK_MS + workers);
    expect(turns.at(-1)).toBe(KEYS);
  });

  it("without a clock has others wait for all of them", async () => {
    expect(await turnsOfOthers(32, false)).toEqual([KEYS]);
  });
});
