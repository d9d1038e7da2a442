import { describe, expect, it } from "vitest";
import type { Heartbeat } from "#speaker/heartbeat";
import { stepMembers } from "#speaker/members";
import { memberId } from "#speaker/ring";
import { fc } from "../support/random.ts";
import { MembersSim } from "./members-sim.ts";

const [A, B, C] = ["node-001", "node-002", "node-003"] as const;

/** Speakers that know each other and are ready; every beat is kept. */
function cluster(
  nodes = 3,
  more: { readonly latencyMs?: number; readonly duplicates?: number; readonly onHealed?: (node: string) => void } = {},
) {
  const beats: Heartbeat[] = [];
  const deaths: string[] = [];
  const sim = new MembersSim({
    nodes,
    seed: 1,
    ...more,
    onSend: (_from, beat) => void beats.push(beat),
    onChange: (node, died) => deaths.push(...died.map((member) => `${node}: ${member}`)),
  });
  sim.startAll();
  sim.run(2000);
  return { sim, beats, deaths };
}

function peer(sim: MembersSim, of: string, name: string) {
  return sim.process(of).state.peers.get(name);
}

describe("members", () => {
  it("know each other within a quarter of a second, and who is ready as soon as it is", () => {
    const sim = new MembersSim({ nodes: 5, seed: 3 });
    sim.startAll();
    sim.run(250);
    for (const name of sim.names) expect(sim.alive(name)).toEqual(sim.names);
    expect(peer(sim, A, B)?.ready).toBe(false);
    sim.run(300);
    for (const name of sim.names)
      expect(
        sim
          .process(name)
          .state.peers.values()
          .every(({ ready }) => ready),
      ).toBe(true);
  });

  it("beat ten times a second, and at once when readiness changes", () => {
    const { sim, beats } = cluster();
    beats.length = 0;
    sim.run(1000);
    const toB = beats.filter(({ node, to }) => node === A && to === memberId(B));
    expect(toB.length).toBeGreaterThanOrEqual(9);
    expect(toB.length).toBeLessThanOrEqual(11);
    sim.step(sim.process(A), { kind: "self", ready: false, interfaces: [] });
    sim.run(2);
    expect(peer(sim, B, A)).toMatchObject({ alive: true, ready: false, interfaces: [] });
  });

  it("are dead to everyone after 250 to 500 ms of silence, told once", () => {
    const { sim, deaths } = cluster();
    sim.kill(C);
    sim.run(250);
    expect(deaths).toEqual([]);
    sim.run(250);
    expect(deaths.toSorted()).toEqual([`${A}: ${C}`, `${B}: ${C}`]);
    sim.run(5000);
    expect(deaths).toHaveLength(2);
  });

  it("are dead to the last one that is left, with nobody to ask", () => {
    const { sim } = cluster();
    sim.kill(B);
    sim.kill(C);
    sim.run(500);
    expect(sim.alive(A)).toEqual([A]);
  });

  it("are suspected before they are believed dead, and no longer suspected when they are heard", () => {
    const { sim, deaths } = cluster();
    let seen = 0;
    for (let stall = 0; stall < 10; stall++) {
      sim.stall(C, 200);
      for (let step = 0; step < 50; step++) {
        sim.run(10);
        if (peer(sim, A, C)?.suspected === true) seen += 1;
      }
      expect(peer(sim, A, C)).toMatchObject({ alive: true, suspected: false });
    }
    expect(seen).toBeGreaterThan(0);
    expect(deaths).toEqual([]);
  });

  it("are not believed dead by a process that was itself stalled: their beats still wait to be read", () => {
    const { sim, deaths } = cluster();
    sim.stall(A, 3000);
    sim.run(5000);
    expect(deaths.filter((death) => death.startsWith(A))).toEqual([]);
    expect(sim.alive(B)).toEqual([A, B, C]);
  });

  it("that were thought dead and live on learn it, so that all say again what they announce; after a restart nobody does", () => {
    const healed = new Set<string>();
    const { sim } = cluster(3, { onHealed: (node) => void healed.add(node) });
    sim.kill(A);
    sim.run(2000);
    sim.start(A);
    sim.run(3000);
    expect([...healed]).toEqual([]);
    sim.stall(A, 3000);
    sim.run(6000);
    expect([...healed].toSorted()).toEqual([A, B, C]);
  });

  it("that are slow are waited for longer, by their own word, but not for ever", () => {
    const { sim, deaths } = cluster();
    sim.stall(C, 200);
    sim.run(300);
    sim.stall(C, 350);
    sim.run(600);
    expect(deaths).toEqual([]);
    sim.kill(C);
    sim.run(1500);
    expect(deaths).toHaveLength(2);
  });

  it("that a part of the others cannot hear live on by what the rest hears, ready or not", () => {
    const { sim, deaths } = cluster(4);
    sim.connected = (from, to) => !(from === C && to === A);
    sim.run(10_000);
    expect(deaths).toEqual([]);
    sim.step(sim.process(C), { kind: "self", ready: false, interfaces: ["eth1"] });
    sim.run(500);
    expect(peer(sim, A, C)).toMatchObject({ alive: true, ready: false, interfaces: ["eth1"] });
    sim.kill(C);
    sim.run(600);
    expect(sim.alive(A)).not.toContain(C);
  });

  it("of a pair with a one-way link are dead to the one that hears nothing", () => {
    const { sim } = cluster(2);
    sim.connected = (from) => from !== A;
    sim.run(1000);
    expect(sim.alive(B)).toEqual([B]);
    expect(sim.alive(A)).toEqual([A, B]);
    sim.connected = () => true;
    sim.run(400);
    expect(sim.alive(B)).toEqual([A, B]);
  });

  it("may be heard twice, and in any order", () => {
    const { sim, deaths } = cluster(3, { latencyMs: 180, duplicates: 0.3 });
    sim.run(60_000);
    expect(deaths).toEqual([]);
    expect(sim.alive(A)).toEqual([A, B, C]);
  });

  it.each([
    ["later", 5_000_000],
    ["earlier: its clock was set back", 5],
    ["the same", 1000],
  ])("come back when their process was restarted, whose clock says %s", (_name, incarnation) => {
    const { sim } = cluster();
    sim.kill(C);
    sim.run(600);
    expect(sim.alive(A)).toEqual([A, B]);
    sim.start(C, incarnation);
    sim.run(250);
    expect(sim.alive(A)).toEqual([A, B, C]);
    expect(peer(sim, A, C)?.ready).toBe(false);
    sim.run(500);
    expect(peer(sim, A, C)?.ready).toBe(true);
  });

  it("that leave are gone at once, everywhere, and their last words bring nobody back", () => {
    const { sim, beats } = cluster();
    sim.step(sim.process(C), { kind: "leave" });
    sim.run(2);
    expect(sim.alive(A)).toEqual([A, B]);
    expect(sim.alive(B)).toEqual([A, B]);
    sim.run(500);
    for (const beat of beats.filter(({ node, to }) => node === C && to === memberId(A))) sim.receive(A, beat, C);
    expect(sim.alive(A)).toEqual([A, B]);
  });

  it("are forgotten with their Node", () => {
    const { sim } = cluster();
    sim.step(sim.process(A), { kind: "addresses", addresses: new Map([[B, B]]) });
    expect(sim.alive(A)).toEqual([A, B]);
  });

  it("tell their predecessor, and nobody else, what they took, and say it again in case it was lost", () => {
    const { sim, beats } = cluster();
    beats.length = 0;
    sim.step(sim.process(A), { kind: "took", addresses: ["192.0.2.1"], from: B });
    sim.run(300);
    const told = beats.filter(({ took }) => took.length > 0);
    expect(told.map(({ node, to, took }) => [node, to, took])).toEqual(
      Array.from({ length: 3 }, () => [A, memberId(B), ["192.0.2.1"]]),
    );
  });
});

describe("recordings", () => {
  it("of a dead member bring it back to nobody, in whatever order they are played", () => {
    const { sim, beats } = cluster();
    sim.kill(C);
    sim.run(4000);
    const recorded = beats.filter(({ node }) => node === C);
    const { state } = sim.process(A);
    const now = sim.now + sim.process(A).zero;
    fc.assert(
      fc.property(fc.shuffledSubarray(recorded, { minLength: 1, maxLength: 40 }), (played) => {
        let after = state;
        for (const beat of played) after = stepMembers(after, { kind: "heard", beat, from: C }, now).state;
        expect(after.peers.get(C)?.alive).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it("are not believed by a receiver that was restarted and remembers nothing", () => {
    const { sim, beats } = cluster();
    sim.kill(C);
    sim.kill(A);
    sim.run(600);
    sim.start(A);
    sim.run(1000);
    expect(sim.alive(A)).toEqual([A, B]);
    const recorded = beats.filter(({ node, to }) => node === C && to === memberId(A));
    for (const beat of recorded) sim.receive(A, beat, C);
    expect(sim.alive(A)).toEqual([A, B]);
    expect(peer(sim, A, C)).toBeUndefined();
  });
});
