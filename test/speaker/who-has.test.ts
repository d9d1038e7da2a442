import { expect, it } from "vitest";
import { createMemorySegment } from "#net/memory-link";
import { systemClock } from "#runtime/clock";
import { askWire } from "../../lib/speaker/who-has.ts";

const ADDRESS = "192.0.2.7";

it("answers that came in time are heard, however busy this process was meanwhile", async () => {
  const segment = createMemorySegment();
  const link = segment.attach({ mac: "02:be:00:00:00:01" });
  segment.attach({ mac: "02:be:00:00:00:07" }).answer(ADDRESS, null);
  // As from the thread of a packet link: messages, which are read after timers that are due.
  const frames: typeof link.frames = (listener) =>
    link.frames((frame, name) => void setImmediate(() => setImmediate(() => listener(frame, name))));
  const deps = { link: { ...link, frames }, clock: systemClock, senderIp: "192.0.2.1", announces: () => false };
  const asked = askWire(deps, [ADDRESS], { waitMs: 20, againMs: 10 });
  for (const from = performance.now(); performance.now() - from < 60; );
  const [seen] = await asked;
  expect(seen?.answers).toMatchObject([{ mac: "02:be:00:00:00:07" }]);
});
