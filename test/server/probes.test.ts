import { describe, expect, it } from "vitest";
import { ProbeRow } from "#api/dashboard/probes";
import type { ShareQuestion } from "#core/share";
import { Hub } from "#server/hub";
import { Probes } from "#server/probes";
import { VirtualClock } from "../support/virtual-clock.ts";
import { FakeProber } from "./fixtures.ts";

const TARGET = { address: "127.77.10.1", port: 80, url: "http://127.77.10.1:80/", host: undefined };
const WISH = { service: "default/web", path: "/", rate: 5, durationSeconds: 60 };
const pods = (names: readonly string[]): ShareQuestion["endpoints"] =>
  names.map((pod) => ({ pod, node: "node-01", ready: true, serving: true, terminating: false }));

function setUp() {
  const clock = new VirtualClock();
  const prober = new FakeProber();
  const hub = new Hub(clock, "0");
  let endpoints = pods(["a", "b", "c"]);
  let affinity = false;
  let changes = 0;
  const probes = new Probes({
    clock,
    prober,
    hub,
    expectation: () => ({ policyLocal: false, sessionAffinity: affinity, announcingNode: "node-01", endpoints }),
    unreachableChanged: () => {
      changes += 1;
    },
  });
  return {
    clock,
    prober,
    hub,
    probes,
    scale: (names: readonly string[]) => {
      endpoints = pods(names);
    },
    stick: () => {
      affinity = true;
    },
    changes: () => changes,
  };
}

const EVEN = ["a", "b", "c", "b", "c", "a"];

describe("a probe run", () => {
  it("compares what pods answered with what is expected, in words", () => {
    const { probes, prober, clock } = setUp();
    const { id } = probes.start(WISH, TARGET, "here");
    expect(prober.sent[0]).toMatchObject({ kind: "start", id, url: TARGET.url, rate: 5 });
    for (let second = 0; second < 20; second += 1) {
      clock.advance(1000);
      prober.second(id, second, second % 2 === 0 ? EVEN : ["a", "a", "b", "b", "b", "c"]);
    }
    const row = ProbeRow.parse(probes.read(id));
    expect(row.model).toBe("Expecting 33.3 % each: L2, policy Cluster, 3 ready pods");
    expect(row.verdict.kind).toBe("even");
    expect(row.pods.map((pod) => pod.pod)).toEqual(["a", "b", "c"]);
    expect(row.pods[0]?.expected).toBeCloseTo(1 / 3);
    expect(row.window).toBeGreaterThan(100);
    expect(probes.samples(id).ticks).toHaveLength(20);
    expect(probes.everAnswered()).toBe(true);
  });

  it("judges anew after scaling, and marks pods that ended", () => {
    const { probes, prober, clock, scale } = setUp();
    const { id } = probes.start(WISH, TARGET, "here");
    for (let second = 0; second < 10; second += 1) {
      clock.advance(1000);
      prober.second(id, second, EVEN);
    }
    scale(["a", "b", "d"]);
    clock.advance(1000);
    prober.second(id, 10, ["c", "a"]);
    clock.advance(2000);
    prober.second(id, 12, ["a", "b", "d"]);
    const row = probes.read(id);
    expect(row.window).toBe(3);
    expect(row.pods.map((pod) => [pod.pod, pod.gone])).toEqual([
      ["a", false],
      ["b", false],
      ["c", true],
      ["d", false],
    ]);
    expect(row.verdict.kind).toBe("collecting");
  });

  it("that nothing answers says so, makes its Service unreachable, and recovers", () => {
    const { probes, prober, clock, changes } = setUp();
    const { id } = probes.start(WISH, TARGET, "here");
    for (let second = 0; second < 4; second += 1) {
      clock.advance(1000);
      prober.second(id, second, ["a", "a"], "timeout");
    }
    expect(probes.read(id).verdict).toMatchObject({
      kind: "failing",
      sentence: expect.stringMatching(/Nothing answers at 127\.77\.10\.1:80 \(8 × timeout\)/),
    });
    expect([...probes.unreachable()]).toEqual(["default/web"]);
    prober.second(id, 5, EVEN);
    expect(probes.unreachable().size).toBe(0);
    expect(changes()).toBe(2);
  });

  it("expects no share under session affinity", () => {
    const { probes, prober, clock, stick } = setUp();
    stick();
    const { id } = probes.start(WISH, TARGET, "here");
    clock.advance(1000);
    prober.second(id, 0, ["a", "a"]);
    expect(probes.read(id)).toMatchObject({ verdict: { kind: "affinity" } });
    expect(probes.read(id).pods.every((pod) => pod.expected === null && !pod.gone)).toBe(true);
  });

  it("stops once, stays for reading, and is deleted for good", () => {
    const { probes, prober, hub } = setUp();
    const { id } = probes.start(WISH, TARGET, "here");
    expect(probes.stop(id).state).toBe("stopped");
    probes.stop(id);
    expect(prober.sent.filter((one) => one.kind === "stop")).toHaveLength(1);
    expect(hub.rows("probes")).toHaveLength(1);
    probes.delete(id);
    expect(hub.rows("probes")).toHaveLength(0);
    expect(() => probes.read(id)).toThrow(/no such probe/);
  });

  it("is lost when the prober is, and says so", () => {
    const { probes, clock } = setUp();
    const { id } = probes.start(WISH, TARGET, "here");
    clock.advance(10_000);
    expect(probes.read(id)).toMatchObject({ state: "failed", verdict: { kind: "failing" } });
  });

  it("is refused while too many run, and old ones are forgotten", () => {
    const { probes } = setUp();
    const ids = Array.from({ length: 8 }, () => probes.start(WISH, TARGET, "here").id);
    expect(() => probes.start(WISH, TARGET, "here")).toThrow(/8 probes are running/);
    for (const id of ids) probes.stop(id);
    for (let turn = 0; turn < 30; turn += 1) probes.stop(probes.start(WISH, TARGET, "here").id);
    expect(probes.list().length).toBeLessThanOrEqual(20);
  });

  it("a single attempt ends with the first answer, or with the reason", async () => {
    const { probes, prober, clock } = setUp();
    prober.answer = (command) => {
      if (command.kind === "start") prober.second(command.id, 0, ["a"]);
    };
    await expect(probes.attempt(TARGET, 2000, new AbortController().signal)).resolves.toMatchObject({
      outcome: "answered",
      text: "Pod a answered in 3 ms",
    });
    prober.answer = (command) => {
      if (command.kind === "start") prober.second(command.id, 0, ["a"], "timeout");
    };
    const failing = probes.attempt(TARGET, 2000, new AbortController().signal);
    await Promise.resolve();
    await Promise.resolve();
    clock.advance(2000);
    await expect(failing).resolves.toEqual({ outcome: "failed", text: "127.77.10.1:80: no answer" });
    prober.alive = false;
    await expect(probes.attempt(TARGET, 2000, new AbortController().signal)).resolves.toMatchObject({
      outcome: "skipped",
    });
  });
});
