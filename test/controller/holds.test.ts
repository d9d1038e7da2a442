import { describe, expect, it } from "vitest";
import { ADDRESS_HOLDS, IP_ADDRESS_POOLS, SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import { NS, pool, Rig, service } from "./rig.ts";

const ONE = pool("one", "10.0.0.1-10.0.0.3");
const old = { createdAt: "2026-03-01T00:00:00Z" };
const young = { createdAt: "2026-03-02T00:00:00Z" };
const inSeconds = (rig: Rig, seconds: number) => new Date(rig.clock.now() + seconds * 1000).toISOString();

async function rigWithHold(addresses: string): Promise<Rig> {
  const rig = new Rig();
  await rig.put(ONE);
  await rig.hold("h", addresses);
  return await rig.start();
}
const status = (rig: Rig, name = "h") => rig.server.at(ADDRESS_HOLDS, name)?.status;

describe("an AddressHold", () => {
  it("keeps its addresses from being given out, from the first moment of the controller", async () => {
    const rig = new Rig();
    await rig.put(ONE, service("web"));
    await rig.hold("h", "10.0.0.1-10.0.0.2");
    await rig.start();
    expect(rig.says("web")).toBe("10.0.0.3 (one)");
    expect(status(rig)).toEqual({ state: "Active" });
  });

  it("refuses who asks for one of them, and says who holds it, in condition and Event", async () => {
    const rig = await rigWithHold("10.0.0.2");
    await rig.put(service("web", { spec: { loadBalancerIP: "10.0.0.2" } }));
    expect(rig.says("web")).toBe("Held: 10.0.0.2 is reserved by AddressHold h");
    expect(rig.eventTexts("web")).toEqual([
      'Warning AllocationFailed: Failed to allocate IP for "default/web": 10.0.0.2 is reserved by AddressHold h',
    ]);
    expect(rig.metrics.render()).toContain('berth_controller_refusals{reason="held"} 1');
  });

  it("takes nothing from a Service that has the address, through an edit and a restart", async () => {
    const rig = new Rig();
    await rig.put(ONE, service("web"));
    await rig.start();
    await rig.hold("h", "10.0.0.0/8", { reason: "conflict" });
    await rig.edit("web", (each) => ({ ...each, spec: { ...each.spec, ports: [{ port: 81 }] } }));
    expect(rig.says("web")).toBe("10.0.0.1 (one)");
    await rig.kill();
    await rig.start();
    expect(rig.says("web")).toBe("10.0.0.1 (one)");
    await rig.delete("web");
    await rig.put(service("web"));
    expect(rig.says("web")).toBe("Exhausted: one: exhausted (0 of 3 in use, 3 held)");
  });

  it.each<{ name: string; end: (rig: Rig) => Promise<void> }>([
    { name: "is deleted", end: (rig) => rig.unhold("h") },
    { name: "is narrowed", end: (rig) => rig.hold("h", "10.0.0.2-10.0.0.3") },
    { name: "expires by itself", end: (rig) => rig.calm(30_000) },
    {
      name: "is given an expiry that has passed",
      end: (rig) => rig.hold("h", "10.0.0.0/8", { expiry: inSeconds(rig, -1) }),
    },
  ])("serves who waited, the oldest first, when it $name", async ({ name, end }) => {
    const rig = new Rig();
    await rig.put(pool("one", "10.0.0.1/32"));
    await rig.hold("h", "10.0.0.0/8", name.startsWith("expires") ? { expiry: inSeconds(rig, 20) } : {});
    await rig.start();
    await rig.put(service("young", young), service("old", old));
    expect([rig.addresses("old"), rig.addresses("young")]).toEqual([[], []]);
    await end(rig);
    expect([rig.addresses("old"), rig.addresses("young")]).toEqual([["10.0.0.1"], []]);
  });

  it("says in its status when it is over, and is not over before, however far away that is", async () => {
    const rig = await rigWithHold("10.0.0.0/8");
    await rig.hold("h", "10.0.0.0/8", { expiry: inSeconds(rig, 5 * 24 * 3600) });
    await rig.put(service("web"));
    await rig.calm(4 * 24 * 3600_000);
    expect([status(rig), rig.addresses("web")]).toEqual([{ state: "Active" }, []]);
    await rig.calm(2 * 24 * 3600_000);
    expect([status(rig), rig.addresses("web")]).toEqual([{ state: "Expired" }, ["10.0.0.1"]]);
  });

  it("that is made invalid stays in force as it was, says so once, and recovers", async () => {
    const rig = await rigWithHold("10.0.0.1");
    await rig.hold("h", "10.0.0.9-10.0.0.1");
    await rig.put(service("web"));
    expect(rig.says("web")).toBe("10.0.0.2 (one)");
    expect(status(rig)?.state).toBe("Invalid");
    expect(status(rig)?.message).toMatch(
      /^spec.addresses.0: .*inverted.*; until then the version before stays in force$/,
    );
    await rig.hold("other", "10.99.0.1");
    const [event, ...more] = rig.events("h");
    expect(event).toMatchObject({
      type: "Warning",
      reason: "ConfigurationError",
      involvedObject: { kind: "AddressHold" },
    });
    // kubectl describe looks for Events whose subject has no namespace, as the hold has none.
    expect([event?.involvedObject.namespace, event?.metadata.namespace, more]).toEqual([undefined, "default", []]);
    await rig.hold("h", "10.0.0.3");
    expect(status(rig)).toEqual({ state: "Active" });
    await rig.put(service("next"));
    expect(rig.says("next")).toBe("10.0.0.1 (one)");
  });

  it("that nobody has ever seen valid holds nothing", async () => {
    const rig = await rigWithHold("nonsense");
    await rig.put(service("web"));
    expect(rig.says("web")).toBe("10.0.0.1 (one)");
    expect(status(rig)?.message).toMatch(/; until then nothing is held$/);
  });

  it("leaves the pool's counters as upstream counts them: what is held is still capacity", async () => {
    const rig = await rigWithHold("10.0.0.2-10.0.0.3");
    await rig.put(service("web"));
    expect(rig.server.at(IP_ADDRESS_POOLS, `${NS}/one`)?.status).toMatchObject({ assignedIPv4: 1, availableIPv4: 2 });
    expect(rig.metrics.render()).toContain('berth_controller_held_addresses{pool="one"} 2');
  });

  it("that comes while a write is under way is too late for that write, and in time for the next", async () => {
    const rig = new Rig();
    await rig.put(ONE);
    await rig.start();
    rig.server.fault = ({ plural, verb }) =>
      plural === SERVICES.plural && verb === "patch" ? new Fault("unavailable", "down") : null;
    await rig.put(service("web"));
    await rig.hold("h", "10.0.0.1");
    rig.server.fault = () => null;
    await rig.calm(40_000);
    expect(rig.says("web")).toBe("10.0.0.2 (one)");
  });

  it.each([
    ["is not installed", new Fault("not_found", "the server could not find the requested resource")],
    ["may not be read", new Fault("forbidden", "addressholds.berth.dev is forbidden")],
  ])("is not waited for where the kind %s", async (_why, fault) => {
    const rig = new Rig();
    rig.server.fault = ({ plural, verb }) => (plural === ADDRESS_HOLDS.plural && verb === "list" ? fault : null);
    await rig.put(ONE, service("web"));
    await rig.start();
    expect(rig.says("web")).toBe("10.0.0.1 (one)");
  });

  it("is waited for while the server does not answer: nothing is given out before", async () => {
    const rig = new Rig();
    rig.server.fault = ({ plural, verb }) =>
      plural === ADDRESS_HOLDS.plural && verb === "list" ? new Fault("unavailable", "down") : null;
    await rig.put(ONE, service("web"));
    await rig.hold("h", "10.0.0.1");
    await rig.start();
    expect([rig.controller?.ready(), rig.says("web")]).toEqual([false, "-"]);
    rig.server.fault = () => null;
    await rig.calm(2000);
    expect([rig.controller?.ready(), rig.says("web")]).toEqual([true, "10.0.0.2 (one)"]);
  });
});
