/**
 * `node test/bench/controller.ts [services]`: 10,000 Services at once, by `berth controller` and by a bare client that
 * patches the same statuses before and after, each against the same API server: the sandbox's, and with
 * KUBEBUILDER_ASSETS a real one. Processor time is printed too: other load on the machine does not distort it.
 * Then a restart that must write nothing, and the memory it takes. Prints a table. `--cpu-prof` in CONTROLLER_OPTIONS
 * leaves a profile of the controller.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Service } from "#api/kubernetes/services";
import { CRDS, IP_ADDRESS_POOLS, NAMESPACES, SERVICES } from "#api/resources";
import { connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import { readManifests } from "#main/manifests";
import { type ControllerProcess, startControllerProcess } from "../support/controller-process.ts";
import { type KubernetesApi, kubebuilderAssets, startRealApi, startSandboxApi } from "../support/kubernetes-api.ts";

const COUNT = Number(process.argv[2] ?? 10_000);
const NS = "metallb-system";
const CLIENTS = 32;
/** What a controller that has nothing to do might still write. */
const WATCHED = ["services", "ipaddresspools", "configurationstates", "events", "secrets"];

type Row = Readonly<Record<string, string | number>>;

async function until(what: string, test: () => Promise<boolean>, withinMs = 300_000): Promise<void> {
  const from = performance.now();
  while (!(await test())) {
    if (performance.now() - from > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function inParallel<T>(items: readonly T[], task: (item: T, index: number) => Promise<unknown>): Promise<number> {
  const from = performance.now();
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) await task(items[index] as T, index);
  };
  await Promise.all(Array.from({ length: CLIENTS }, worker));
  return performance.now() - from;
}

function serviceIn(namespace: string, index: number): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `s${index}`, namespace },
    // Node ports would run out long before.
    spec: { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports: [{ port: 80 }] },
  };
}

/** The statuses that the controller will write, by a client that decides nothing and watches nothing. */
async function bare(cluster: HttpCluster): Promise<number> {
  const { items } = await cluster.list(SERVICES, { namespace: "bare" });
  const now = new Date().toISOString().replace(/\.\d+Z/, "Z");
  return inParallel(items, async ({ metadata: { name = "", resourceVersion } }, index) => {
    const ip = `10.1.${index >> 8}.${index & 255}`;
    const condition = { lastTransitionTime: now, status: "True", reason: "Satisfied" };
    await cluster.patch(
      SERVICES,
      { name, namespace: "bare" },
      {
        kind: "merge",
        subresource: "status",
        body: {
          metadata: { resourceVersion, annotations: { "metallb.io/ip-allocated-from-pool": "p" } },
          status: {
            loadBalancer: { ingress: [{ ip }] },
            conditions: [
              { ...condition, type: "berth.dev/AddressAssigned", message: `${ip} from pool p` },
              { ...condition, type: "berth.dev/Announced", status: "False", message: "no node can announce" },
            ],
          },
        },
      },
    );
  });
}

async function prepare(cluster: HttpCluster): Promise<void> {
  for (const crd of readManifests("crds")) await cluster.create(CRDS, crd);
  for (const name of [NS, "bare", "work"]) await cluster.create(NAMESPACES, { metadata: { name } });
  const kind = { apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool" };
  const pool = {
    ...kind,
    metadata: { name: "p", namespace: NS },
    // Only what the controller is measured on.
    spec: {
      addresses: ["10.0.0.0/16"],
      autoAssign: true,
      avoidBuggyIPs: false,
      serviceAllocation: { priority: 1, namespaces: ["work"] },
    },
  };
  await until("the pool is accepted", () =>
    cluster.create(IP_ADDRESS_POOLS, pool).then(
      () => true,
      () => false,
    ),
  );
}

async function start(
  api: KubernetesApi,
  root: string,
): Promise<{ readonly run: ControllerProcess; readonly readyMs: number }> {
  const from = performance.now();
  const run = await startControllerProcess({
    root,
    server: api,
    namespace: NS,
    name: "controller",
    uid: "bench",
    env: {
      MALLOC_ARENA_MAX: "1",
      NODE_OPTIONS: `--max-semi-space-size=8 --expose-gc --v8-pool-size=1 ${process.env.CONTROLLER_OPTIONS ?? ""}`,
    },
  });
  while ((await run.ask("/readyz")) === null) await new Promise((resolve) => setTimeout(resolve, 20));
  return { run, readyMs: performance.now() - from };
}

const IN_USE = 'metallb_allocator_ipv4_addresses_in_use_total{pool="p"}';

/** From the first address to the last one written. */
async function assigned(run: ControllerProcess, count: number): Promise<number> {
  const from = performance.now();
  await until("every Service has its address", async () => {
    if ((await run.metric(IN_USE)) !== count) return false;
    return (await run.metric("berth_controller_claims_in_flight")) === 0;
  });
  return performance.now() - from;
}

/** Processor time of processes so far, milliseconds (Linux counts it in hundredths of a second). */
function cpuOf(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10;
}

interface Burst {
  readonly ms: number;
  /** Processor time for each Service. */
  readonly client: number;
  readonly server: number;
}

async function burst(api: KubernetesApi, client: number, task: () => Promise<number>): Promise<Burst> {
  const before = [cpuOf([client]), cpuOf(api.pids)] as const;
  const ms = await task();
  return { ms, client: (cpuOf([client]) - before[0]) / COUNT, server: (cpuOf(api.pids) - before[1]) / COUNT };
}

/** Events follow behind, and whatever else. */
async function quiet(api: KubernetesApi): Promise<number> {
  let before = -1;
  let now = await api.writes(WATCHED);
  while (now !== before) {
    await new Promise((resolve) => setTimeout(resolve, 3000));
    before = now;
    now = await api.writes(WATCHED);
  }
  return now;
}

/** At rest: a burst's garbage goes with the tidying that follows it (lib/runtime/tidy.ts), two looks later at most. */
async function memoryOf(run: ControllerProcess): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  return `${Math.round(((await run.metric("process_resident_memory_bytes")) ?? 0) / 1e6)} MB`;
}

