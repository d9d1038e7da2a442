import { describe, expect, it } from "vitest";
import { createMemorySegment } from "#net/memory-link";
import { Metrics } from "#runtime/metrics";
import { Announcer } from "#speaker/announcer";
import { VirtualClock } from "../support/virtual-clock.ts";
import { Lab } from "./lab.ts";

const IPS = Array.from({ length: 12 }, (_none, n) => `127.77.10.${n + 1}`);

async function lab(): Promise<Lab> {
  const made = new Lab();
  made.pool();
  made.advertise();
  await made.startAll();
  for (const [n, ip] of IPS.entries()) made.service(`s${n}`, ip);
  await made.run(1000);
  return made;
}

describe("speakers that leave", () => {
  it("do not wait for successors when all of them leave at once", async () => {
    const l = await lab();
    const from = l.clock.monotonic();
    await Promise.all(["node-01", "node-02", "node-03"].map((node) => l.stop(node)));
    // A second of waiting for each other would be on top.
    expect(l.clock.monotonic() - from).toBeLessThan(700);
    for (const ip of IPS) expect(await l.whoHas(ip)).toEqual([]);
  });

  it("are quick when there are successors, and every address has exactly one owner then", async () => {
    const l = await lab();
    expect(await l.stop("node-02")).toBeLessThanOrEqual(300);
    for (const ip of IPS) expect(await l.whoHas(ip)).toHaveLength(1);
  });
});

describe("an announcer whose successor says that it announced an address", () => {
  function announcer() {
    const clock = new VirtualClock();
    const link = createMemorySegment().attach({ mac: "02:be:77:00:00:11" });
    return { clock, made: new Announcer({ link, clock, metrics: new Metrics() }) };
  }

  it("stops answering at once when it is handing it over", () => {
    const { made } = announcer();
    made.hold("192.0.2.1", null);
    made.handOver("192.0.2.1");
    expect(made.answering).toEqual(["192.0.2.1"]);
    made.succeeded("192.0.2.1");
    expect(made.answering).toEqual([]);
  });

  it("goes on while it is its own, and does not wait when it then loses it", () => {
    const { made } = announcer();
    made.hold("192.0.2.1", null);
    made.succeeded("192.0.2.1");
    expect(made.answering).toEqual(["192.0.2.1"]);
    made.handOver("192.0.2.1");
    expect(made.answering).toEqual([]);
  });

  it("takes no notice of what it does not hold", () => {
    const { made } = announcer();
    made.succeeded("192.0.2.1");
    expect(made.answering).toEqual([]);
  });

  it("is not waited for longer than a second", () => {
    const { clock, made } = announcer();
    made.hold("192.0.2.1", null);
    made.handOver("192.0.2.1");
    clock.advance(999);
    expect(made.answering).toEqual(["192.0.2.1"]);
    clock.advance(2);
    expect(made.answering).toEqual([]);
  });
});
