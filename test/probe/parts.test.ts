import { describe, expect, it } from "vitest";
import type { Outcome, ProbeReply } from "#api/dashboard/probes";
import { firstLine, readIdentity } from "#probe/identity";
import { OutageMeter } from "#probe/outage";
import { endingOfError, outcomeOfStatus } from "#probe/outcome";
import { percentile, Statistics } from "#probe/statistics";
import { parseTarget } from "#probe/target";
import { fc } from "../support/random.ts";

describe("who answered", () => {
  it.each([
    ["is read from the demo's line", "POD: nginx-app-7d-x2 NODE: node-01\n", ["nginx-app-7d-x2", "node-01"]],
    ["with tabs", "POD:\tnginx\tNODE:\tnode-01", ["nginx", "node-01"]],
    ["with many blanks, or none after the colon", "POD:a     NODE:b", ["a", "b"]],
    ["across lines", "POD: a\r\n  NODE: b\r\n", ["a", "b"]],
    ["in the middle of a page", "<html><p>POD: a.b NODE: c-1</p></html>", ["a.b", "c-1"]],
    ["not when the node is missing", "POD: a", null],
    ["not when the name is empty", "POD: NODE: b", null],
    ["not from part of another word", "TRIPOD: a NODE: b", null],
    ["not from an empty reply", "", null],
  ])("%s", (_guarantee, body, expected) => {
    const identity = readIdentity(body);
    expect(identity === null ? null : [identity.pod, identity.node]).toEqual(expected);
  });

  it("is looked for in any text without trouble", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 500 }), (body) => {
        readIdentity(body);
        expect(firstLine(body).length).toBeLessThanOrEqual(200);
      }),
    );
  });
});

describe("the line that is shown", () => {
  it.each([
    ["is the first with something on it", "\n\n  POD: a\tNODE: b \nmore", "POD: a NODE: b"],
    ["carries no control characters to a terminal", "\u001b[31mred\u0007", "[31mred"],
    ["is cut at 200 characters", "x".repeat(300), `${"x".repeat(199)}…`],
  ])("%s", (_guarantee, body, expected) => {
    expect(firstLine(body)).toBe(expected);
  });
});

describe("outcomes", () => {
  it.each([
    ["ECONNREFUSED", "refused"],
    ["ECONNRESET", "reset"],
    ["EPIPE", "reset"],
    ["ETIMEDOUT", "timeout"],
    ["EHOSTUNREACH", "unreachable"],
    ["ENETUNREACH", "unreachable"],
    ["HPE_INVALID_CONSTANT", "bad_reply"],
    ["EWHATEVER", "unreachable"],
  ])("the error %s is %s", (code, outcome) => {
    expect(endingOfError(Object.assign(new Error("x"), { code })).outcome).toBe(outcome);
  });
  it.each([
    [200, "ok"],
    [204, "ok"],
    [301, "ok"],
    [404, "http_4xx"],
    [503, "http_5xx"],
  ])("status %i is %s", (status, outcome) => {
    expect(outcomeOfStatus(status)).toBe(outcome);
  });
});

describe("targets", () => {
  it.each([
    ["http://127.77.10.1", { host: "127.77.10.1", port: 80, path: "/" }],
    ["http://127.0.0.1:18080/a?b=c#d", { host: "127.0.0.1", port: 18_080, path: "/a?b=c" }],
    ["http://[fc00::1]:8080/", { host: "fc00::1", port: 8_080, path: "/" }],
  ])("%s is read", (url, expected) => {
    expect(parseTarget(url, { literal: true })).toMatchObject(expected);
  });
  it.each([
    ["https", "https://127.0.0.1/", "only http://"],
    ["a file", "file:///etc/passwd", "only http://"],
    ["text", "127.0.0.1", "it must be a URL"],
    ["credentials", "http://a:b@127.0.0.1/", "user name"],
    ["a name", "http://localhost/", "must be an IP address"],
  ])("%s is refused with what would be right", (_what, url, message) => {
    expect(() => parseTarget(url, { literal: true })).toThrow(message);
  });
  it("a name is taken where names are allowed", () => {
    expect(parseTarget("http://localhost/", { literal: false }).host).toBe("localhost");
  });
});

