import { describe, expect, it } from "vitest";
import { configurationStatus } from "#api/configuration-state";
import type { ConfigurationState } from "#api/metallb";
import type { Finding } from "#core/findings";

const finding: Finding = {
  severity: "error",
  kind: "IPAddressPool",
  object: "metallb-system/p",
  field: "spec.addresses.0",
  message: "it is inverted",
  fix: "write 10.0.0.1-10.0.0.9",
};
const says = (findings: readonly Finding[], current?: ConfigurationState["status"] | null, now = "t1") =>
  configurationStatus("poolReconcilerValid", findings, { current: current ?? undefined, now });

describe("configurationStatus", () => {
  it("names kind, object, field, what is wrong and what would be right", () => {
    expect(says([finding])).toMatchObject({
      result: "Invalid",
      errorSummary: "IPAddressPool p: spec.addresses.0: it is inverted; write 10.0.0.1-10.0.0.9",
      conditions: [{ type: "poolReconcilerValid", status: "False", reason: "ConfigurationError" }],
    });
  });

  it("says as many errors as a condition may hold, and how many more there are", () => {
    const many = Array.from({ length: 1000 }, (_, i) => ({ ...finding, object: `metallb-system/pool-${i}` }));
    const { errorSummary = "" } = says(many) ?? {};
    expect(errorSummary.length).toBeLessThanOrEqual(32_768);
    const lines = errorSummary.split("\n");
    expect(lines.at(-1)).toBe(`${1000 - lines.length + 1} more errors are not listed`);
  });

  it("says nothing when it is said already", () => {
    const valid = says([]);
    expect(valid).toMatchObject({ result: "Valid", errorSummary: "", conditions: [{ reason: "Reconciled" }] });
    expect(says([], valid, "t2")).toBeNull();
  });

  it("moves the time of the transition only with the verdict", () => {
    const valid = says([]);
    const invalid = says([finding], valid, "t3");
    expect(invalid?.conditions).toMatchObject([{ status: "False", lastTransitionTime: "t3" }]);
    const worse = says([finding, { ...finding, message: "worse" }], invalid, "t4");
    expect(worse?.conditions).toMatchObject([{ status: "False", lastTransitionTime: "t3" }]);
  });

  it("is not bothered by warnings", () => {
    expect(says([{ ...finding, severity: "warning" }])).toMatchObject({ result: "Valid" });
  });

  it("replaces conditions that somebody else left unreadable", () => {
    const odd = { result: "Weird", conditions: [null, 5, { type: 7 }] } as unknown as ConfigurationState["status"];
    expect(says([], odd)).toMatchObject({ result: "Valid", conditions: [{ type: "poolReconcilerValid" }] });
    expect(says([], { conditions: "none" } as unknown as ConfigurationState["status"])?.conditions).toHaveLength(1);
  });
});
