import { describe, expect, it } from "vitest";
import { verdictOf } from "#sandbox/apiserver/webhooks/verdict";
import { fc } from "../../support/random.ts";

describe("a webhook's reply", () => {
  it("is a verdict in words, whatever it holds", () => {
    const loose = fc.record(
      {
        apiVersion: fc.constantFrom("admission.k8s.io/v1", "v1", 7),
        kind: fc.constantFrom("AdmissionReview", null),
        response: fc.oneof(
          fc.jsonValue(),
          fc.record(
            {
              uid: fc.constantFrom("u", "v", 1),
              allowed: fc.constantFrom(true, false, "true", null),
              warnings: fc.jsonValue(),
              status: fc.oneof(
                fc.jsonValue(),
                fc.record({
                  code: fc.jsonValue(),
                  message: fc.jsonValue(),
                  reason: fc.jsonValue(),
                  details: fc.jsonValue(),
                }),
              ),
            },
            { requiredKeys: [] },
          ),
        ),
      },
      { requiredKeys: [] },
    );
    const text = fc.oneof(
      fc.string(),
      fc.jsonValue().map((value) => JSON.stringify(value)),
      loose.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(text, fc.constantFrom(200, 200, 200, 204, 302, 404, 500, 599), (body, code) => {
        const verdict = verdictOf("a.b.c", "u", { kind: "reply", code, text: body });
        if (verdict.kind === "broken") expect(verdict.why).not.toBe("");
        if (verdict.kind !== "denied") return;
        expect(verdict.fault.message).toContain('admission webhook "a.b.c" denied the request');
        expect(verdict.fault.status.code).toBeGreaterThanOrEqual(400);
      }),
      { numRuns: 3000 },
    );
  });
});
