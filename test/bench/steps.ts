/**
 * How soon the system follows what its users do, in a sandbox of the default network: `node test/bench/steps.ts [runs]`.
 * The tests of the story wait for the same, by bounds of what hangs.
 */
import { conditionOf } from "../../lib/api/conditions.ts";
import type { Service } from "../../lib/api/kubernetes/services.ts";
import type { Deployment } from "../../lib/api/kubernetes/workloads.ts";
import { CONDITION } from "../../lib/api/names.ts";
import { DEPLOYMENTS, SERVICES } from "../../lib/api/resources.ts";
import { adminCluster, eventually, removeDir, scratchDir, startBerth } from "../support/berth.ts";
import { ask, hammer, podOf } from "../support/hammer.ts";

const runs = Number(process.argv[2] ?? 10);
const URL = "http://127.77.10.1/";
const dataDir = scratchDir();
const berth = await startBerth({ dataDir });
const cluster = adminCluster(berth.kubeconfig);
const services = cluster.cache(SERVICES);
const deployments = cluster.cache(DEPLOYMENTS, { namespace: "default" });
await Promise.all([services.whenSynced(), deployments.whenSynced()]);

const NGINX = { name: "nginx-app", namespace: "default" };
const scale = (replicas: number) => cluster.patch(DEPLOYMENTS, NGINX, { kind: "merge", body: { spec: { replicas } } });
const ready = (replicas: number) =>
  eventually(`${replicas} ready pods`, 60_000, async () => {
    const { spec, status }: Deployment = deployments.get("default/nginx-app") ?? { metadata: {} };
    return spec?.replicas === replicas && status?.replicas === replicas && status.readyReplicas === replicas
      ? true
      : null;
  });
const create = (name: string, annotations: Readonly<Record<string, string>>) =>
  cluster.create<Service>(SERVICES, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default", annotations: { ...annotations } },
    spec: { type: "LoadBalancer", selector: { app: "my-cool-application" }, ports: [{ port: 80 }] },
  });

interface Step {
  readonly tookMs: number;
  readonly lost: number;
}

/** From the scale to the first reply of the fifth pod; requests lost until three are left again. */
async function followScale(): Promise<Step> {
  await ready(3);
  const load = hammer(URL, 20);
  const at = performance.now();
  await scale(5);
  const pods = new Set<string | null>();
  const tookMs = await eventually("five pods answering", 60_000, async () => {
    for (const { ok, text } of load.answers) if (ok) pods.add(podOf(text));
    return pods.size >= 5 ? performance.now() - at : null;
  });
  await scale(3);
  await ready(3);
  const answers = await load.stop();
  return { tookMs, lost: answers.filter(({ ok }) => !ok).length };
}

/** From the creation of a Service to the first reply at its address. */
async function expose(): Promise<Step> {
  const at = performance.now();
  await create("web", {});
  const address = await eventually("an address", 60_000, async () => {
    return services.get("default/web")?.status?.loadBalancer?.ingress?.[0]?.ip ?? null;
  });
  let lost = -1;
  for (let ok = false; !ok; lost++) ({ ok } = await ask(`http://${address}/`, 5000));
  const tookMs = performance.now() - at;
  await cluster.remove(SERVICES, { name: "web", namespace: "default" });
  return { tookMs, lost };
}

/** From the creation of a Service that cannot be served to the sentence that says why. */
async function refuse(): Promise<Step> {
  const at = performance.now();
  await create("waits", { "metallb.io/address-pool": "nowhere" });
  const tookMs = await eventually("the reason", 60_000, async () => {
    const conditions = services.get("default/waits")?.status?.conditions;
    return conditionOf(conditions, CONDITION.addressAssigned)?.message?.includes("nowhere")
      ? performance.now() - at
      : null;
  });
  await cluster.remove(SERVICES, { name: "waits", namespace: "default" });
  return { tookMs, lost: 0 };
}

const row = async (what: string, once: () => Promise<Step>) => {
  const steps: Step[] = [];
  for (let run = 0; run < runs; run++) steps.push(await once());
  const times = steps.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const ms = (value = Number.NaN) => `${value.toFixed(0)} ms`;
  const lost = steps.reduce((sum, step) => sum + step.lost, 0);
  return { what, median: ms(times[times.length >> 1]), worst: ms(times.at(-1)), lost };
};
console.table([
  await row("a Service is made: first reply at its address", expose),
  await row("a Service that no pool can serve: the reason in its status", refuse),
  await row("a scale from three pods to five: first reply of the fifth", followScale),
]);
await cluster.close();
await berth.stop();
removeDir(dataDir);
