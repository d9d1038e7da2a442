/** `node test/bench/controller.ts`: what the controller itself costs for 10,000 Services, on a server in memory. Prints a table. */
import type { Service } from "#api/kubernetes";
import { IP_ADDRESS_POOLS, NAMESPACES, SERVICES } from "#api/resources";
import { startController } from "#controller/start";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { Metrics } from "#runtime/metrics";
import { Runner } from "#runtime/runner";
import { MemoryServer } from "../support/memory-cluster.ts";

const COUNT = 10_000;
const NS = "metallb-system";

function server(): MemoryServer {
  const made = new MemoryServer(systemClock);
  made.set(NAMESPACES, { metadata: { name: "default" } });
  const spec = { addresses: ["10.0.0.0/16"], autoAssign: true, avoidBuggyIPs: false };
  made.set(IP_ADDRESS_POOLS, { metadata: { name: "p", namespace: NS }, spec });
  for (let index = 0; index < COUNT; index++) {
    made.set(SERVICES, {
      metadata: { name: `s${index}`, namespace: "default" },
      spec: { type: "LoadBalancer", clusterIPs: ["10.96.0.1"], ports: [{ port: 80 }] },
    });
  }
  return made;
}

/** Counts first assignments as they are written: asking for all of them would cost more than the controller. */
function counter(on: MemoryServer): () => number {
  const assigned = new Set<string>();
  on.watch(({ now }) => {
    const { status, metadata } = (now ?? {}) as Partial<Service>;
    if ((status?.loadBalancer?.ingress ?? []).length > 0) assigned.add(metadata?.name ?? "");
  });
  return () => assigned.size;
}

/** Milliseconds of processor time since the start: what a machine busy with other things does not distort. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The same statuses, patched by a client that decides nothing, 32 at a time. */
async function bare(on: MemoryServer): Promise<number> {
  const cluster = on.connect();
  const todo = on.of(SERVICES);
  const start = cpu();
  let next = 0;
  const worker = async () => {
    for (let each = todo[next++]; each !== undefined; each = todo[next++]) {
      const { name = "", namespace, resourceVersion } = each.metadata;
      const body = {
        metadata: { resourceVersion },
        status: { loadBalancer: { ingress: [{ ip: `10.0.${next >> 8}.${next & 255}` }] } },
      };
      await cluster.patch(SERVICES, { name, namespace }, { kind: "merge", subresource: "status", body });
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  return cpu() - start;
}

async function controller(on: MemoryServer, done: (ready: boolean) => boolean): Promise<number> {
  const runner = new Runner(silentLog);
  const start = cpu();
  const started = await startController(runner, {
    cluster: on.connect(),
    clock: systemClock,
    log: silentLog,
    metrics: new Metrics(),
    namespace: NS,
    podName: "controller-0",
    deployment: "controller",
    random: (bytes) => new Uint8Array(bytes),
  });
  await until(() => done(started.ready()));
  const elapsed = cpu() - start;
  // Events and annotations follow behind: the restart must find nothing left to do.
  for (let writes = -1; writes !== on.writes.length; ) {
    writes = on.writes.length;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  runner.end("bench");
  return elapsed;
}

const bareMs = await bare(server());
const world = server();
const assigned = counter(world);
const assignMs = await controller(world, () => assigned() === COUNT);
const before = world.writes.length;
const restartMs = await controller(world, (ready) => ready);
console.table([
  { what: "bare client, 10,000 status patches", "cpu ms": Math.round(bareMs) },
  { what: "controller, 10,000 addresses", "cpu ms": Math.round(assignMs) },
  {
    what: "restart with 10,000 assigned, until ready",
    "cpu ms": Math.round(restartMs),
    writes: world.writes.length - before,
  },
]);
for (const { verb, plural, key } of world.writes.slice(before, before + 5)) console.log(verb, plural, key);
process.exit(0);
