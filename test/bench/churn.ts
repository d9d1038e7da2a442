/**
 * `node --expose-gc test/bench/churn.ts [services]`: 100,000 Services created, given an address and deleted, with
 * controller and API server in this process. What the heap holds at the end, after a forced collection, must be within
 * 10 % of what it held once warm.
 */
import type { Service } from "#api/kubernetes/services";
import { CRDS, IP_ADDRESS_POOLS, NAMESPACES, SERVICES } from "#api/resources";
import { startController } from "#controller/start";
import { connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import { readManifests } from "#main/manifests";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { Metrics } from "#runtime/metrics";
import { Runner } from "#runtime/runner";
import { openStore } from "#sandbox/store/sqlite";
import { startTestApi, TOKENS } from "../support/api-server.ts";

const COUNT = Number(process.argv[2] ?? 100_000);
const BATCH = 25;
/** Connections, compiled code, every map at its usual size: all there by then. */
const WARM = Math.min(COUNT / 2, 4000);
/** Changes of a kind that the server still tells: of the pool's, the usual 10,000 would go on filling up to the end. */
const HISTORY = 500;
const LOOKS = 8;
const NS = "metallb-system";
const collect = globalThis.gc;
if (collect === undefined) throw new Error("run it with --expose-gc");

const api = await startTestApi({
  store: openStore({ path: ":memory:", log: silentLog, historyEvents: HISTORY }),
});
const connection = connectionFromToken({ server: api.server.url, ca: api.ca, token: TOKENS.admin });
const user = new HttpCluster({ connection });
for (const crd of readManifests("crds")) await user.create(CRDS, crd);
await user.create(NAMESPACES, { metadata: { name: NS } });
const pool = {
  apiVersion: "metallb.io/v1beta1",
  kind: "IPAddressPool",
  metadata: { name: "p", namespace: NS },
  spec: { addresses: ["10.0.0.0/23"], autoAssign: true, avoidBuggyIPs: false },
};
await until("the pool is accepted", () =>
  user.create(IP_ADDRESS_POOLS, pool).then(
    () => true,
    () => false,
  ),
);

const runner = new Runner(silentLog);
const metrics = new Metrics();
const cluster = new HttpCluster({ connection, lean: true });
const controller = await startController(runner, {
  cluster,
  clock: systemClock,
  log: silentLog,
  metrics,
  namespace: NS,
  podName: "controller",
  deployment: "controller",
  random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
});
await until("the controller is ready", async () => controller.ready());

async function until(what: string, test: () => Promise<boolean>): Promise<void> {
  const from = performance.now();
  while (!(await test())) {
    if (performance.now() - from > 60_000) throw new Error(`not within a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let assigned = 0;
const services = user.cache(SERVICES, { namespace: "default" });
services.onChange((_key, now, before) => {
  const has = (service: Service | undefined) => (service?.status?.loadBalancer?.ingress ?? []).length > 0;
  if (has(now) && !has(before)) assigned++;
});
await services.whenSynced();

/** The heap after a collection, once everything written so far has come to rest. */
async function heap(): Promise<number> {
  // Events are kept for a time, not for ever: here the time is now.
  await until("nothing waits", async () =>
    metrics.render().includes('\nberth_controller_queue_depth{queue="service"} 0\n'),
  );
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await api.send("DELETE", "/api/v1/namespaces/default/events");
  await new Promise((resolve) => setTimeout(resolve, 2000));
  for (let turn = 0; turn < 4; turn++) {
    collect?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage().heapUsed / 1e6;
}

let made = 0;
async function churn(to: number): Promise<void> {
  while (made < to) {
    const names = Array.from({ length: BATCH }, (_, index) => `s${made + index}`);
    made += BATCH;
    const spec = { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports: [{ port: 80 }] };
    await Promise.all(
      names.map((name) =>
        user.create(SERVICES, { apiVersion: "v1", kind: "Service", metadata: { name, namespace: "default" }, spec }),
      ),
    );
    await until(`${made} are assigned`, async () => assigned >= made);
    await Promise.all(names.map((name) => user.remove(SERVICES, { name, namespace: "default" })));
    if (made % 2000 === 0) await api.send("DELETE", "/api/v1/namespaces/default/events");
  }
}

await churn(WARM);
const start = await heap();
const from = performance.now();
for (let look = 1; look <= LOOKS; look++) {
  await churn(WARM + (look * (COUNT - WARM)) / LOOKS);
  const now = await heap();
  const rate = Math.round(((made - WARM) / (performance.now() - from)) * 1000);
  console.log(
    `${made} Services: heap ${now.toFixed(1)} MB (${((now / start - 1) * 100).toFixed(1)} %), ${rate} a second`,
  );
}
const growth = (await heap()) / start - 1;
console.table([
  { what: `heap after ${COUNT} Services came and went`, value: `${(growth * 100).toFixed(1)} %`, bar: "≤ 10 %" },
]);
process.exit(growth <= 0.1 ? 0 : 1);
