import { afterAll, describe, expect, it } from "vitest";
import { encodeHeartbeat } from "#speaker/heartbeat";
import { MembersSim } from "./members-sim.ts";

const WARM_UP_MS = 2500;
const MEASURED_MS = 1000;
const MAC_OCTETS = 16;
/** Ethernet, IPv4 and UDP around each datagram. */
const HEADER_OCTETS = 42;

const rows: string[] = [];
const cell = (text: string) => text.padStart(16);

afterAll(() => {
  const head = ["members", "detect median", "detect worst", "KB/s per node", "datagrams/s", "after a heal/s"];
  console.log([head.map(cell).join(""), ...rows].join("\n"));
});

describe("membership under 2 % loss", () => {
  it.each([
    [3, 30],
    [10, 20],
    [30, 6],
    [100, 2],
  ])(
    "of %i tells everyone of a death within 500 ms, with at most 50 KB/s per node, and heals without a storm",
    { timeout: 300_000 },
    (nodes, kills) => {
      let octets = 0;
      let victim = "";
      let killedAt = 0;
      const noticed: number[] = [];
      const wrong: string[] = [];
      const sim: MembersSim = new MembersSim({
        nodes,
        seed: nodes,
        loss: 0.02,
        onSend: (_from, beat) => {
          if (victim === "weigh") octets += encodeHeartbeat(beat, null).length + MAC_OCTETS + HEADER_OCTETS;
        },
        onChange: (node, died) => {
          for (const member of died) {
            if (member === victim) noticed.push(sim.now - killedAt);
            else if (victim !== "any") wrong.push(`${node} says ${member}`);
          }
        },
      });
      sim.startAll();
      sim.run(WARM_UP_MS);
      expect(sim.names.filter((name) => sim.alive(name).length < nodes)).toEqual([]);

      victim = "weigh";
      const before = sim.sent;
      sim.run(MEASURED_MS);
      const rate = (sim.sent - before) / nodes;
      const kilobytes = octets / nodes / 1000;

      for (let kill = 0; kill < kills; kill++) {
        victim = sim.names[Math.floor(sim.random() * nodes)] ?? "";
        sim.run(sim.random() * 100);
        killedAt = sim.now;
        const already = noticed.length;
        sim.kill(victim);
        sim.run(600);
        expect(noticed.length - already, `who noticed the death of ${victim}`).toBe(nodes - 1);
        sim.start(victim);
        sim.run(300);
      }
      // Whoever came last is known to all, before the next thing happens.
      sim.run(1000);
      expect(wrong).toEqual([]);

      victim = "any";
      const half = new Set(sim.names.filter((_name, index) => index % 2 === 0));
      sim.connected = (from, to) => half.has(from) === half.has(to);
      sim.run(nodes > 30 ? 2000 : 6000);
      expect(sim.names.filter((name) => sim.alive(name).some((other) => half.has(name) !== half.has(other)))).toEqual(
        [],
      );
      sim.connected = () => true;
      const healedAt = sim.sent;
      sim.run(1000);
      const healing = (sim.sent - healedAt) / nodes;
      sim.run(500);
      expect(sim.names.filter((name) => sim.alive(name).length < nodes)).toEqual([]);

      noticed.sort((a, b) => a - b);
      const [median, worst] = [noticed[noticed.length >> 1] ?? Number.NaN, noticed.at(-1) ?? Number.NaN];
      rows.push(
        [
          String(nodes),
          `${median.toFixed(0)} ms`,
          `${worst.toFixed(0)} ms`,
          kilobytes.toFixed(1),
          rate.toFixed(0),
          healing.toFixed(0),
        ]
          .map(cell)
          .join(""),
      );
      expect(worst).toBeLessThanOrEqual(500);
      expect(kilobytes).toBeLessThanOrEqual(50);
      expect(healing).toBeLessThanOrEqual(3 * rate);
    },
  );

  it("of five believes nobody dead for ten minutes of stalls of 200 ms", { timeout: 120_000 }, () => {
    const died: string[] = [];
    const sim = new MembersSim({
      nodes: 5,
      seed: 7,
      loss: 0.02,
      duplicates: 0.02,
      latencyMs: 20,
      onChange: (node, dead) => died.push(...dead.map((member) => `${node} says ${member}`)),
    });
    sim.startAll();
    sim.run(2000);
    for (let second = 0; second < 600; second++) {
      for (const name of sim.names) if (sim.random() < 0.5) sim.stall(name, 200);
      sim.run(1000);
    }
    expect(died).toEqual([]);
  });
});