describe("the longest outage", () => {
  const measure = (results: readonly (readonly [seq: number, sentAt: number, outcome: Outcome | null])[], now = 0) => {
    const meter = new OutageMeter();
    for (const [seq, sentAt, outcome] of results) meter.record(seq, sentAt, outcome);
    return meter.longestMs(now);
  };
  it.each([
    [
      "is zero while everything is answered",
      [
        [1, 0, "ok"],
        [2, 100, "ok"],
      ],
      0,
    ],
    [
      "runs from the first failure to the next success",
      [
        [1, 0, "ok"],
        [2, 100, "refused"],
        [3, 200, "timeout"],
        [4, 300, "ok"],
      ],
      200,
    ],
    [
      "is the longest of several",
      [
        [1, 0, "reset"],
        [2, 100, "ok"],
        [3, 200, "reset"],
        [4, 300, "reset"],
        [5, 400, "ok"],
      ],
      200,
    ],
    [
      "is judged in the order of sending, whenever the answers come",
      [
        [3, 200, "ok"],
        [1, 0, "ok"],
        [2, 100, "timeout"],
      ],
      100,
    ],
    [
      "counts 4xx and odd replies as being there, 5xx not",
      [
        [1, 0, "http_4xx"],
        [2, 100, "bad_reply"],
        [3, 200, "http_5xx"],
        [4, 300, "ok"],
      ],
      100,
    ],
    [
      "passes over requests that were aborted",
      [
        [1, 0, "timeout"],
        [2, 100, null],
        [3, 200, "ok"],
      ],
      200,
    ],
    ["includes the one that is still going on", [[1, 0, "timeout"]], 5_000],
  ] as const)("%s", (_guarantee, results, expected) => {
    expect(measure(results, 5_000)).toBe(expected);
  });
});

describe("statistics", () => {
  const reply = (seq: number, change: Partial<ProbeReply> = {}): ProbeReply => ({
    seq,
    at: 0,
    outcome: "ok",
    pod: "a",
    node: "n",
    status: 200,
    totalMs: seq,
    text: "",
    ...change,
  });
  const pacer = { sent: () => 0, skipped: () => 0 };

  it("percentiles are nearest ranks", () => {
    const values = Array.from({ length: 100 }, (_unused, n) => n + 1);
    expect([0.5, 0.95, 0.99, 1].map((p) => percentile(values, p))).toEqual([50, 95, 99, 100]);
    expect(percentile([7], 0.5)).toBe(7);
    expect(percentile([], 0.5)).toBeNull();
  });

  it("a second holds what came back in it, and the next begins empty", () => {
    const statistics = new Statistics();
    statistics.record(reply(1), 0);
    statistics.record(reply(2, { pod: "b" }), 0);
    statistics.record(reply(3, { pod: null, node: null, outcome: "timeout" }), 0);
    statistics.record(reply(4, { pod: "c", outcome: "http_5xx" }), 0);
    const { tick, replies } = statistics.closeSecond("x", 5_000);
    expect(tick).toEqual({
      id: "x",
      at: 5_000,
      perPod: { a: 1, b: 1 },
      outcomes: { ok: 2, timeout: 1, http_5xx: 1 },
      p50: 1,
      p95: 2,
    });
    expect(replies).toHaveLength(4);
    expect(statistics.closeSecond("x", 6_000).tick).toMatchObject({ perPod: {}, outcomes: {}, p50: null });
  });

  it("shows p95 from 20 answers and p99 from 100", () => {
    const statistics = new Statistics();
    const known: [number, number][] = [];
    for (let seq = 1; seq <= 120; seq++) {
      statistics.record(reply(seq), 0);
      const { p95, p99 } = statistics.totals(pacer, 0);
      known.push([p95 === null ? 0 : 1, p99 === null ? 0 : 1]);
    }
    expect(known.findIndex(([p95]) => p95 === 1) + 1).toBe(20);
    expect(known.findIndex(([, p99]) => p99 === 1) + 1).toBe(100);
  });

  it("counts replies without a pod's name apart, and stays bounded whoever answers", () => {
    const statistics = new Statistics();
    for (let seq = 1; seq <= 1_000; seq++) statistics.record(reply(seq, { pod: `p${seq}` }), 0);
    statistics.record(reply(1_001, { pod: null }), 0);
    const totals = statistics.totals(pacer, 0);
    expect(totals.unattributed).toBe(1);
    expect(totals.pods).toHaveLength(200);
    expect(statistics.closeSecond("x", 0).replies).toHaveLength(50);
  });
});
