import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { Fault } from "#core/errors";
import { silentLog } from "#runtime/log";
import { Metrics } from "#runtime/metrics";
import { startOpsServer } from "#runtime/ops-server";
import { addProcessMetrics } from "#runtime/process-metrics";
import { Runner } from "#runtime/runner";

describe("Runner", () => {
  it("stops its parts in reverse order, once, and exits with 0", async () => {
    const runner = new Runner(silentLog);
    const stopped: string[] = [];
    for (const name of ["first", "second", "third"]) runner.onStop(name, () => void stopped.push(name));
    runner.end("test");
    runner.end("again");
    expect(runner.signal.aborted).toBe(true);
    expect(await runner.run(1000)).toBe(0);
    expect(stopped).toEqual(["third", "second", "first"]);
  });

  it("exits with 1 when a part failed, and still stops the others", async () => {
    const runner = new Runner(silentLog);
    let stopped = false;
    runner.onStop("part", () => {
      stopped = true;
    });
    runner.watch("task", Promise.reject(new Error("gone")));
    expect(await runner.run(1000)).toBe(1);
    expect(stopped).toBe(true);
  });

  it("goes on after a part that throws or hangs, within the deadline, and exits with 1", async () => {
    const runner = new Runner(silentLog);
    const stopped: string[] = [];
    runner.onStop("first", () => void stopped.push("first"));
    runner.onStop("hangs", () => new Promise(() => undefined));
    runner.onStop("throws", () => {
      throw new Error("no");
    });
    runner.end("test");
    expect(await runner.run(100)).toBe(1);
    expect(stopped).toEqual(["first"]);
  });
});

describe("Metrics", () => {
  it("renders counters, gauges and histograms in the text format", () => {
    const metrics = new Metrics();
    const counter = metrics.counter("a_total", "Things\nseen.");
    counter.inc();
    counter.inc({ kind: 'quo"te', path: "C:\\x\ny" }, 2);
    const gauge = metrics.gauge("b", "Level.");
    gauge.set({ node: "n" }, 1.5);
    metrics.histogram("c_seconds", "Time.", [0.1, 1]).observe({}, 0.5);
    expect(metrics.render().split("\n")).toEqual([
      "# HELP a_total Things\\nseen.",
      "# TYPE a_total counter",
      "a_total 1",
      'a_total{kind="quo\\"te",path="C:\\\\x\\ny"} 2',
      "# HELP b Level.",
      "# TYPE b gauge",
      'b{node="n"} 1.5',
      "# HELP c_seconds Time.",
      "# TYPE c_seconds histogram",
      'c_seconds_bucket{le="0.1"} 0',
      'c_seconds_bucket{le="1"} 1',
      'c_seconds_bucket{le="+Inf"} 1',
      "c_seconds_sum 0.5",
      "c_seconds_count 1",
      "",
    ]);
  });

  it("forgets a removed series and refuses one name for two types", () => {
    const metrics = new Metrics();
    const gauge = metrics.gauge("b", "Level.");
    gauge.set({ node: "n" }, 1);
    gauge.remove({ node: "n" });
    expect(metrics.render()).not.toContain("b{");
    expect(metrics.gauge("b", "Level.")).toBe(gauge);
    expect(() => metrics.counter("b", "Level.")).toThrow(Fault);
  });
});

describe("startOpsServer", () => {
  it("answers metrics, health and readiness, and refuses the rest", async () => {
    const metrics = new Metrics();
    addProcessMetrics(metrics);
    let ready = false;
    const server = await startOpsServer({
      host: "127.0.0.1",
      port: 0,
      metrics,
      healthy: () => true,
      ready: () => ready,
    });
    const get = async (path: string, method = "GET") =>
      fetch(`http://127.0.0.1:${server.port}${path}`, { method }).then(async (r) => `${r.status} ${await r.text()}`);
    try {
      expect(await get("/metrics")).toContain("process_resident_memory_bytes ");
      expect(await get("/healthz")).toBe("200 ok\n");
      expect(await get("/readyz")).toBe("503 not ok\n");
      ready = true;
      expect(await get("/readyz?verbose")).toBe("200 ok\n");
      expect(await get("/secret")).toMatch(/^404/);
      expect(await get("/metrics", "POST")).toMatch(/^405/);
    } finally {
      await server.close();
    }
  });

  it("says which port is in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const start = startOpsServer({
      host: "127.0.0.1",
      port,
      metrics: new Metrics(),
      healthy: () => true,
      ready: () => true,
    });
    await expect(start).rejects.toMatchObject({
      code: "unavailable",
      message: `cannot listen on 127.0.0.1:${port}: the port is in use`,
    });
    other.close();
  });
});
