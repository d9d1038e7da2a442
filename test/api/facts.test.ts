import { describe, expect, it } from "vitest";
import { heardAlive, serviceOfReport, serviceOfSlice, toEndpointFacts } from "#api/facts";
import type { SpeakerState } from "#api/metallb";
import { LABEL } from "#api/names";
import { byAge, isSameSpec } from "#api/resources";

const says = (own: string, alive: readonly string[], dead: readonly string[] = []): SpeakerState => ({
  metadata: { name: own },
  status: {
    node: own,
    members: [
      ...alive.map((node) => ({ node, alive: true, ready: true })),
      ...dead.map((node) => ({ node, alive: false, ready: false })),
    ],
  },
});

const votes: readonly { name: string; states: readonly SpeakerState[]; want: Record<string, boolean> }[] = [
  {
    name: "believes the living about the dead",
    states: [says("a", ["b"], ["c"]), says("b", ["a"], ["c"]), says("c", ["a", "b"])],
    want: { a: true, b: true, c: false },
  },
  {
    name: "does not let one that is cut off from the others talk them dead",
    states: [says("a", ["b"], ["c"]), says("b", ["a"], ["c"]), says("c", [], ["a", "b"])],
    want: { a: true, b: true, c: false },
  },
  { name: "takes nobody's word about itself", states: [says("a", ["a"])], want: {} },
  { name: "survives a state without status", states: [{ metadata: { name: "a" } }], want: {} },
];

describe("heardAlive", () => {
  it.each(votes)("$name", ({ states, want }) => expect(Object.fromEntries(heardAlive(states))).toEqual(want));
});

describe("objects cut down to facts", () => {
  it("an endpoint serves when ready is unset or true, or while it terminates and still serves", () => {
    const conditions = [undefined, { ready: true }, { ready: false }, { ready: false, serving: true }, { ready: null }];
    const endpoints = conditions.map((each) => ({ ...(each && { conditions: each }) }));
    expect(toEndpointFacts([{ metadata: {}, endpoints }]).map(({ serving }) => serving)).toEqual([
      true,
      true,
      false,
      true,
      true,
    ]);
    expect(toEndpointFacts([{ metadata: {}, endpoints: null }])).toEqual([]);
  });

  it("slices and reports know their Service, or none", () => {
    const at = { name: "x", namespace: "shop" };
    expect(serviceOfSlice({ metadata: { ...at, labels: { [LABEL.sliceService]: "web" } } })).toBe("shop/web");
    expect(serviceOfSlice({ metadata: at })).toBeNull();
    const labels = { [LABEL.serviceName]: "web", [LABEL.serviceNamespace]: "shop" };
    expect(serviceOfReport({ metadata: { name: "l2-1", labels } })).toBe("shop/web");
    expect(serviceOfReport({ metadata: {}, status: { serviceName: "web", serviceNamespace: "shop" } })).toBe(
      "shop/web",
    );
    expect(serviceOfReport({ metadata: {} })).toBeNull();
  });
});

describe("resources", () => {
  it("sorts oldest first, then by key, and what has no date last", () => {
    const object = (name: string, creationTimestamp?: string) => ({
      metadata: { name, ...(creationTimestamp && { creationTimestamp }) },
    });
    const sorted = [object("z"), object("b", "2026-01-02T00:00:00Z"), object("c", "2026-01-01T00:00:00Z")]
      .concat(object("a", "2026-01-02T00:00:00Z"))
      .toSorted(byAge);
    expect(sorted.map(({ metadata }) => metadata.name)).toEqual(["c", "a", "b", "z"]);
  });

  it("takes a change of status for no change of spec, and a new object for one", () => {
    const base = { metadata: { name: "p", resourceVersion: "1" }, spec: { a: 1 } };
    expect(isSameSpec({ ...base, metadata: { name: "p", resourceVersion: "2" } }, base)).toBe(true);
    expect(isSameSpec({ ...base, metadata: { name: "p", labels: { a: "b" } } }, base)).toBe(false);
    expect(isSameSpec(base, undefined)).toBe(false);
  });
});
