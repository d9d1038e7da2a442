import { describe, expect, it, vi } from "vitest";
import { pool, Rig, service } from "./rig.ts";

const SERVICES = 200;
const ip = (index: number) => `127.78.0.${index + 1}`;

/** Two pools, and so many Services that all have an address of the first. */
async function settled(): Promise<Rig> {
  const rig = new Rig();
  rig.threeNodes();
  await rig.put(pool("large", "127.78.0.0/24"), pool("other", "127.79.0.1-127.79.0.9"));
  const all = Array.from({ length: SERVICES }, (_, index) => service(`s${index}`, { ingress: [ip(index)] }));
  await rig.put(...all);
  return await rig.start();
}

/** How many Services were looked at so far. */
function looks(rig: Rig): number {
  const line = /^metallb_k8s_client_updates_total (\d+)$/m.exec(rig.metrics.render());
  return Number(line?.[1]);
}

describe("an edit of a pool", () => {
  it("that touches no assigned address looks at no Service, however many there are", async () => {
    const rig = await settled();
    const before = looks(rig);
    expect(before).toBeGreaterThanOrEqual(SERVICES);
    await rig.put(pool("other", "127.79.0.1-127.79.0.50"), pool("third", "127.80.0.0/24"));
    await rig.put(pool("other", "127.79.0.2-127.79.0.3", { serviceAllocation: { priority: 1 } }));
    expect(looks(rig)).toBe(before);
  });

  it("looks at those only whose address it touches, and at those who wait", async () => {
    const rig = await settled();
    await rig.put(
      service("mine", { ingress: ["127.79.0.1"] }),
      service("waits", { spec: { loadBalancerIP: "127.79.0.99" } }),
    );
    const before = looks(rig);
    await rig.put(pool("other", ["127.79.0.9/32", "127.79.0.99/32"]));
    expect([rig.addresses("mine"), rig.addresses("waits")]).toEqual([["127.78.0.0"], ["127.79.0.99"]]);
    expect(looks(rig) - before).toBeLessThan(10);
  });

  it("that touches all of them is worked off in slices, between which others are answered", async () => {
    const rig = await settled();
    const [before, standing] = [looks(rig), rig.clock.monotonic()];
    // Each look at the clock takes a millisecond, and nothing else does.
    let ticks = 0;
    const ticking = vi.spyOn(rig.clock, "monotonic").mockImplementation(() => standing + ticks++);
    const seen = new Set<number>();
    const turn = () => {
      seen.add(looks(rig) - before);
      if (looks(rig) - before < SERVICES) setImmediate(turn);
    };
    setImmediate(turn);
    await rig.put(pool("large", "127.78.0.0/24", { avoidBuggyIPs: false, autoAssign: false }));
    ticking.mockRestore();
    expect(looks(rig) - before).toBe(SERVICES);
    expect(seen.size).toBeGreaterThan(3);
  });
});
