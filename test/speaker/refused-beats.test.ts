import { describe, expect, it } from "vitest";
import type { Heartbeat } from "#speaker/heartbeat";
import { initialMembers, stepMembers } from "#speaker/members";
import type { MembersEffect } from "#speaker/members-state";
import { memberId } from "#speaker/ring";

const [A, B, C] = ["node-001", "node-002", "node-003"] as const;

describe("a beat is dropped", () => {
  const start = stepMembers(initialMembers(A, 7), { kind: "self", ready: true, interfaces: [] }, 1000).state;
  const answers = { incarnation: 7, sequence: start.sequence };
  const known = stepMembers(start, { kind: "heard", beat: beatOf(B, { answers }), from: B }, 1000).state;

  it.each<[string, Partial<Heartbeat>, string]>([
    ["that goes by our own name", { node: A }, "own_name"],
    ["that was meant for somebody else", { to: memberId(C) }, "misdirected"],
    ["that was heard before", {}, "stale"],
    ["that is older than one heard", { sequence: 1 }, "stale"],
    ["of an earlier process of a live member", { incarnation: 3, sequence: 900 }, "stale"],
    ["of a later process that answers nothing", { incarnation: 9, answers: null }, "unproven"],
    [
      "that answers an earlier process of ours",
      { incarnation: 9, answers: { ...answers, incarnation: 6 } },
      "unproven",
    ],
    ["that answers what we have not said yet", { incarnation: 9, answers: { ...answers, sequence: 1e9 } }, "unproven"],
  ])("%s", (_name, more, reason) => {
    const { effects, state } = stepMembers(
      known,
      { kind: "heard", beat: beatOf(B, { answers, ...more }), from: B },
      1010,
    );
    expect(effects).toContainEqual({ kind: "dropped", reason });
    expect(state.peers).toEqual(known.peers);
  });

  it("that answers what we said too long ago", () => {
    const beat = beatOf(B, { incarnation: 9, answers });
    const { effects } = stepMembers(known, { kind: "heard", beat, from: B }, 1000 + 3100);
    expect(effects).toContainEqual({ kind: "dropped", reason: "unproven" });
  });

  it("of the thousand-and-first name that somebody makes up", () => {
    let state = start;
    for (let n = 0; n < 1100; n++) {
      const beat = beatOf(`made-up-${n}`, { answers });
      state = stepMembers(state, { kind: "heard", beat, from: B }, 1000).state;
    }
    expect(state.peers.size).toBe(1000);
    expect(state.answeredAt.size).toBeLessThanOrEqual(256);
  });
});

describe("a beat that may be a recording", () => {
  it("gets one answer in 20 ms at most, to where the member is", () => {
    const state = stepMembers(
      initialMembers(A, 1),
      { kind: "addresses", addresses: new Map([[B, "10.0.0.2"]]) },
      1000,
    ).state;
    let now = state;
    const effects: MembersEffect[] = [];
    for (let sequence = 1; sequence <= 100; sequence++) {
      const step = stepMembers(
        now,
        { kind: "heard", beat: beatOf(B, { sequence }), from: "10.9.9.9" },
        1001 + sequence / 100,
      );
      now = step.state;
      effects.push(...step.effects);
    }
    const sent = effects.flatMap((effect) => (effect.kind === "send" ? [effect.to] : []));
    expect(sent).toEqual(["10.0.0.2"]);
    expect(effects.filter((effect) => effect.kind === "dropped")).toEqual(
      Array.from({ length: 100 }, () => ({ kind: "dropped", reason: "unproven" })),
    );
  });
});

function beatOf(node: string, more: Partial<Heartbeat> = {}): Heartbeat {
  return {
    node,
    incarnation: 5,
    sequence: 500,
    to: memberId(A),
    answers: null,
    holds: 0,
    ready: true,
    leaving: false,
    watch: true,
    patienceMs: 0,
    interfaces: ["eth0"],
    took: [],
    news: [],
    ...more,
  };
}
