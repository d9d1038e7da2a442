import { describe, expect, it } from "vitest";
import { heardAlive, interfacesUp, serviceOfReport } from "#api/facts";
import type { ServiceL2Status, SpeakerState } from "#api/metallb";
import { compileConfiguration } from "#core/configuration";
import { electAnnouncer } from "#core/election";
import { fc } from "../support/random.ts";

/** An object of which the API server guarantees no more than its metadata. */
const unsound = (spec: unknown) => ({ metadata: { name: "odd" }, spec, status: spec });

const FIELDS = [
  "addresses",
  "autoAssign",
  "serviceAllocation",
  "priority",
  "namespaces",
  "namespaceSelectors",
  "serviceSelectors",
  "matchLabels",
  "matchExpressions",
  "key",
  "operator",
  "values",
  "ipAddressPools",
  "nodeSelectors",
  "interfaces",
  "preferredNodeSelectors",
  "preference",
  "members",
  "node",
  "alive",
  "serviceName",
] as const;
const { anything } = fc.letrec((tie) => ({
  anything: fc.oneof(
    { depthSize: "medium" },
    fc.constantFrom(null, true, 0, -1.5, "", "10.0.0.0/24", "In", "💥"),
    fc.array(tie("anything"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...FIELDS), tie("anything"), { maxKeys: 6 }),
  ),
}));

describe("custom resources that no CRD has checked", () => {
  it("are read without an exception, and compiled and elected with", () => {
    fc.assert(
      fc.property(anything, fc.array(anything, { maxLength: 3 }), (spec, others) => {
        const objects = [spec, ...others].map(unsound);
        const { configuration } = compileConfiguration({ pools: objects, l2Advertisements: objects });
        electAnnouncer({
          service: {
            key: "default/web",
            labels: {},
            isLoadBalancer: true,
            addresses: ["10.0.0.1"],
            policyLocal: false,
            sharedKeyPresent: false,
          },
          pool: configuration.pools[0]?.name ?? null,
          advertisements: configuration.l2Advertisements,
          nodes: [{ name: "n", labels: {}, networkUnavailable: false, alive: true, ready: true, interfaces: ["eth0"] }],
          endpoints: [{ nodeName: "n", serving: true }],
        });
        const state = unsound(spec) as unknown as SpeakerState;
        heardAlive([state]);
        interfacesUp(state.status);
        serviceOfReport(unsound(spec) as unknown as ServiceL2Status);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["a text where the list of ranges belongs", { addresses: "10.0.0.0/24" }, "spec.addresses", "a list"],
    ["a number among the ranges", { addresses: [7] }, "spec.addresses.0", "must be text"],
    ["no spec at all", null, "spec.addresses", "no addresses"],
    [
      "a selector that is null",
      { addresses: ["10.0.0.0/24"], serviceAllocation: { serviceSelectors: [null] } },
      "spec.serviceAllocation.serviceSelectors.0",
      "must be an object",
    ],
    [
      "a selector list that is none, which must not open the pool to everybody",
      { addresses: ["10.0.0.0/24"], serviceAllocation: { namespaceSelectors: "team=a" } },
      "spec.serviceAllocation.namespaceSelectors",
      "must be a list",
    ],
  ])("a pool with %s is invalid, and says where", (_name, spec, field, says) => {
    const { configuration, findings } = compileConfiguration({ pools: [unsound(spec)] });
    expect(configuration.pools).toEqual([]);
    expect(findings[0]).toMatchObject({ severity: "error", field });
    expect(findings[0]?.message).toContain(says);
  });

  it("an advertisement whose node selectors cannot be read is invalid, rather than one for every node", () => {
    const { configuration, findings } = compileConfiguration({
      l2Advertisements: [unsound({ nodeSelectors: [null] })],
    });
    expect(configuration.l2Advertisements).toEqual([]);
    expect(findings[0]).toMatchObject({ field: "spec.nodeSelectors.0" });
  });
});
