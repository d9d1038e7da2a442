import { afterEach, describe, expect, it } from "vitest";
import { PoolRow } from "#api/dashboard/pools";
import { Problem } from "#api/dashboard/problem";
import { IP_ADDRESS_POOLS, L2_ADVERTISEMENTS, SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import * as oneAdvertisement from "../../app/api/l2advertisements/[name]/route.ts";
import * as advertisements from "../../app/api/l2advertisements/route.ts";
import * as poolAddresses from "../../app/api/pools/[name]/addresses/route.ts";
import * as onePool from "../../app/api/pools/[name]/route.ts";
import * as poolYaml from "../../app/api/pools/[name]/yaml/route.ts";
import * as poolPreview from "../../app/api/pools/preview/route.ts";
import * as pools from "../../app/api/pools/route.ts";
import { call, start, stop } from "./calls.ts";
import { healthyCluster, request, service } from "./fixtures.ts";

afterEach(stop);

describe("pools", () => {
  const create = (body: unknown, query = "") => call(pools.POST, request("POST", `/api/pools${query}`, body));

  it("are listed with their numbers", async () => {
    await start();
    const { body } = await call(pools.GET, request("GET", "/api/pools"));
    expect((body as PoolRow[]).map((row) => PoolRow.parse(row).name)).toEqual(["production"]);
  });

  it.each([
    ["an inverted range", ["127.77.10.9-127.77.10.1"], "spec.addresses.0", "is inverted"],
    ["what no CRD of ours lets in", 7, "spec.addresses", "must be a list, and is number"],
  ])(
    "stay in force as they last were valid, and say what the controller says: %s",
    async (_name, addresses, field, says) => {
      const cluster = await start();
      const before = PoolRow.parse((await call(onePool.GET, request("GET", "/x"), { name: "production" })).body);
      const at = { name: "production", namespace: "metallb-system" };
      await cluster.patch(IP_ADDRESS_POOLS, at, { kind: "merge", body: { spec: { addresses } } });
      const row = PoolRow.parse((await call(onePool.GET, request("GET", "/x"), { name: "production" })).body);
      expect(row).toMatchObject({ valid: false, ipv4: before.ipv4, services: before.services });
      expect(row.findings[0]).toMatchObject({ severity: "error", field });
      expect(row.findings[0]?.message).toContain(says);
    },
  );

  it("are created together with their advertisement, and are there at once", async () => {
    const cluster = await start();
    const { status, body } = await create({
      name: "spare",
      addresses: ["127.77.12.0/28"],
      priority: 5,
      advertise: { name: "spare-l2", interfaces: ["eth0"] },
    });
    expect(status).toBe(201);
    expect(PoolRow.parse(body)).toMatchObject({ name: "spare", advertisedBy: ["spare-l2"], priority: 5, valid: true });
    expect(cluster.held(IP_ADDRESS_POOLS, "metallb-system/spare")?.spec).toEqual({
      addresses: ["127.77.12.0/28"],
      autoAssign: true,
      avoidBuggyIPs: false,
      serviceAllocation: { priority: 5 },
    });
    expect(cluster.held(L2_ADVERTISEMENTS, "metallb-system/spare-l2")?.spec).toEqual({
      ipAddressPools: ["spare"],
      interfaces: ["eth0"],
    });
  });

  it("are taken back when the advertisement fails", async () => {
    const cluster = await start();
    cluster.before = (verb, resource) => {
      if (verb === "create" && resource.plural === "l2advertisements")
        throw new Fault("forbidden", "no right to create advertisements");
    };
    const { status, body } = await create({
      name: "spare",
      addresses: ["127.77.12.0/28"],
      advertise: { name: "spare" },
    });
    expect(status).toBe(403);
    expect(Problem.parse(body)).toMatchObject({
      detail: expect.stringMatching(/no right.*pool spare was taken back/),
      fields: { "advertise.name": expect.anything() },
    });
    expect(cluster.held(IP_ADDRESS_POOLS, "metallb-system/spare")).toBeUndefined();
  });

  it.each([
    ["an inverted range", { name: "x", addresses: ["127.77.12.9-127.77.12.1"] }, 422, "addresses.0", /./],
    [
      "an overlap with another pool",
      { name: "x", addresses: ["127.77.12.0/28", "127.77.10.200/32"] },
      422,
      "addresses.1",
      /pool production/,
    ],
    [
      "an overlap with itself",
      { name: "x", addresses: ["127.77.12.0/28", "127.77.12.1/32"] },
      422,
      "addresses.1",
      /same pool/,
    ],
    ["no ranges", { name: "x", addresses: [] }, 422, "addresses", /at least one/],
    ["a bad name", { name: "Not Good", addresses: ["127.77.12.0/28"] }, 422, "name", /lower case/],
    [
      "a bad selector",
      {
        name: "x",
        addresses: ["127.77.12.0/28"],
        serviceSelectors: [{ matchExpressions: [{ key: "a", operator: "Near" }] }],
      },
      422,
      "serviceSelectors.0",
      /./,
    ],
    ["a taken name", { name: "production", addresses: ["127.77.12.0/28"] }, 409, "name", /already a pool production/],
    [
      "a taken advertisement name",
      { name: "x", addresses: ["127.77.12.0/28"], advertise: { name: "external" } },
      409,
      "advertise.name",
      /external/,
    ],
  ])("are refused at the field: %s", async (_name, sent, status, field, text) => {
    const cluster = await start();
    const { status: got, body } = await create(sent);
    expect(got).toBe(status);
    expect(Problem.parse(body).fields?.[field as string]).toMatch(text as RegExp);
    expect(cluster.writes).toEqual([]);
  });

  it("are only checked by a dry run", async () => {
    const cluster = await start();
    const { body } = await create({ name: "spare", addresses: ["127.77.12.0/28"] }, "?dryRun=true");
    expect(PoolRow.parse(body).ipv4?.total).toBe("16");
    expect(cluster.writes).toEqual([]);
  });

  it("change only what a PATCH mentions, and keep fields we do not know", async () => {
    const cluster = healthyCluster();
    cluster.change(IP_ADDRESS_POOLS, "metallb-system/production", (pool) => ({
      ...pool,
      spec: { ...pool.spec, future: 1, serviceAllocation: { priority: 3, namespaces: ["a"] } },
    }));
    await start(cluster);
    const { status } = await call(onePool.PATCH, request("PATCH", "/x", { priority: null, autoAssign: false }), {
      name: "production",
    });
    expect(status).toBe(200);
    expect(cluster.held(IP_ADDRESS_POOLS, "metallb-system/production")?.spec).toEqual({
      addresses: ["127.77.10.1-127.77.10.254"],
      autoAssign: false,
      avoidBuggyIPs: false,
      future: 1,
      serviceAllocation: { namespaces: ["a"] },
    });
  });

  it("go back to defaults with a PUT", async () => {
    const cluster = await start();
    await call(onePool.PUT, request("PUT", "/x", { addresses: ["127.77.13.0/24"] }), { name: "production" });
    expect(cluster.held(IP_ADDRESS_POOLS, "metallb-system/production")?.spec.addresses).toEqual(["127.77.13.0/24"]);
    const without = await call(onePool.PUT, request("PUT", "/x", { autoAssign: true }), { name: "production" });
    expect(without.status).toBe(422);
  });

  it("are not overwritten when somebody else was faster", async () => {
    const cluster = await start();
    const { status, body } = await call(
      onePool.PATCH,
      request("PATCH", "/x", { resourceVersion: "7", autoAssign: false }),
      { name: "production" },
    );
    expect(status).toBe(409);
    expect(Problem.parse(body).code).toBe("conflict");
    expect(cluster.writes).toEqual([]);
  });

  it("that do not exist are 404 for every method", async () => {
    await start();
    for (const [method, handler] of Object.entries({
      GET: onePool.GET,
      PATCH: onePool.PATCH,
      DELETE: onePool.DELETE,
    })) {
      const sent = request(method, "/x", method === "PATCH" ? { autoAssign: true } : undefined);
      expect((await call(handler, sent, { name: "none" })).status, method).toBe(404);
    }
  });

  it("are shown as YAML and address by address", async () => {
    await start();
    const yaml = await call(poolYaml.GET, request("GET", "/x"), { name: "production" });
    expect((yaml.body as { yaml: string }).yaml).toContain("- 127.77.10.1-127.77.10.254");
    const page = await call(poolAddresses.GET, request("GET", "/x?offset=250&limit=10"), { name: "production" });
    expect(page.body).toMatchObject({ total: "254", next: null });
    expect((await call(poolAddresses.GET, request("GET", "/x?limit=500"), { name: "production" })).status).toBe(422);
  });

  it("say beforehand what a change does to each Service", async () => {
    const cluster = healthyCluster();
    cluster.seed(
      SERVICES,
      service("held", { ip: "127.77.10.200" }),
      service("kept", { ip: "127.77.10.2" }),
      service("waits", { annotations: { "metallb.io/address-pool": "spare" } }),
    );
    await start(cluster);
    const shrink = await call(
      poolPreview.POST,
      request("POST", "/x", { name: "production", addresses: ["127.77.10.0/29"] }),
    );
    expect(
      (shrink.body as { services: { service: string; effect: string }[] }).services.map((one) => [
        one.service,
        one.effect,
      ]),
    ).toEqual([
      ["default/held", "loses"],
      ["default/kept", "keeps"],
      ["default/waits", "waits"],
    ]);
    const create = await call(
      poolPreview.POST,
      request("POST", "/x", { name: "spare", addresses: ["127.77.12.0/28"] }),
    );
    expect(create.body).toMatchObject({
      ipv4: { total: "16" },
      services: [{ service: "default/waits", effect: "gains" }],
    });
    const clash = await call(poolPreview.POST, request("POST", "/x", { name: "spare", addresses: ["127.77.10.1/32"] }));
    expect(clash.body).toMatchObject({ findings: [{ severity: "error", field: "addresses.0" }] });
    expect(cluster.writes).toEqual([]);
  });
});

describe("advertisements", () => {
  it("are created, changed and deleted", async () => {
    const cluster = await start();
    const made = await call(
      advertisements.POST,
      request("POST", "/x", { name: "lab", ipAddressPools: ["production"] }),
    );
    expect(made).toMatchObject({ status: 201, body: { name: "lab", covers: ["production"] } });
    const changed = await call(oneAdvertisement.PATCH, request("PATCH", "/x", { interfaces: ["eth0"] }), {
      name: "lab",
    });
    expect(changed.body).toMatchObject({ ipAddressPools: ["production"], interfaces: ["eth0"] });
    expect((await call(oneAdvertisement.DELETE, request("DELETE", "/x"), { name: "lab" })).status).toBe(200);
    expect(cluster.held(L2_ADVERTISEMENTS, "metallb-system/lab")).toBeUndefined();
    const taken = await call(advertisements.POST, request("POST", "/x", { name: "external" }));
    expect(taken).toMatchObject({ status: 409, body: { fields: { name: expect.anything() } } });
  });
});
