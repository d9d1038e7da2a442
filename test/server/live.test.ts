import { describe, expect, it } from "vitest";
import type { ActivityRow } from "#api/dashboard/activity";
import { StreamMessage } from "#api/dashboard/stream";
import { Fault } from "#core/errors";
import { silentLog } from "#runtime/log";
import { Hub } from "#server/hub";
import { Operations } from "#server/operations";
import { openStream, PING_MS } from "#server/stream";
import { settle, VirtualClock } from "../support/virtual-clock.ts";

const row = (id: string, message = "m"): ActivityRow => ({
  id,
  at: "",
  type: "Normal",
  reason: "r",
  object: "o",
  message,
  component: "c",
  count: 1,
});

function listening(hub: Hub): StreamMessage[] {
  const heard: StreamMessage[] = [];
  hub.subscribe(
    (text) => heard.push(StreamMessage.parse(JSON.parse(text))),
    () => undefined,
  );
  return heard;
}

describe("the hub", () => {
  it("gathers changes into one delta of the rows that changed", () => {
    const clock = new VirtualClock();
    const hub = new Hub(clock, "0");
    const heard = listening(hub);
    hub.replace("activity", [row("a"), row("b")]);
    hub.upsert("activity", row("b", "new"));
    clock.advance(50);
    expect(heard).toMatchObject([
      { kind: "delta", topic: "activity", upserts: [row("a"), row("b", "new")], removes: [] },
    ]);
    hub.replace("activity", [row("b", "new"), row("c")]);
    clock.advance(50);
    expect(heard[1]).toMatchObject({ upserts: [row("c")], removes: ["a"] });
    hub.replace("activity", [row("b", "new"), row("c")]);
    clock.advance(50);
    expect(heard).toHaveLength(2);
  });

  it("a snapshot holds every topic, then hello, and no delta repeats what it held", () => {
    const clock = new VirtualClock();
    const hub = new Hub(clock, "0.1.0");
    hub.upsert("activity", row("a"));
    const texts = hub.snapshots().map((text) => StreamMessage.parse(JSON.parse(text)));
    expect(texts.filter((one) => one.kind === "snapshot")).toHaveLength(9);
    expect(texts.at(-1)).toMatchObject({ kind: "hello", version: "0.1.0" });
    const heard = listening(hub);
    clock.advance(100);
    expect(heard).toEqual([]);
  });
});

async function drain(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  until: (text: string) => boolean,
): Promise<string> {
  let text = "";
  for (let turn = 0; turn < 5000 && !until(text); turn += 1) {
    const { done, value } = await reader.read();
    if (done) break;
    text += new TextDecoder().decode(value);
  }
  return text;
}

describe("the stream", () => {
  it("speaks at once, then snapshots, deltas and pings, and leaves nothing behind when aborted", async () => {
    const clock = new VirtualClock();
    const hub = new Hub(clock, "0");
    hub.upsert("activity", row("a"));
    const abort = new AbortController();
    const reader = openStream(hub, clock, abort.signal).getReader();
    const first = await drain(reader, (text) => text.includes('"hello"'));
    expect(first.startsWith("retry:")).toBe(true);
    hub.upsert("activity", row("b"));
    clock.advance(50);
    expect(await drain(reader, (text) => text.includes("delta"))).toContain('"id":"b"');
    clock.advance(PING_MS);
    expect(await drain(reader, (text) => text.includes("ping"))).toContain("ping");
    abort.abort();
    expect(hub.listeners).toBe(0);
    expect(clock.pending).toBe(0);
    expect((await reader.read()).done).toBe(true);
  });

  it("a reader that stands still costs a bounded queue, and gets a resync when it goes on", async () => {
    const clock = new VirtualClock();
    const hub = new Hub(clock, "0");
    const reader = openStream(hub, clock, new AbortController().signal).getReader();
    let sent = 0;
    for (let turn = 0; turn < 300; turn += 1) {
      const message = "x".repeat(20_000);
      hub.upsert("activity", row("same", `${turn}${message}`));
      clock.advance(50);
      sent += message.length;
    }
    expect(sent).toBeGreaterThan(5_000_000);
    const text = await drain(
      reader,
      (all) => all.includes('"resync"') && all.slice(all.indexOf('"resync"')).includes('"hello"'),
    );
    expect(text.length).toBeLessThan(1_500_000);
    expect(text.slice(text.indexOf('"resync"'))).toContain('"message":"299');
    hub.upsert("activity", row("after"));
    clock.advance(50);
    expect(await drain(reader, (all) => all.includes("after"))).toContain("after");
  });

  it("a snapshot larger than the queue is no reason to begin anew with the next change", async () => {
    const clock = new VirtualClock();
    const hub = new Hub(clock, "0");
    for (let turn = 0; turn < 200; turn += 1) hub.upsert("activity", row(`${turn}`, "x".repeat(20_000)));
    const reader = openStream(hub, clock, new AbortController().signal).getReader();
    hub.upsert("activity", row("after"));
    clock.advance(50);
    const text = await drain(reader, (all) => all.includes('"after"'));
    expect(text.length).toBeGreaterThan(4_000_000);
    expect(text).toContain('"kind":"delta"');
    expect(text).not.toContain("resync");
  });

  it("ends when the hub closes, and at once when it has closed already", async () => {
    const clock = new VirtualClock();
    const hub = new Hub(clock, "0");
    const reader = openStream(hub, clock, new AbortController().signal).getReader();
    hub.close();
    expect(await drain(reader, () => false)).toContain("hello");
    const late = openStream(hub, clock, new AbortController().signal).getReader();
    await drain(late, () => false);
    expect(clock.pending).toBe(0);
  });
});

