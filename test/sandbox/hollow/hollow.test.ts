import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Lease } from "#api/kubernetes/cluster";
import { LEASES, NODES, PODS, SERVICES } from "#api/resources";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { type Controllers, startControllers } from "#sandbox/controllers/start";
import { type Hollow, startHollow } from "#sandbox/hollow/start";
import { startTestApi, type TestApi } from "../../support/api-server.ts";
import { eventually } from "../../support/berth.ts";

const SIZE = { nodes: 5, pods: 40, services: 30 };

let api: TestApi;
let controllers: Controllers;
let hollow: Hollow;
const deps = () => ({ objects: api.server.objects, clock: systemClock, log: silentLog });
const at = { namespace: "hollow" };

beforeAll(async () => {
  api = await startTestApi();
  controllers = await startControllers(api.server.objects, { clock: systemClock, log: silentLog, nodeGraceMs: 300 });
  hollow = startHollow(deps(), SIZE);
  await hollow.seeded;
});
afterAll(async () => {
  await hollow.close();
  await controllers.close();
  await api.close();
});

describe("a hollow cluster", () => {
  it("has what was asked for, and every pod runs on a node that is ready", async () => {
    const { objects } = api.server;
    expect((await objects.list(SERVICES, at)).items).toHaveLength(SIZE.services);
    await eventually("all pods to run", 10_000, async () => {
      const { items } = await objects.list(PODS, at);
      return items.length === SIZE.pods && items.every(({ status }) => status?.phase === "Running") ? true : null;
    });
    // Longer than the grace of nodes whose Leases do not say that they last longer.
    await new Promise((next) => setTimeout(next, 1_000));
    const { items } = await objects.list(NODES);
    const ready = items.flatMap(({ status }) => status?.conditions ?? []).filter(({ type }) => type === "Ready");
    expect(ready.map(({ status }) => status)).toEqual(Array(SIZE.nodes).fill("True"));
  });

  it("lets its pods go when they are deleted", async () => {
    const { objects } = api.server;
    await objects.remove(PODS, { name: "pod-00003", namespace: "hollow" });
    await eventually("the pod to be gone", 10_000, async () => {
      const { items } = await objects.list(PODS, at);
      return items.some(({ metadata }) => metadata.name === "pod-00003") ? null : true;
    });
  });

  it("makes only what is missing when it starts again", async () => {
    const { objects } = api.server;
    const leases = async () =>
      (await objects.list<Lease>(LEASES, { namespace: "kube-node-lease" })).items.map(({ metadata }) => metadata.uid);
    const before = await leases();
    await hollow.close();
    hollow = startHollow(deps(), SIZE);
    await hollow.seeded;
    expect(await leases()).toEqual(before);
    expect((await objects.list(PODS, at)).items).toHaveLength(SIZE.pods);
  });
});