async function measure(name: string, api: KubernetesApi): Promise<readonly Row[]> {
  const root = mkdtempSync(join(tmpdir(), "berth-bench-"));
  const cluster = new HttpCluster({
    connection: connectionFromToken({ server: api.url, ca: api.ca, token: api.token }),
  });
  try {
    await prepare(cluster);
    const numbers = Array.from({ length: COUNT }, (_, index) => index);
    const make = (namespace: string, list: readonly number[]) =>
      inParallel(list, (index) => cluster.create(SERVICES, serviceIn(namespace, index)));

    // Memory at 1,000 Services first, on a server that has no more.
    const few = Math.min(1000, COUNT);
    await make("work", numbers.slice(0, few));
    const small = await start(api, root);
    await assigned(small.run, few);
    await quiet(api);
    const memory1000 = await memoryOf(small.run);
    await small.run.end("SIGTERM");
    await inParallel(numbers.slice(0, few), (index) =>
      cluster.remove(SERVICES, { name: `s${index}`, namespace: "work" }),
    );

    const bareOnce = async () => {
      await make("bare", numbers);
      const result = await burst(api, process.pid, () => bare(cluster));
      await inParallel(numbers, (index) => cluster.remove(SERVICES, { name: `s${index}`, namespace: "bare" }));
      return result;
    };
    const bares = [await bareOnce()];
    await make("work", numbers);
    const first = await start(api, root);
    const work = await burst(api, first.run.child.pid ?? 0, () => assigned(first.run, COUNT));
    await quiet(api);
    const memory = await memoryOf(first.run);
    await first.run.end("SIGTERM");
    bares.push(await bareOnce());
    const mean = (of: (each: Burst) => number) => bares.reduce((sum, each) => sum + of(each), 0) / bares.length;
    const bareMs = mean(({ ms }) => ms);

    const before = await quiet(api);
    const second = await start(api, root);
    const writes = (await quiet(api)) - before;
    await second.run.end("SIGTERM");

    const rate = (ms: number) => Math.round((COUNT / ms) * 1000);
    const cpu = (client: number, server: number) => `${client.toFixed(2)} + ${server.toFixed(2)} ms`;
    const row = (what: string, value: string | number, bar = "") => ({ server: name, what, value, bar });
    return [
      row("bare client, patches a second", rate(bareMs)),
      row("controller, addresses a second", rate(work.ms)),
      row("ratio", `${Math.round((bareMs / work.ms) * 100)} %`, "≥ 80 %"),
      row(
        "processor time a Service, bare client + server",
        cpu(
          mean(({ client }) => client),
          mean(({ server }) => server),
        ),
      ),
      row("processor time a Service, controller + server", cpu(work.client, work.server)),
      row(`start with ${COUNT} waiting, until ready`, `${Math.round(first.readyMs)} ms`),
      row(`restart with ${COUNT} assigned, until ready`, `${Math.round(second.readyMs)} ms`, "≤ 5000 ms"),
      row("restart, writes but its LeaderElection Event", writes - 1, "0"),
      row(`memory at ${few} Services`, memory1000, "≤ 120 MB"),
      row(`memory at ${COUNT} Services`, memory),
    ];
  } finally {
    await cluster.close();
    rmSync(root, { recursive: true, force: true });
  }
}

async function against(name: string, api: KubernetesApi): Promise<readonly Row[]> {
  try {
    return await measure(name, api);
  } finally {
    await api.close();
  }
}

const rows = [...(await against("sandbox", await startSandboxApi()))];
const assets = kubebuilderAssets();
if (assets === null) console.log("No KUBEBUILDER_ASSETS with etcd and kube-apiserver: measured on the sandbox only.");
else rows.push(...(await against("kube-apiserver", await startRealApi(assets))));
console.table(rows);
process.exit(0);
