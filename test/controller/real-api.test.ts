import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADDRESS_HOLDS, IP_ADDRESS_POOLS, SERVICES } from "#api/resources";
import { type Controller, startController } from "#controller/start";
import { connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import { readManifests } from "#main/manifests";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { Metrics } from "#runtime/metrics";
import { Runner } from "#runtime/runner";
import { startTestApi, type TestApi, TOKENS } from "../support/api-server.ts";
import { NS, pool, service } from "./rig.ts";

/** The controller over HTTP and TLS on the sandbox's API server, and what kubectl says about its work. */
let api: TestApi;
let user: HttpCluster;
let running: { readonly controller: Controller; stop(): Promise<void> };

const connect = () =>
  new HttpCluster({
    connection: connectionFromToken({ server: api.server.url, ca: api.ca, token: TOKENS.admin }),
    clock: systemClock,
    log: silentLog,
  });

async function start(): Promise<typeof running> {
  const runner = new Runner(silentLog);
  const cluster = connect();
  runner.onStop("cluster", () => cluster.close());
  const controller = await startController(runner, {
    cluster,
    clock: systemClock,
    log: silentLog,
    metrics: new Metrics(),
    namespace: NS,
    podName: "controller-0",
    deployment: "controller",
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
  });
  await until(async () => controller.ready());
  const stop = async () => {
    runner.end("test");
    await runner.run(3000);
  };
  return { controller, stop };
}

async function until(test: () => Promise<boolean>): Promise<number> {
  const start = performance.now();
  while (!(await test())) {
    if (performance.now() - start > 30_000) throw new Error("not within 30 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - start;
}

const read = (name: string) => user.get(SERVICES, { name, namespace: "default" });
const ip = async (name: string) => (await read(name)).status?.loadBalancer?.ingress?.[0]?.ip;
const describeService = async (name: string) => (await api.kubectl("describe", "service", name)).out;
const expose = (name: string, over: Parameters<typeof service>[1] = {}) => {
  const { metadata, spec } = service(name, over);
  const { clusterIP: _ip, clusterIPs: _ips, ...rest } = spec ?? {};
  return user.create(SERVICES, { apiVersion: "v1", kind: "Service", metadata, spec: rest });
};

beforeAll(async () => {
  api = await startTestApi();
  user = connect();
  const post = (path: string, body: unknown) => api.send("POST", path, body);
  for (const crd of readManifests("crds")) await post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd);
  await post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: NS } });
  const ref = { apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool" };
  await until(async () =>
    user.create(IP_ADDRESS_POOLS, { ...ref, ...pool("production", "127.77.10.1-127.77.10.254") }).then(
      () => true,
      () => false,
    ),
  );
  running = await start();
});

afterAll(async () => {
  await running?.stop();
  await user?.close();
  await api?.close();
});