describe("operations", () => {
  function operations() {
    const clock = new VirtualClock();
    return {
      clock,
      all: new Operations({ clock, log: silentLog, changed: () => undefined, forgotten: () => undefined }),
    };
  }
  const STEPS = [
    { name: "a", label: "A" },
    { name: "b", label: "B" },
  ];

  it("time each step from the start of the operation", async () => {
    const { clock, all } = operations();
    const { operation, ended } = all.start("expose", "default/web", STEPS, async (progress) => {
      await progress.step("a", async () => {
        clock.advance(120);
        return "Assigned";
      });
      await progress.step("b", async () => {
        clock.advance(30);
        return undefined;
      });
    });
    await ended;
    expect(all.read(operation)).toMatchObject({
      state: "done",
      steps: [
        { name: "a", label: "Assigned", state: "done", elapsedMs: 120 },
        { name: "b", label: "B", state: "done", elapsedMs: 150 },
      ],
    });
  });

  it("show where they failed, with the sentence, and skip the rest", async () => {
    const { all } = operations();
    const { ended } = all.start("expose", "default/web", STEPS, async (progress) => {
      await progress.step("a", async () => {
        throw new Fault("unavailable", "pool production is full");
      });
    });
    expect(await ended).toMatchObject({
      state: "failed",
      steps: [{ state: "failed", detail: "pool production is full" }, { state: "skipped" }],
    });
  });

  it("run one at a time on a target", async () => {
    const { all } = operations();
    let finish: () => void = () => undefined;
    const { ended } = all.start(
      "expose",
      "default/web",
      STEPS,
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    expect(() => all.start("unexpose", "default/web", STEPS, async () => undefined)).toThrow(/being worked on/);
    finish();
    await ended;
    await settle();
    expect(() => all.start("unexpose", "default/web", STEPS, async () => undefined)).not.toThrow();
  });

  it("are ended by hand at their next wait, and only those of the kind that was named", async () => {
    const { all } = operations();
    const { ended } = all.start("expose", "default/web", STEPS, ({ step, signal }) =>
      step("a", () => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))),
    );
    await all.cancel("install", "default/web", "Not this.");
    expect(all.running("default/web")).toBeDefined();
    await all.cancel("expose", "default/web", "Taken back.");
    expect(await ended).toMatchObject({ state: "failed", steps: [{ detail: "Taken back." }, { state: "skipped" }] });
  });

  it("are forgotten, the oldest first, when there are many", async () => {
    const { all } = operations();
    for (let turn = 0; turn < 80; turn += 1) await all.start("demo", `t${turn}`, [], async () => undefined).ended;
    expect(all.list()).toHaveLength(50);
    expect(all.list()[0]?.target).toBe("t30");
  });
});
