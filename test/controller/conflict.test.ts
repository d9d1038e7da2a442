import { describe, expect, it } from "vitest";
import { MOVES_PER_MINUTE } from "#controller/move-budget";
import { pool, Rig, service } from "./rig.ts";

const MAC = "52:54:00:00:00:99";
const seen = { reason: "conflict" as const, mac: MAC, node: "node-02" };
const why = (ip: string, hold: string) =>
  `${ip} is set aside by AddressHold ${hold}: ${MAC} answers for it, seen by node-02`;

async function rig(): Promise<Rig> {
  const made = new Rig();
  await made.start();
  await made.put(pool("production", "10.0.0.1-10.0.0.100"));
  return made;
}

describe("when another machine uses an address, the controller", () => {
  it("gives the Service another one, and says which machine and hold", async () => {
    const r = await rig();
    await r.put(service("nginx"));
    await r.hold("conflict-10-0-0-1", "10.0.0.1", seen);
    expect(r.says("nginx")).toBe("10.0.0.2 (production)");
    expect(r.eventTexts("nginx")).toContain(
      `Normal ClearAssignment: 10.0.0.1 given up: ${why("10.0.0.1", "conflict-10-0-0-1")}`,
    );
    await r.unhold("conflict-10-0-0-1");
    expect(r.says("nginx")).toBe("10.0.0.2 (production)");
  });

  it("leaves an address that was asked for, says so on the Service and once as Event, and takes it back when it is over", async () => {
    const r = await rig();
    await r.put(service("nginx", { annotations: { "metallb.io/loadBalancerIPs": "10.0.0.1" } }));
    await r.hold("h", "10.0.0.1", seen);
    const condition = () =>
      r.get("nginx")?.status?.conditions?.find(({ type }) => type === "berth.dev/AddressAssigned");
    expect(r.addresses("nginx")).toEqual(["10.0.0.1"]);
    expect(condition()).toMatchObject({
      status: "True",
      reason: "Held",
      message: `10.0.0.1 from pool production; ${why("10.0.0.1", "h")}; it stays: the Service asks for it`,
    });
    await r.hold("h", "10.0.0.1", { ...seen, expiry: "2026-06-01T00:00:00Z" });
    const warned = () => r.eventTexts("nginx").filter((line) => line.startsWith("Warning AddressConflict"));
    expect(warned()).toEqual([`Warning AddressConflict: ${why("10.0.0.1", "h")}; it stays: the Service asks for it`]);
    await r.unhold("h");
    expect(condition()).toMatchObject({ reason: "Satisfied", message: "10.0.0.1 from pool production" });
  });

  it("moves nothing for a reservation", async () => {
    const r = await rig();
    await r.put(service("nginx"));
    await r.hold("mine", "10.0.0.0/24", { reason: "reserved" });
    expect(r.says("nginx")).toBe("10.0.0.1 (production)");
  });

  it("moves nothing for a hold that is over", async () => {
    const r = await rig();
    await r.put(service("nginx"));
    await r.hold("old", "10.0.0.1", { ...seen, expiry: "2020-01-01T00:00:00Z" });
    expect(r.says("nginx")).toBe("10.0.0.1 (production)");
  });

  it(`moves ${MOVES_PER_MINUTE} Services in a minute at most, whatever answers for everything, and the others later`, async () => {
    const r = await rig();
    const names = Array.from({ length: 12 }, (_unused, n) => `s${String(n).padStart(2, "0")}`);
    for (const name of names) await r.put(service(name));
    const moved = () => names.filter((name, n) => r.addresses(name).join() !== `10.0.0.${n + 1}`).length;
    await r.hold("all", "10.0.0.1-10.0.0.12", seen);
    expect(moved()).toBe(MOVES_PER_MINUTE);
    await r.calm(50_000);
    expect(moved()).toBe(MOVES_PER_MINUTE);
    await r.calm(15_000);
    expect(moved()).toBe(2 * MOVES_PER_MINUTE);
    await r.calm(65_000);
    expect(moved()).toBe(12);
    const all = names.flatMap((name) => r.addresses(name));
    expect(new Set(all).size).toBe(12);
  });

  it("moves a Service that had nowhere to go as soon as there is room", async () => {
    const r = new Rig();
    await r.start();
    await r.put(pool("production", "10.0.0.1-10.0.0.2"), service("a"), service("b"));
    await r.hold("h", "10.0.0.1", seen);
    expect(r.says("a")).toBe("10.0.0.1 (production)");
    await r.delete("b");
    expect(r.says("a")).toBe("10.0.0.2 (production)");
  });

  it("adopts after a restart what is in conflict, and moves it then", async () => {
    const r = await rig();
    await r.put(service("nginx"), service("other"));
    await r.kill();
    await r.hold("h", "10.0.0.1", seen);
    await r.start();
    expect(r.says("nginx")).toBe("10.0.0.3 (production)");
    expect(r.says("other")).toBe("10.0.0.2 (production)");
  });
});
