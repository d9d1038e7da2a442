import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Heartbeat } from "#speaker/heartbeat";
import {
  beatInterval,
  initialMembers,
  type MembersEffect,
  type MembersEvent,
  type MembersState,
  stepMembers,
} from "#speaker/members";

/** node-01's view; beats of the others are given by the test. */
class View {
  state: MembersState = initialMembers("node-01", 1);
  now = 0;
  readonly effects: MembersEffect[] = [];
  #sequences = new Map<string, number>();

  constructor(others: readonly string[] = ["node-02", "node-03"]) {
    this.step({ kind: "addresses", addresses: new Map(others.map((node, index) => [node, `10.0.0.${index + 2}`])) });
    this.step({ kind: "self", ready: true, interfaces: ["eth0"] });
  }

  step(event: MembersEvent): readonly MembersEffect[] {
    const { state, effects } = stepMembers(this.state, event, this.now);
    this.state = state;
    this.effects.push(...effects);
    return effects;
  }

  hear(node: string, more: Partial<Heartbeat> = {}): readonly MembersEffect[] {
    const sequence = (this.#sequences.get(node) ?? 0) + 1;
    this.#sequences.set(node, sequence);
    return this.step({
      kind: "heard",
      beat: {
        node,
        incarnation: 1,
        sequence,
        intervalMs: 100,
        ready: true,
        leaving: false,
        interfaces: ["eth0"],
        heard: [],
        ...more,
      },
    });
  }

  /** Runs on time for so long; `talking` beat every 100 ms. */
  run(ms: number, talking: readonly string[]): void {
    const until = this.now + ms;
    while (this.now < until) {
      this.now += 50;
      this.step({ kind: "tick" });
      if (this.now % 100 === 0) for (const node of talking) this.hear(node);
    }
  }

  alive(): readonly string[] {
    return [...this.state.peers.values()].filter(({ alive }) => alive).map(({ node }) => node);
  }
}

describe("members", () => {
  it("remember no more names than anybody may make up", () => {
    const view = new View();
    for (let n = 0; n < 2000; n++) view.hear(`made-up-${n}`);
    expect(view.state.peers.size).toBe(1000);
    expect(view.effects.at(-1)).toEqual({ kind: "dropped", reason: "too_many" });
  });

  it("beat ten times a second to every other node, and at once when readiness changes", () => {
    const view = new View();
    view.effects.length = 0;
    view.run(1000, []);
    const sent = view.effects.filter((effect) => effect.kind === "send");
    expect(sent.length).toBeGreaterThanOrEqual(10);
    expect(sent.length).toBeLessThanOrEqual(11);
    expect(sent[0]?.to).toEqual(["10.0.0.2", "10.0.0.3"]);
    view.effects.length = 0;
    view.step({ kind: "self", ready: false, interfaces: ["eth0"] });
    expect(view.effects.map(({ kind }) => kind)).toEqual(["changed", "send"]);
    view.effects.length = 0;
    view.step({ kind: "self", ready: false, interfaces: ["eth0"] });
    expect(view.effects).toEqual([]);
  });

  it("are alive from their first beat on, and stay so while they beat", () => {
    const view = new View();
    expect(view.alive()).toEqual([]);
    view.run(60_000, ["node-02", "node-03"]);
    expect(view.alive()).toEqual(["node-02", "node-03"]);
    expect(view.effects.filter((effect) => effect.kind === "changed" && effect.died.length > 0)).toEqual([]);
  });

  it("are dead after 350 to 450 ms of silence, told once", () => {
    const view = new View();
    view.run(1000, ["node-02", "node-03"]);
    const silentSince = view.now;
    view.effects.length = 0;
    while (view.alive().includes("node-02")) view.run(50, view.now % 100 === 50 ? ["node-03"] : []);
    expect(view.now - silentSince).toBeGreaterThanOrEqual(350);
    expect(view.now - silentSince).toBeLessThanOrEqual(450);
    view.run(1000, ["node-03"]);
    expect(view.effects.filter((effect) => effect.kind === "changed")).toEqual([
      { kind: "changed", died: ["node-02"] },
    ]);
    expect(view.alive()).toEqual(["node-03"]);
  });

  it("are not declared dead by a process that was itself stalled: their beats still wait to be read", () => {
    const view = new View();
    view.run(1000, ["node-02", "node-03"]);
    view.now += 3000;
    view.step({ kind: "tick" });
    expect(view.alive()).toEqual(["node-02", "node-03"]);
    view.hear("node-02");
    view.hear("node-03");
    view.run(2000, ["node-02", "node-03"]);
    expect(view.alive()).toEqual(["node-02", "node-03"]);
  });

  it("are waited for longer on a machine that is slow, but not for ever", () => {
    const view = new View();
    view.run(1000, ["node-02", "node-03"]);
    // Every other timer comes 140 ms late: a machine short of CPU.
    const late = () => {
      view.now += 190;
      view.step({ kind: "tick" });
      view.now += 50;
      view.step({ kind: "tick" });
    };
    late();
    view.hear("node-02");
    view.hear("node-03");
    const from = view.now;
    while (view.alive().length > 0) late();
    expect(view.now - from).toBeGreaterThan(600);
    expect(view.now - from).toBeLessThan(5000);
  });

  it("that leave are gone at once, and come back only as a new incarnation", () => {
    const view = new View();
    view.run(1000, ["node-02", "node-03"]);
    expect(view.hear("node-02", { leaving: true, ready: false })).toEqual([{ kind: "changed", died: [] }]);
    expect(view.alive()).toEqual(["node-03"]);
    view.step({
      kind: "heard",
      beat: {
        node: "node-02",
        incarnation: 2,
        sequence: 1,
        intervalMs: 100,
        ready: false,
        leaving: false,
        interfaces: [],
        heard: [],
      },
    });
    expect(view.alive()).toContain("node-02");
    expect(view.state.peers.get("node-02")?.ready).toBe(false);
  });

  it("are not brought back by echoes of old beats", () => {
    const view = new View();
    view.run(1000, ["node-02", "node-03"]);
    view.run(1000, ["node-03"]);
    expect(view.alive()).toEqual(["node-03"]);
    expect(view.hear("node-02", { sequence: 5 })).toEqual([{ kind: "dropped", reason: "stale" }]);
    expect(view.alive()).toEqual(["node-03"]);
  });

  it("come back after a restart even when their clock was set back", () => {
    const view = new View();
    view.hear("node-02", { incarnation: 1000 });
    expect(view.hear("node-02", { incarnation: 900, sequence: 1 })).toEqual([{ kind: "dropped", reason: "stale" }]);
    view.run(1000, []);
    expect(view.alive()).toEqual([]);
    view.hear("node-02", { incarnation: 900, sequence: 1 });
    expect(view.alive()).toEqual(["node-02"]);
  });

  it("whose beats do not reach us live on while somebody else hears new ones, and no longer", () => {
    const view = new View();
    view.run(1000, ["node-02", "node-03"]);
    let sequence = view.state.peers.get("node-02")?.sequence ?? 0;
    for (let n = 0; n < 20; n++) {
      view.run(100, []);
      sequence += 1;
      view.hear("node-03", { heard: [{ node: "node-02", incarnation: 1, sequence }] });
    }
    expect(view.alive()).toContain("node-02");
    // The same word again and again confirms nothing.
    for (let n = 0; n < 6; n++) {
      view.run(100, []);
      view.hear("node-03", { heard: [{ node: "node-02", incarnation: 1, sequence }] });
    }
    expect(view.alive()).toEqual(["node-03"]);
  });

  it("are forgotten with their Node", () => {
    const view = new View();
    view.run(500, ["node-02", "node-03"]);
    view.step({ kind: "addresses", addresses: new Map([["node-03", "10.0.0.3"]]) });
    expect(view.alive()).toEqual(["node-03"]);
  });

  it("ignore a speaker that goes by our own name", () => {
    const view = new View();
    expect(view.hear("node-01")).toEqual([{ kind: "dropped", reason: "own_name" }]);
  });

  it.each([
    [3, 100],
    [20, 100],
    [21, 200],
    [200, 1000],
  ])("of a cluster of %i beat every %i ms, so that the sum stays bounded", (members, interval) => {
    expect(beatInterval(members)).toBe(interval);
  });

  it("never die while their beats arrive, whatever the jitter of arrival and of our timers", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            gap: fc.integer({ min: 60, max: 180 }),
            ticks: fc.array(fc.integer({ min: 20, max: 400 }), { maxLength: 3 }),
          }),
          { maxLength: 60 },
        ),
        (beats) => {
          const view = new View(["node-02"]);
          view.hear("node-02");
          for (const { gap, ticks } of beats) {
            const until = view.now + gap;
            for (const tick of ticks) {
              if (view.now + tick > until) break;
              view.now += tick;
              view.step({ kind: "tick" });
            }
            view.now = until;
            view.hear("node-02");
            view.step({ kind: "tick" });
          }
          expect(view.alive()).toEqual(["node-02"]);
        },
      ),
    );
  });
});
