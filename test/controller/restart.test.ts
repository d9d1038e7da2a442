import { afterAll, beforeAll, expect, it } from "vitest";
import { IP_ADDRESS_POOLS, SERVICES } from "#api/resources";
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
import { startTestApi, type TestApi, TOKENS } from "../support/api-server.ts";
import { countWrites } from "../support/request-count.ts";
import { NS, pool, service } from "./rig.ts";

const COUNT = 1000;
let api: TestApi;
let user: HttpCluster;
let lives = 0;
const counter = countWrites();

const connect = () =>
  new HttpCluster({ connection: connectionFromToken({ server: api.server.url, ca: api.ca, token: TOKENS.admin }) });

async function start() {
  const runner = new Runner(silentLog);
  const cluster = connect();
  runner.onStop("cluster", () => cluster.close());
  const metrics = new Metrics();
  const deps = { cluster, clock: systemClock, log: silentLog, namespace: NS };
  const identity = { holder: `controller_uid_${++lives}`, predecessor: "controller_uid_" };
  const controller = await startController(runner, {
    ...deps,
    metrics,
    podName: "controller",
    deployment: "controller",
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    election: new LeaseElection({ ...deps, name: "berth-controller", identity, timings: LEASE_TIMINGS }),
  });
  await until("ready", () => controller.ready());
  return {
    says: (series: string) => metrics.render().includes(`\n${series}\n`),
    async stop() {
      runner.end("test");
      await runner.run(4000);
    },
  };
}

async function until(what: string, test: () => boolean | Promise<boolean>): Promise<void> {
  const from = performance.now();
  while (!(await test())) {
    if (performance.now() - from > 60_000) throw new Error(`not within a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** No write for a second. */
async function quiet(): Promise<void> {
  for (let before = -1; before !== counter.writes.length; ) {
    before = counter.writes.length;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

beforeAll(async () => {
  api = await startTestApi();
  user = connect();
  for (const crd of readManifests("crds")) {
    await api.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd);
  }
  await api.send("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: NS } });
  const object = { apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool", ...pool("production", "10.7.0.0/16") };
  await until("the pool is accepted", () =>
    user.create(IP_ADDRESS_POOLS, object).then(
      () => true,
      () => false,
    ),
  );
  const names = Array.from({ length: COUNT }, (_, index) => `s${index}`);
  for (let from = 0; from < COUNT; from += 20) {
    await Promise.all(
      names.slice(from, from + 20).map((name) => {
        const { metadata, spec } = service(name);
        const { clusterIP: _ip, clusterIPs: _ips, ...rest } = spec ?? {};
        const own = { ...rest, allocateLoadBalancerNodePorts: false };
        return user.create(SERVICES, { apiVersion: "v1", kind: "Service", metadata, spec: own });
      }),
    );
  }
}, 120_000);

afterAll(async () => {
  counter.stop();
  await user?.close();
  await api?.close();
});

it("writes to no object over a restart with 1,000 addresses, as the API server counts it", async () => {
  const first = await start();
  await until("all are assigned", () => first.says(`berth_controller_claims ${COUNT}`));
  await until("all are written", () => first.says("berth_controller_claims_in_flight 0"));
  await quiet();
  await first.stop();
  const before = counter.writes.length;
  const second = await start();
  expect(second.says(`berth_controller_claims ${COUNT}`)).toBe(true);
  await quiet();
  await second.stop();
  const writes = counter.writes.slice(before).map(({ method, path }) => `${method} ${path}`);
  const ofElection = [
    `PATCH /apis/coordination.k8s.io/v1/namespaces/${NS}/leases/berth-controller`,
    // "controller became leader"
    `POST /api/v1/namespaces/${NS}/events`,
  ];
  expect(writes.filter((write) => !ofElection.includes(write))).toEqual([]);
  expect(writes.filter((write) => write === ofElection[1])).toHaveLength(1);
}, 120_000);
