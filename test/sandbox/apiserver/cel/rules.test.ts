import { describe, expect, it } from "vitest";
import { readManifests } from "#main/manifests";
import { brokenRules, compileRules, ruleCauses } from "#sandbox/apiserver/cel/rules";
import type { Json } from "#sandbox/kinds/definition";
import { fc } from "../../../support/random.ts";

const SCHEMAS: readonly Json[] = readManifests("crds").flatMap((crd) =>
  // biome-ignore lint/suspicious/noExplicitAny: a definition of any shape
  (crd as any).spec.versions.map((version: any) => version.schema.openAPIV3Schema as Json),
);

describe("the rules of our definitions", () => {
  it("can all be read", () => {
    expect(SCHEMAS.flatMap((schema) => ruleCauses(schema, "schema"))).toEqual([]);
    expect(SCHEMAS.filter((schema) => compileRules(schema) !== undefined).length).toBeGreaterThan(3);
  });

  it("give causes with a field and words for any object, right or wrong, before and after", () => {
    const trees = SCHEMAS.flatMap((schema) => compileRules(schema) ?? []);
    const names = "spec status node serviceName connectTime enableGracefulRestart serviceSelectors aggregationLength";
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, false, 0, 32, 1.5, "", "1s", "x"),
        fc.array(tie("any"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names.split(" ")), tie("any"), { maxKeys: 4 }),
      ),
    })).any;
    const object = fc.record({ spec: value, status: value, metadata: fc.constant({ name: "x" }) });
    fc.assert(
      fc.property(fc.constantFrom(...trees), object, fc.option(object), (tree, now, old) => {
        for (const cause of brokenRules(tree, now as Json, (old ?? undefined) as Json | undefined)) {
          expect(cause.field).not.toBe("");
          expect(cause.message).toMatch(/^Invalid value: "\w+": ./);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
