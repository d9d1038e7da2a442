import { describe, expect, it } from "vitest";
import { SERVICES } from "#api/resources";
import { pool, Rig, service } from "./rig.ts";

/** What a former leader sent and a network held back: no election can call it back once it has left. */
function lands(rig: Rig, name: string, ip: string): void {
  const present = rig.server.at(SERVICES, `default/${name}`);
  if (present === undefined) throw new Error(`no service ${name}`);
  rig.server.set(SERVICES, { ...present, status: { ...present.status, loadBalancer: { ingress: [{ ip }] } } });
}

async function rigWith(...names: readonly string[]): Promise<Rig> {
  const rig = new Rig();
  await rig.put(pool("one", "10.0.0.1-10.0.0.9"), ...names.map((name) => service(name)));
  return await rig.start();
}

describe("a write of the last leader that lands late", () => {
  it("yields to the Service that has the address by now", async () => {
    const rig = await rigWith("first", "second");
    expect([rig.addresses("first"), rig.addresses("second")]).toEqual([["10.0.0.1"], ["10.0.0.2"]]);
    lands(rig, "second", "10.0.0.1");
    await rig.calm();
    expect([rig.addresses("first"), rig.addresses("second")]).toEqual([["10.0.0.1"], ["10.0.0.2"]]);
  });

  it("yields even to one whose address is decided and not yet written", async () => {
    const rig = await rigWith("first");
    rig.cluster.lag = true;
    rig.server.set(SERVICES, service("newcomer"));
    rig.cluster.deliver();
    rig.server.set(SERVICES, service("late", { ingress: ["10.0.0.2"] }));
    rig.cluster.lag = false;
    rig.cluster.deliver();
    await rig.calm();
    const all = ["first", "newcomer", "late"].flatMap((name) => rig.addresses(name));
    expect(new Set(all).size).toBe(3);
    expect(rig.addresses("newcomer")).toEqual(["10.0.0.2"]);
  });

  it("is refused when the Service was written since", async () => {
    const rig = await rigWith("first");
    const version = rig.get("first")?.metadata.resourceVersion;
    await rig.edit("first", (each) => ({ ...each, metadata: { ...each.metadata, labels: { touched: "yes" } } }));
    const late = rig.server.connect().patch(
      SERVICES,
      { name: "first", namespace: "default" },
      {
        kind: "merge",
        subresource: "status",
        body: { metadata: { resourceVersion: version }, status: { loadBalancer: { ingress: [{ ip: "10.0.0.7" }] } } },
      },
    );
    await expect(late).rejects.toMatchObject({ code: "conflict" });
    expect(rig.addresses("first")).toEqual(["10.0.0.1"]);
  });
});
