import { describe, expect, it } from "vitest";
import { IPAddressPool, L2Advertisement, type SpeakerState } from "#api/metallb";
import { soundAdvertisement, soundPool, soundSpeakerState } from "#server/sound";

const object = (rest: Readonly<Record<string, unknown>>) => ({ metadata: { name: "odd" }, ...rest }) as never;

describe("objects that another CRD let in", () => {
  it("stay the very same object when nothing is wrong with them", () => {
    const pool = object({ spec: { addresses: ["10.0.0.0/24"], autoAssign: true, avoidBuggyIPs: false } });
    const advertisement = object({});
    expect(soundPool(pool)).toBe(pool);
    expect(soundAdvertisement(advertisement)).toBe(advertisement);
  });

  it.each([
    [null],
    ["text"],
    [[]],
    [{ addresses: "10.0.0.0/24" }],
    [{ addresses: [1, null], serviceAllocation: { priority: "high", namespaces: 5, serviceSelectors: [null] } }],
  ])("a pool with spec %j gets the shape that everything behind it relies on", (spec) => {
    const sound = soundPool(object({ spec, status: { assignedIPv4: "many" } }));
    expect(IPAddressPool.safeParse(sound).error).toBeUndefined();
    expect(soundPool(sound)).toBe(sound);
  });

  it.each([["text"], [{ ipAddressPools: "p", nodeSelectors: [null], preferredNodeSelectors: [{ weight: 1 }] }]])(
    "so does an advertisement with spec %j",
    (spec) => {
      expect(L2Advertisement.safeParse(soundAdvertisement(object({ spec }))).error).toBeUndefined();
    },
  );

  it("a report that cannot be read is none", () => {
    const state: SpeakerState = object({ status: { members: "all", node: 7 } });
    expect(soundSpeakerState(state).status).toBeUndefined();
  });
});
