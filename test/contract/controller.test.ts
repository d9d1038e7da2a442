import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "#api/kubernetes/objects";
import type { Service } from "#api/kubernetes/services";
import { ANNOTATION, CONDITION } from "#api/names";
import {
  CONFIGURATION_STATES,
  CRDS,
  ENDPOINT_SLICES,
  EVENTS,
  IP_ADDRESS_POOLS,
  L2_ADVERTISEMENTS,
  LEASES,
  NAMESPACES,
  NODES,
  SERVICE_L2_STATUSES,
  SERVICES,
  SPEAKER_STATES,
} from "#api/resources";
import { startController } from "#controller/start";
import { LEASE_TIMINGS } from "#core/lease";
import { connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import { LeaseElection } from "#kube/lease";
import { readManifests } from "#main/manifests";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { Metrics } from "#runtime/metrics";
import { Runner } from "#runtime/runner";
import { NS, pool } from "../controller/rig.ts";
import { apiClient } from "../support/api-server.ts";
import { type KubernetesApi, kubebuilderAssets, startRealApi, startSandboxApi } from "../support/kubernetes-api.ts";

/**
 * What the controller relies on in an API server: the same tests against the sandbox's and, where KUBEBUILDER_ASSETS
 * names a folder with etcd and kube-apiserver, a real one.
 */
const assets = kubebuilderAssets();
const WATCHED = ["services", "ipaddresspools", "configurationstates", "secrets"];

async function until(what: string, test: () => Promise<boolean>, withinMs = 40_000): Promise<void> {
  const from = performance.now();
  while (!(await test().catch(() => false))) {
    if (performance.now() - from > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function contract(start: () => Promise<KubernetesApi>) {
  let api: KubernetesApi;
  let user: HttpCluster;
  let stop: () => Promise<void>;
  let own: HttpCluster;
  let processes = 0;

  const connect = () =>
    new HttpCluster({ connection: connectionFromToken({ server: api.url, ca: api.ca, token: api.token }) });

  async function run(): Promise<() => Promise<void>> {
    const runner = new Runner(silentLog);
    const cluster = connect();
    own = cluster;
    runner.onStop("cluster", () => cluster.close());
    const holder = `controller_uid_${++processes}`;
    const controller = await startController(runner, {
      cluster,
      clock: systemClock,
      log: silentLog,
      metrics: new Metrics(),
      namespace: NS,
      podName: "controller",
      deployment: "controller",
      random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
      election: new LeaseElection({
        cluster,
        clock: systemClock,
        log: silentLog,
        name: "berth-controller",
        namespace: NS,
        identity: { holder, predecessor: "controller_uid_" },
        timings: LEASE_TIMINGS,
      }),
    });
    await until("the controller is ready", async () => controller.ready());
    return async () => {
      runner.end("test");
      await runner.run(4000);
    };
  }

  const at = (name: string) => ({ name, namespace: "default" });
  const read = (name: string) => user.get(SERVICES, at(name));
  const ip = async (name: string) => (await read(name)).status?.loadBalancer?.ingress?.[0]?.ip;
  const condition = async (name: string) =>
    (await read(name)).status?.conditions?.find(({ type }) => type === CONDITION.addressAssigned);
  const make = (name: string, annotations: Record<string, string> = {}, spec: Service["spec"] = {}) =>
    user.create(SERVICES, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...at(name), annotations },
      spec: { type: "LoadBalancer", ports: [{ port: 80 }], ...spec },
    });

  beforeAll(async () => {
    api = await start();
    user = connect();
    for (const crd of readManifests("crds")) await user.create(CRDS, crd);
    await user.create(NAMESPACES, { metadata: { name: NS } });
    const production = {
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      ...pool("production", "127.77.10.1-127.77.10.3"),
    };
    await until("the pool is accepted", async () => (await user.create(IP_ADDRESS_POOLS, production)).kind !== "");
    stop = await run();
  }, 120_000);

  afterAll(async () => {
    await stop?.();
    await user?.close();
    await api?.close();
  });

  it("assigns with one write: the status takes the pool's name in", async () => {
    // What is announced is known by then, and said in the same write.
    const scopes = [
      ...[NODES, ENDPOINT_SLICES].map((resource) => own.cache<KubeObject>(resource)),
      ...[L2_ADVERTISEMENTS, SERVICE_L2_STATUSES, SPEAKER_STATES].map((resource) =>
        own.cache<KubeObject>(resource, { namespace: NS }),
      ),
    ];
    await Promise.all(scopes.map((cache) => cache.whenSynced()));
    const made = await make("nginx");
    const before = await api.writes(["services"]);
    await until("nginx has an address", async () => (await ip("nginx")) === "127.77.10.1");
    const { metadata } = await read("nginx");
    expect(metadata.annotations?.[ANNOTATION.allocatedFromPool]).toBe("production");
    expect(metadata.uid).toBe(made.metadata.uid);
    expect((await condition("nginx"))?.status).toBe("True");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await api.writes(["services"])) - before).toBe(1);
  });

  it("takes the name of a pool out again with the address", async () => {
    await make("leaves");
    await until("leaves has an address", async () => (await ip("leaves")) !== undefined);
    await user.patch(SERVICES, at("leaves"), { kind: "merge", body: { spec: { type: "ClusterIP" } } });
    await until("leaves gives it back", async () => {
      const { metadata, status } = await read("leaves");
      const name = metadata.annotations?.[ANNOTATION.allocatedFromPool];
      return name === undefined && status?.loadBalancer?.ingress === undefined && !status?.conditions?.length;
    });
    await user.remove(SERVICES, at("leaves"));
  });

  it("says why a Service waits, and serves it when it can", async () => {
    await make("waits", { [ANNOTATION.addressPool]: "later" });
    await until("waits is told why", async () => (await condition("waits"))?.reason === "PoolNotFound");
    await user.patch(SERVICES, at("waits"), {
      kind: "merge",
      body: { metadata: { annotations: { [ANNOTATION.addressPool]: "production" } } },
    });
    await until("waits is served", async () => (await ip("waits")) === "127.77.10.2");
  });

  it("loses no race: whoever else writes the Service meanwhile is kept", async () => {
    await make("raced");
    const writes = Array.from({ length: 20 }, (_, index) =>
      user.patch(SERVICES, at("raced"), { kind: "merge", body: { metadata: { labels: { [`n${index}`]: "yes" } } } }),
    );
    await Promise.all(writes);
    await until("raced has an address", async () => (await ip("raced")) === "127.77.10.3");
    expect(Object.keys((await read("raced")).metadata.labels ?? {})).toHaveLength(20);
  });

  it("keeps the pool's counters exact", async () => {
    await until("three are in use", async () => {
      const { status } = await user.get(IP_ADDRESS_POOLS, { name: "production", namespace: NS });
      return status?.assignedIPv4 === 3 && status.availableIPv4 === 0;
    });
  });

  it("says how much is free in a pool larger than an int64 in a number that kubectl reads, and says it once", async () => {
    const huge = { ...pool("huge", "2001:db8::/64"), apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool" };
    await user.create(IP_ADDRESS_POOLS, huge);
    const dir = mkdtempSync(join(tmpdir(), "berth-contract-"));
    const client = apiClient(api.url, api.ca, dir);
    const kubectl = async (...args: readonly string[]) =>
      (await client.kubectl("get", "ipaddresspool", "huge", "-n", NS, ...args)).out;
    try {
      await until("it is said", async () => (await kubectl("-o", "jsonpath={.status}")) !== "");
      expect(await kubectl("-o", "jsonpath={.status.availableIPv6}")).toBe("9223372036854775807");
      const before = await api.writes(["ipaddresspools"]);
      await make("asks", { [ANNOTATION.addressPool]: "nowhere" });
      await until("the next was looked at", async () => (await condition("asks"))?.reason === "PoolNotFound");
      // The Service was made and told; its pool is told nothing.
      expect((await api.writes(["ipaddresspools"])) - before).toBe(0);
      expect(await kubectl("-o", "yaml")).toContain("availableIPv6: 9223372036854775807\n");
    } finally {
      await user.remove(SERVICES, at("asks")).catch(() => undefined);
      await user.remove(IP_ADDRESS_POOLS, { name: "huge", namespace: NS });
      await client.close();
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it("writes Events that kubectl describe shows with their object", async () => {
    await until("there is an Event for nginx", async () => {
      const { items } = await user.list(EVENTS, { fieldSelector: "involvedObject.name=nginx" });
      return items.some(({ reason, source }) => reason === "IPAllocated" && source?.component === "metallb-controller");
    });
  });

  it("publishes its ConfigurationState, and the Lease that it leads by", async () => {
    const state = await user.get(CONFIGURATION_STATES, { name: "controller", namespace: NS });
    expect(state.status?.result).toBe("Valid");
    const lease = await user.get(LEASES, { name: "berth-controller", namespace: NS });
    expect(lease.spec?.holderIdentity).toBe("controller_uid_1");
  });

  it("is the next leader at once, and writes to no object, over a restart", async () => {
    await stop();
    const objects = () => Promise.all(["nginx", "waits", "raced"].map(read));
    const before = { objects: await objects(), writes: await api.writes(WATCHED) };
    expect((await user.get(LEASES, { name: "berth-controller", namespace: NS })).spec?.holderIdentity ?? "").toBe("");
    stop = await run();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect({ objects: await objects(), writes: await api.writes(WATCHED) }).toEqual(before);
  });

  it("frees the address of a deleted Service for the oldest that waits", async () => {
    await make("next");
    await until("next waits", async () => (await condition("next"))?.reason === "Exhausted");
    await user.remove(SERVICES, at("nginx"));
    await until("next is served", async () => (await ip("next")) === "127.77.10.1");
  });
}

describe("the controller on the sandbox's API server", () => contract(startSandboxApi));

describe.skipIf(assets === null)("the controller on a real API server (needs KUBEBUILDER_ASSETS)", () =>
  contract(() => startRealApi(assets ?? "")),
);
