import { afterEach, describe, expect, it } from "vitest";
import { AddressPage } from "#api/dashboard/addresses";
import { HoldRow } from "#api/dashboard/holds";
import { ADDRESS_HOLDS, SERVICES } from "#api/resources";
import * as oneHold from "../../app/api/holds/[name]/route.ts";
import * as holds from "../../app/api/holds/route.ts";
import * as poolAddresses from "../../app/api/pools/[name]/addresses/route.ts";
import * as diagnosis from "../../app/api/services/[namespace]/[name]/diagnosis/route.ts";
import { call, start, stop, WEB } from "./calls.ts";
import { healthyCluster, request, service } from "./fixtures.ts";

afterEach(stop);

const create = (body: unknown, query = "") => call(holds.POST, request("POST", `/api/holds${query}`, body));
const gateway = { name: "gateway", addresses: ["127.77.10.1", "127.77.10.3-127.77.10.4"], note: "router" };
const change = (method: "PUT" | "PATCH", body: unknown, query = "") =>
  call(method === "PUT" ? oneHold.PUT : oneHold.PATCH, request(method, `/x${query}`, body), { name: "gateway" });

describe("holds", () => {
  it("are created, listed, read and deleted", async () => {
    const cluster = await start();
    const { status, body } = await create(gateway);
    expect(status).toBe(201);
    expect(HoldRow.parse(body)).toMatchObject({ name: "gateway", reason: "reserved", state: "Active", expiry: null });
    expect(cluster.held(ADDRESS_HOLDS, "gateway")?.spec).toEqual({
      addresses: gateway.addresses,
      reason: "reserved",
      note: "router",
    });
    const listed = await call(holds.GET, request("GET", "/api/holds"));
    expect((listed.body as HoldRow[]).map(({ name }) => name)).toEqual(["gateway"]);
    expect((await call(oneHold.GET, request("GET", "/x"), { name: "gateway" })).body).toMatchObject({ note: "router" });
    expect((await call(oneHold.DELETE, request("DELETE", "/x"), { name: "gateway" })).body).toEqual({
      removed: "gateway",
    });
    expect((await call(oneHold.GET, request("GET", "/x"), { name: "gateway" })).status).toBe(404);
  });

  it("are only looked at with dryRun", async () => {
    const cluster = await start();
    expect((await create(gateway, "?dryRun=true")).status).toBe(201);
    expect(cluster.held(ADDRESS_HOLDS, "gateway")).toBeUndefined();
    await create(gateway);
    await change("PATCH", { note: "other" }, "?dryRun=true");
    await call(oneHold.DELETE, request("DELETE", "/x?dryRun=true"), { name: "gateway" });
    expect(cluster.held(ADDRESS_HOLDS, "gateway")?.spec.note).toBe("router");
  });

  it("are patched field by field, and replaced as a whole", async () => {
    const cluster = await start();
    await create(gateway);
    await change("PATCH", { expiry: "2027-01-01T00:00:00Z" });
    expect(cluster.held(ADDRESS_HOLDS, "gateway")?.spec).toMatchObject({
      note: "router",
      expiry: "2027-01-01T00:00:00Z",
    });
    await change("PATCH", { expiry: null });
    expect(cluster.held(ADDRESS_HOLDS, "gateway")?.spec).not.toHaveProperty("expiry");
    await change("PUT", { addresses: ["127.77.10.9"] });
    expect(cluster.held(ADDRESS_HOLDS, "gateway")?.spec).toEqual({ addresses: ["127.77.10.9"], reason: "reserved" });
  });

  it.each([
    ["addresses that are none", { addresses: ["127.77.10.300"] }, "addresses.0"],
    ["no addresses", { addresses: [] }, "addresses"],
    ["a time that is none", { expiry: "tomorrow" }, "expiry"],
    ["a reason nobody knows", { reason: "mine" }, "reason"],
  ])("are refused with the field: %s", async (_name, wrong, field) => {
    await start();
    const { status, body } = await create({ ...gateway, ...wrong });
    expect(status).toBe(422);
    expect(Object.keys((body as { fields: object }).fields)).toContain(field);
  });

  it("say what was changed by somebody else, and what is not there", async () => {
    await start();
    await create(gateway);
    expect((await change("PATCH", { note: "x", resourceVersion: "1" })).status).toBe(409);
    expect((await create(gateway)).status).toBe(409);
    expect((await call(oneHold.DELETE, request("DELETE", "/x"), { name: "other" })).status).toBe(404);
  });

  it("show in the pool's addresses, by name and note, and who keeps what he has", async () => {
    const cluster = healthyCluster();
    cluster.seed(SERVICES, service("web", { ip: "127.77.10.3" }));
    await start(cluster);
    const row = HoldRow.parse((await create(gateway)).body);
    expect(row.services).toEqual(["default/web"]);
    const page = AddressPage.parse(
      (await call(poolAddresses.GET, request("GET", "/x?offset=0&limit=4"), { name: "production" })).body,
    );
    expect(page.addresses.map(({ state }) => state)).toEqual(["held", "free", "assigned", "held"]);
    expect(page.addresses[0]?.note).toBe("127.77.10.1 is reserved by AddressHold gateway (router)");
    expect(page.nextFree).toBe("127.77.10.2");
  });

  it("are the reason that a diagnosis gives", async () => {
    const cluster = healthyCluster();
    const web = service("web");
    cluster.seed(SERVICES, { ...web, spec: { ...web.spec, type: "LoadBalancer", loadBalancerIP: "127.77.10.1" } });
    await start(cluster);
    await create(gateway);
    const { body } = await call(diagnosis.GET, request("GET", "/x"), WEB);
    expect((body as { text: string }).text).toContain("127.77.10.1 is reserved by AddressHold gateway (router)");
  });
});
