import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OperationRow } from "#api/dashboard/operations";
import { NAMESPACE } from "#api/names";
import { CONFIG_MAPS, ENDPOINT_SLICES, NODES, SERVICES } from "#api/resources";
import { startController } from "#controller/start";
import { connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import { readManifests } from "#main/manifests";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { Metrics } from "#runtime/metrics";
import { Runner } from "#runtime/runner";
import { install } from "#server/components";
import { dashboard } from "#server/context";
import { expose, unexpose } from "#server/expose";
import { changePool, createPool, deletePool, listPools } from "#server/pools";
import { runPreflight } from "#server/preflight/run";
import { readService } from "#server/services";
import { startDashboard } from "#server/start";
import { startTestApi, type TestApi, TOKENS } from "../support/api-server.ts";
import { contextFor, node, service, threePods } from "./fixtures.ts";

/** The dashboard's server on a real HTTP client, the sandbox's API server, the shipped manifests and the real controller. */
let api: TestApi;
let cluster: HttpCluster;
let controllerCluster: HttpCluster;
let running: { close(): void };
const runner = new Runner(silentLog);

const connect = () =>
  new HttpCluster({
    connection: connectionFromToken({ server: api.server.url, ca: api.ca, token: TOKENS.admin }),
    clock: systemClock,
    log: silentLog,
  });
const base = (test: (kind: string) => boolean) => readManifests("base").filter(({ kind }) => test(kind ?? ""));

beforeAll(async () => {
  api = await startTestApi();
  cluster = connect();
  controllerCluster = connect();
  running = await startDashboard(
    contextFor(cluster, {
      manifests: () => ({
        namespace: base((kind) => kind === "Namespace"),
        crds: readManifests("crds"),
        rbac: base((kind) => kind.includes("Role") || kind === "ServiceAccount"),
        controller: base((kind) => kind === "Deployment"),
        speaker: base((kind) => kind === "DaemonSet"),
        demo: readManifests("demo"),
      }),
    }),
  );
});

afterAll(async () => {
  running.close();
  await cluster.close();
  await controllerCluster.close();
  await api.close();
});

async function until(test: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let turn = 0; turn < 1500; turn += 1) {
    if (await test()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not within 30 s: ${what}`);
}

async function ended(id: string): Promise<OperationRow> {
  await until(() => dashboard().operations.read(id).state !== "running", "the operation ends");
  return dashboard().operations.read(id);
}

describe("on a real API server, from an empty cluster", () => {
  it("starts without the CRDs, says so, and shows every other kind", async () => {
    const on = dashboard();
    await until(() => on.world.services.synced && on.world.nodes.synced && on.world.crds.synced, "the core kinds");
    expect(on.world.pools.synced).toBe(false);
    expect(listPools(on)).toEqual([]);
    const checks = await runPreflight(on, new AbortController().signal);
    expect(checks.find((check) => check.id === "crds")?.state).toBe("failed");
  });

  it("applies every object of the manifests, and the kinds come alive", async () => {
    const on = dashboard();
    const { operation } = install(on, "controller");
    await until(
      () => on.operations.read(operation).steps.some((step) => step.name === "ready" && step.state === "running"),
      "everything is applied",
    );
    expect(
      on.operations
        .read(operation)
        .steps.slice(0, -1)
        .map((step) => step.state),
    ).not.toContain("failed");
    await until(() => on.world.pools.synced && on.world.l2Statuses.synced, "pools are listed");
    await until(() => on.world.deployments.list().length === 1, "the Deployment is seen");
  });

  it("creates, changes and deletes pools and reads its own writes", async () => {
    const on = dashboard();
    const pool = {
      name: "production",
      addresses: ["127.77.10.1-127.77.10.254"],
      autoAssign: true,
      avoidBuggyIPs: false,
      priority: null,
      namespaces: [],
      namespaceSelectors: [],
      serviceSelectors: [],
      advertise: { name: "external", interfaces: [], nodeSelectors: [] },
    };
    const created = await createPool(on, pool, false);
    expect(created).toMatchObject({ advertisedBy: ["external"], ipv4: { total: "254", nextFree: "127.77.10.1" } });
    const spare = await createPool(
      on,
      { ...pool, name: "spare", addresses: ["127.77.12.0/28"], advertise: null },
      false,
    );
    const changed = await changePool(on, {
      name: "spare",
      body: { resourceVersion: spare.resourceVersion, autoAssign: false },
      dryRun: false,
      whole: false,
    });
    expect(changed.autoAssign).toBe(false);
    await expect(
      changePool(on, {
        name: "spare",
        body: { resourceVersion: spare.resourceVersion, autoAssign: true },
        dryRun: false,
        whole: false,
      }),
    ).rejects.toThrow(/somebody else/);
    await deletePool(on, "spare", false);
    expect(listPools(on).map((row) => row.name)).toEqual(["production"]);
  });

  it("exposes a Service through the real controller and gives the address back", async () => {
    const on = dashboard();
    await cluster.create(NODES, node("node-01"));
    await startController(runner, {
      cluster: controllerCluster,
      clock: systemClock,
      log: silentLog,
      metrics: new Metrics(),
      namespace: NAMESPACE,
      podName: "controller-x",
      deployment: "controller",
      random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    });
    const { metadata, spec } = service("web", { type: "ClusterIP" });
    const { externalTrafficPolicy: _policy, clusterIP: _ip, clusterIPs: _ips, ...wanted } = spec ?? {};
    const ports = [{ port: 80, targetPort: 80 }];
    await cluster.create(SERVICES, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: metadata.name ?? "", namespace: "default" },
      spec: { ...wanted, ports },
    });
    await cluster.create(ENDPOINT_SLICES, {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      ...threePods("web"),
    });
    await until(() => on.world.services.get("default/web") !== undefined, "the Service is seen");
    const { operation } = await expose(on, { namespace: "default", name: "web" }, { pool: "production" });
    const row = await ended(operation);
    expect(row.steps[0]).toMatchObject({ state: "done" });
    expect(row.steps[1]).toMatchObject({ state: "done", label: "Assigned 127.77.10.1" });
    // There are no speakers here: the operation must say that, in words, and not hang.
    expect(row.steps[2]).toMatchObject({
      name: "announced",
      state: "failed",
      detail: expect.stringMatching(/no speaker is ready/),
    });
    const back = await ended((await unexpose(on, { namespace: "default", name: "web" })).operation);
    expect(back.state, JSON.stringify(back.steps)).toBe("done");
    const after = readService(on, { namespace: "default", name: "web" });
    expect(after).toMatchObject({ type: "ClusterIP", status: "not_exposed", addresses: [] });
    expect((await cluster.get(SERVICES, { namespace: "default", name: "web" })).spec?.ports?.[0]).not.toHaveProperty(
      "nodePort",
    );
  });

  it("shows why a Service has no address", async () => {
    const on = dashboard();
    await cluster.create(SERVICES, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "lost", namespace: "default", annotations: { "metallb.io/loadBalancerIPs": "192.0.2.1" } },
      spec: { type: "LoadBalancer", ports: [{ port: 80 }], selector: { app: "x" } },
    });
    await until(() => on.hub.row("services", "default/lost")?.reason === "outside_pools", "the reason is shown");
    expect(on.hub.row("services", "default/lost")?.sentence).toBe(
      "Waiting for an address: 192.0.2.1 is outside every pool.",
    );
  });

  it("reads and watches one ConfigMap only", async () => {
    const on = dashboard();
    const config = (name: string) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace: "kube-system" },
      data: { "config.conf": "mode: ipvs\nipvs:\n  strictARP: false\n" },
    });
    await cluster.create(CONFIG_MAPS, config("kube-proxy"));
    await cluster.create(CONFIG_MAPS, config("other"));
    await until(() => on.world.kubeProxy.list().length > 0, "the ConfigMap is seen");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(on.world.kubeProxy.list().map((one) => one.metadata.name)).toEqual(["kube-proxy"]);
    await until(() => on.hub.rows("session")[0]?.checklist.preflight === false, "the checklist follows");
  });
});
