import { describe, expect, it } from "vitest";
import { Fault } from "#core/errors";
import { parseFieldSelector, parseLabelSelector } from "#sandbox/apiserver/selectors";
import { fc } from "../../support/random.ts";

const object = {
  metadata: { name: "web", namespace: "shop", labels: { app: "web", tier: "front", "berth.dev/n": "5" } },
  spec: { nodeName: "node-01", replicas: 3 },
  source: { component: "kubelet" },
};

describe("a label selector", () => {
  const rows: [string, boolean][] = [
    ["", true],
    ["app=web", true],
    ["app==web,tier=front", true],
    ["app=web,tier=back", false],
    ["app!=web", false],
    ["missing!=x", true],
    ["app in (web, api)", true],
    ["app in (api)", false],
    ["app notin (api)", true],
    ["missing notin (x)", true],
    ["app", true],
    ["!app", false],
    ["!missing", true],
    ["berth.dev/n>4", true],
    ["berth.dev/n<5", false],
    [" app = web , tier in (front,back) ", true],
    ["missing=", false],
  ];
  it.each(rows)("%j is %s for the object", (text, want) => {
    expect(parseLabelSelector(text)(object)).toBe(want);
  });

  it.each(["a b", "=x", "app in web", "app in (a", "a=b=c", "app>x", "a,,b", "-a=b", "a=b!"])("refuses %j", (text) => {
    expect(() => parseLabelSelector(text)).toThrow(Fault);
  });

  it("fails only with a Fault, whatever the text, and quickly", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: fc.constantFrom(..."ab=!<>(), in/.-~") }), (text) => {
        try {
          parseLabelSelector(text)(object);
        } catch (thrown) {
          expect(thrown instanceof Fault).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("a field selector", () => {
  const rows: [string, boolean][] = [
    ["metadata.name=web", true],
    ["metadata.name!=web", false],
    ["spec.nodeName=node-01,metadata.namespace==shop", true],
    ["spec.nodeName=", false],
    ["status.phase=", true],
    ["status.phase!=Running", true],
    ["status.replicas=0", true],
    ["spec.unschedulable=false", true],
    ["source=kubelet", true],
  ];
  const supported = new Set([
    "metadata.name",
    "metadata.namespace",
    "spec.nodeName",
    "spec.unschedulable",
    "status.phase",
    "status.replicas",
    "source",
  ]);
  it.each(rows)("%j is %s for the object", (text, want) => {
    expect(parseFieldSelector(text, supported)(object)).toBe(want);
  });

  it("refuses what the kind does not support, as the real server does", () => {
    expect(() => parseFieldSelector("spec.replicas=3", supported)).toThrow("field label not supported: spec.replicas");
    expect(() => parseFieldSelector("gibberish", supported)).toThrow("can't understand 'gibberish'");
  });
});
