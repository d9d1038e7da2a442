import { describe, expect, it } from "vitest";
import type { ProbeReply, ProbeRow, ProbeTick } from "#api/dashboard/probes";
import { assignColours, EMPTY_FEED, foldFeed, points, windowFor } from "#client/probe-feed";
import { chartRows, failures, lanes, latencyMax, OTHER, scaleMax, series } from "#client/traffic";

const tick = (second: number, perPod: Record<string, number>, bad = 0): ProbeTick => ({
  id: "p",
  at: second * 1000,
  perPod,
  outcomes: bad === 0 ? { ok: 1 } : { ok: 1, refused: bad },
  p50: 1,
  p95: second,
});
const reply = (seq: number) => ({ seq }) as ProbeReply;

describe("the feed of a probe", () => {
  it("appends what is newer and counts a repetition once", () => {
    const first = foldFeed(EMPTY_FEED, [tick(1, { a: 1 }), tick(2, { a: 1 })], [reply(1)]);
    const again = foldFeed(first, [tick(2, { a: 5 }), tick(3, { a: 1 })], [reply(1), reply(2)]);
    expect(again.ticks.map((t) => [t.at, t.perPod.a])).toEqual([
      [1000, 1],
      [2000, 5],
      [3000, 1],
    ]);
    expect(again.replies.map((r) => r.seq)).toEqual([1, 2]);
  });
  it("is bounded: 600 seconds, 200 replies", () => {
    const ticks = Array.from({ length: 700 }, (_, n) => tick(n, {}));
    const replies = Array.from({ length: 300 }, (_, n) => reply(n));
    const feed = foldFeed(EMPTY_FEED, ticks, replies);
    expect([feed.ticks.length, feed.replies.length]).toEqual([600, 200]);
    expect(feed.ticks[0]?.at).toBe(100_000);
  });
});

describe("points of the chart", () => {
  const ticks = Array.from({ length: 30 }, (_, n) => tick(n, { a: 1, b: 2 }, n === 7 ? 1 : 0));
  it("gathers seconds into aligned buckets, the worst latency of each", () => {
    const drawn = points(ticks, 30_000, 30_000, 10_000);
    expect(drawn.slice(1).map((p) => [p.x, p.total, p.failed, p.p95])).toEqual([
      [10_000, 30, 1, 9],
      [20_000, 30, 0, 19],
      [30_000, 30, 0, 29],
    ]);
  });
  it("keeps an empty bucket as a gap, never as zero", () => {
    const drawn = points(
      ticks.filter((t) => t.at < 10_000 || t.at >= 20_000),
      30_000,
      30_000,
      10_000,
    );
    const rows = chartRows(drawn, [{ key: "a", label: "a", colour: 1, gone: false, expected: null }], "share");
    expect(rows.slice(1).map((r) => r.values[0])).toEqual([1 / 3, null, 1 / 3]);
  });
  it("draws the last whole bucket on until the one under way is half full", () => {
    const early = points(ticks.slice(0, 23), 23_000, 20_000, 10_000);
    expect(early.at(-1)).toMatchObject({ x: 23_000, at: 10_000 });
    const later = points(ticks.slice(0, 26), 26_000, 20_000, 10_000);
    expect(later.at(-1)).toMatchObject({ x: 26_000, at: 20_000, total: 18 });
  });
  it.each([0, 59_000, 61_000, 149_000, 600_000])("never has more than 120 points (run of %i ms)", (age) => {
    const { spanMs, bucketMs } = windowFor(age);
    expect(points(ticks, 1_000_000, spanMs, bucketMs).length).toBeLessThanOrEqual(120);
  });
});

describe("colours and series", () => {
  it("keeps a pod's colour and gives new pods the first that is free", () => {
    const one = assignColours(new Map(), ["a", "b", "c"]);
    const two = assignColours(one, ["a", "c", "d"]);
    expect([two.get("a"), two.get("c"), two.get("d")]).toEqual([1, 3, 2]);
  });
  it("has eight colours; the ninth pod is other", () => {
    const many = assignColours(new Map(), [..."abcdefghi"]);
    expect(many.get("i")).toBe(0);
  });
  it("draws at most seven pods and other, and loses no reply", () => {
    const pods = [..."abcdefghij"];
    const perPod = Object.fromEntries(pods.map((pod) => [pod, 1]));
    const drawn = points([tick(0, perPod)], 1000, 1000, 1000);
    const probe = { pods: pods.map((pod) => ({ pod, gone: false, expected: 0.1 })) } as unknown as ProbeRow;
    const list = series(probe, drawn, assignColours(new Map(), pods));
    expect(list).toHaveLength(8);
    expect(list.at(-1)?.key).toBe(OTHER);
    expect(
      chartRows(drawn, list, "share")
        .at(-1)
        ?.values.reduce<number>((sum, v) => sum + (v ?? 0), 0),
    ).toBeCloseTo(1);
  });
});

describe("figures", () => {
  it("names the failures that occurred, most first, and those that did not", () => {
    const bad = failures({ ok: 10, refused: 2, timeout: 5 });
    expect(bad.seen.map((entry) => entry.outcome)).toEqual(["timeout", "refused"]);
    expect(bad.total).toBe(7);
    expect(bad.unseen).toContain("HTTP 5xx");
  });
  it("prints a scale that holds every bar", () => {
    const pod = (share: number, expected: number) => ({ share, expected, halfWidth: 0.05 }) as ProbeRow["pods"][number];
    expect(scaleMax([pod(0.34, 0.33)])).toBe(0.5);
    expect(scaleMax([pod(0.9, 0.5)])).toBe(1);
    expect(scaleMax([])).toBe(0.1);
  });
  it("rounds the latency axis up", () => {
    expect(latencyMax(points([tick(7, { a: 1 })], 8000, 1000, 1000))).toBe(10);
    expect(latencyMax([])).toBe(1);
  });
});

describe("flags over the chart", () => {
  it.each([
    ["stand in one lane when they are far apart", [0, 0.4, 0.9], [0, 0, 0]],
    ["take another lane when they are close", [0.1, 0.11], [0, 1]],
    ["on the right write to the left, and are in the way there", [0.55, 0.7], [0, 1]],
    ["have two lanes and no more", [0.1, 0.1, 0.1], [0, 1, 1]],
    ["come back to the first lane as soon as it is free", [0.1, 0.2, 0.35], [0, 1, 0]],
  ])("%s", (_what, places, expected) => {
    expect(lanes(places)).toEqual(expected);
  });
});

describe("the window of the chart", () => {
  it.each([0, 59_000, 60_000, 89_000, 90_000, 149_000, 150_000, 299_000])(
    "after %i ms is at least two thirds full",
    (age) => {
      const { spanMs, bucketMs } = windowFor(age);
      expect(spanMs % bucketMs).toBe(0);
      expect(spanMs).toBeGreaterThan(Math.min(age, 299_999));
      if (age >= 60_000) expect(age / spanMs).toBeGreaterThanOrEqual(2 / 3);
    },
  );
});
