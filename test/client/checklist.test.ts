import { describe, expect, it } from "vitest";
import type { OperationRow } from "#api/dashboard/operations";
import { busyStep, currentStep, outcomeOf } from "#client/checklist";

const NONE = { preflight: false, install: false, pool: false, workload: false, expose: false, probe: false };

function operation(kind: OperationRow["kind"], state: OperationRow["state"], labels: readonly string[]): OperationRow {
  const steps = labels.map((label, index) => ({
    name: label,
    label,
    state: state === "running" && index === labels.length - 1 ? ("running" as const) : ("done" as const),
    elapsedMs: 400 * (index + 1),
    detail: null,
  }));
  return { id: `${kind}-${state}`, kind, target: "x", state, startedAt: "2026-01-01T00:00:00Z", steps };
}

describe("the first-run checklist", () => {
  it("leads to the first step that is not done, in the order of the story", () => {
    expect(currentStep(NONE)).toBe("preflight");
    expect(currentStep({ ...NONE, preflight: true, pool: true })).toBe("install");
    expect(currentStep({ preflight: true, install: true, pool: true, workload: true, expose: true, probe: true })).toBe(
      null,
    );
  });
  it("stays at a step while its work is under way, though its goal is reached already", () => {
    expect(busyStep([operation("fix", "done", ["a"]), operation("expose", "running", ["Applying"])])).toBe("expose");
  });
  it("is busy with nothing when only other work runs", () => {
    expect(busyStep([operation("unexpose", "running", ["a"]), operation("expose", "done", ["a"])])).toBe(null);
  });
  it("says how a step ended, and when", () => {
    const done = operation("expose", "done", ["Applying", "Reachable: Pod a answered in 3 ms"]);
    expect(outcomeOf("expose", [done])).toBe("Reachable: Pod a answered in 3 ms, after 0.8 s");
  });
  it("says nothing of a step that was done elsewhere", () => {
    expect(outcomeOf("pool", [operation("expose", "done", ["a"])])).toBe(null);
  });
});