describe("on a real API server", () => {
  it("shows the address to kubectl, from the annotation down to the Event", async () => {
    await expose("nginx", { annotations: { "metallb.io/address-pool": "production" } });
    await until(async () => (await ip("nginx")) === "127.77.10.1");
    await until(async () => (await describeService("nginx")).includes("IPAllocated"));
    expect((await api.kubectl("get", "service", "nginx")).out).toContain("127.77.10.1");
    const said = await describeService("nginx");
    expect(said).toContain("metallb.io/ip-allocated-from-pool: production");
    expect(said).toMatch(/Normal +IPAllocated .* metallb-controller +Assigned IP \["127.77.10.1"\]/);
  });

  it("says in kubectl describe why a Service waits", async () => {
    await expose("waits", { annotations: { "metallb.io/address-pool": "prod" } });
    await until(async () => (await describeService("waits")).includes("there is no pool named prod"));
    expect((await api.kubectl("get", "service", "waits")).out).toContain("<pending>");
  });

  it("keeps the pool's counters and ConfigurationState where kubectl finds them", async () => {
    await until(async () => {
      const { out } = await api.kubectl(
        "get",
        "ipaddresspools",
        "production",
        "-n",
        NS,
        "-o",
        "jsonpath={.status.assignedIPv4}",
      );
      return out === "1";
    });
    await until(async () => (await api.kubectl("get", "configurationstates", "-n", NS)).out.includes("Valid"));
  });

  it("calls an inverted range invalid on pool and ConfigurationState, and goes on", async () => {
    const at = { name: "production", namespace: NS };
    await user.patch(IP_ADDRESS_POOLS, at, {
      kind: "merge",
      body: { spec: { addresses: ["127.77.10.9-127.77.10.1"] } },
    });
    await until(async () => (await api.kubectl("get", "configurationstates", "-n", NS)).out.includes("Invalid"));
    await until(async () =>
      (await api.kubectl("describe", "ipaddresspool", "production", "-n", NS)).out.includes("ConfigurationError"),
    );
    await expose("second");
    await until(async () => (await ip("second")) === "127.77.10.2");
    await user.patch(IP_ADDRESS_POOLS, at, {
      kind: "merge",
      body: { spec: { addresses: ["127.77.10.1-127.77.10.254"] } },
    });
    await until(async () => !(await api.kubectl("get", "configurationstates", "-n", NS)).out.includes("Invalid"));
  });

  it("honours an AddressHold that kubectl sees with its reason, state and note, and refuses one that cannot be", async () => {
    const hold = (addresses: readonly string[], more = {}) => ({
      apiVersion: "berth.dev/v1alpha1",
      kind: "AddressHold",
      metadata: { name: "gateway" },
      spec: { addresses, note: "router", ...more },
    });
    const path = "/apis/berth.dev/v1alpha1/addressholds";
    expect((await api.send("POST", path, hold([]))).code).toBe(422);
    expect((await api.send("POST", path, hold(["127.77.10.7"], { reason: "mine" }))).code).toBe(422);
    expect((await api.send("POST", path, hold(["127.77.10.7"]))).code).toBe(201);
    const columns = async () => (await api.kubectl("get", "addressholds")).out;
    await until(async () => /gateway +\["127.77.10.7"\] +reserved +Active +router/.test(await columns()));
    expect(await columns()).toMatch(/^NAME +ADDRESSES +REASON +STATE +EXPIRES +NOTE +AGE\n/);
    await expose("asks", { annotations: { "metallb.io/loadBalancerIPs": "127.77.10.7" } });
    await until(async () => (await describeService("asks")).includes("is reserved by AddressHold gateway (router)"));
    await user.patch(
      ADDRESS_HOLDS,
      { name: "gateway" },
      { kind: "merge", body: { spec: { addresses: ["nonsense"] } } },
    );
    await until(async () => (await columns()).includes("Invalid"));
    await until(async () =>
      (await api.kubectl("describe", "addresshold", "gateway")).out.includes("ConfigurationError"),
    );
    expect(await ip("asks")).toBeUndefined();
    await user.remove(ADDRESS_HOLDS, { name: "gateway" });
    await until(async () => (await ip("asks")) === "127.77.10.7");
    await user.remove(SERVICES, { name: "asks", namespace: "default" });
  });

  it("moves and writes nothing over a restart", async () => {
    const all = () => Promise.all(["nginx", "waits", "second"].map(read));
    let before = await all();
    // Whatever the last change led to is written.
    await until(async () => {
      const last = before;
      await new Promise((resolve) => setTimeout(resolve, 500));
      before = await all();
      return JSON.stringify(last) === JSON.stringify(before);
    });
    await running.stop();
    running = await start();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await all()).toEqual(before);
  });

  it("takes everything back when the type changes", async () => {
    const at = { name: "second", namespace: "default" };
    await user.patch(SERVICES, at, { kind: "merge", body: { spec: { type: "ClusterIP" } } });
    await until(async () => {
      const { status, metadata } = await read("second");
      return (
        status?.loadBalancer?.ingress === undefined &&
        (status?.conditions ?? []).length === 0 &&
        metadata.annotations === undefined
      );
    });
    await expose("third");
    await until(async () => (await ip("third")) === "127.77.10.2");
  });
});
