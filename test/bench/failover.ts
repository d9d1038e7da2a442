import { setTimeout as sleep } from "node:timers/promises";
import { ANNOTATION, EDGE_CONFIG_MAP } from "../../lib/api/names.ts";
import { CONFIG_MAPS, NODES, PODS, SERVICE_L2_STATUSES } from "../../lib/api/resources.ts";
import { adminCluster, berthProcesses, eventually, removeDir, scratchDir, startBerth } from "../support/berth.ts";
import { ask, hammer, longestOutage } from "../support/hammer.ts";

const ADDRESS = "127.77.10.1";
const runs = Number(process.argv[2] ?? 10);
const dataDir = scratchDir();
const berth = await startBerth({ dataDir });
const cluster = adminCluster(berth.kubeconfig);
const edge = cluster.cache(CONFIG_MAPS, {
  namespace: "kube-system",
  fieldSelector: `metadata.name=${EDGE_CONFIG_MAP}`,
});
const statuses = cluster.cache(SERVICE_L2_STATUSES);
const pods = cluster.cache(PODS, { namespace: "metallb-system" });
const nodes = cluster.cache(NODES);
await Promise.all([edge, statuses, pods, nodes].map((cache) => cache.whenSynced()));

const mac = (): string | undefined =>
  (JSON.parse(edge.list()[0]?.data?.neighbours ?? "[]") as { address: string; mac: string }[]).find(
    (entry) => entry.address === ADDRESS,
  )?.mac;
const macOf = (node: string) => `02:be:77:00:00:1${node.slice(-1)}`;
const announcer = () => {
  const owners = statuses.list().filter((status) => status.status?.serviceName === "nginx");
  return owners.length === 1 ? (owners[0]?.status?.node ?? null) : null;
};
const speakersReady = () =>
  pods.list().filter((pod) => pod.metadata.name?.startsWith("speaker-") && pod.status?.containerStatuses?.[0]?.ready)
    .length;
const settled = async () => {
  await ask(`http://${ADDRESS}/`); // the edge knows a neighbour only once something was sent there
  return eventually("three ready speakers and one announcer", 60_000, async () => {
    const node = announcer();
    const ready = nodes
      .list()
      .every((item) => item.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"));
    return speakersReady() === 3 && ready && node !== null && mac() === macOf(node) ? node : null;
  });
};

interface Run {
  readonly movedMs: number;
  readonly failed: number;
  readonly outageMs: number;
}

async function measure(strike: (node: string) => Promise<void>, repair: (node: string) => Promise<void>): Promise<Run> {
  const node = await settled();
  await sleep(1500);
  const load = hammer(`http://${ADDRESS}/`, 10);
  await sleep(300);
  const at = performance.now();
  let movedMs = Number.NaN;
  const stop = edge.onChange(() => {
    if (Number.isNaN(movedMs) && mac() !== macOf(node)) movedMs = performance.now() - at;
  });
  await strike(node);
  await sleep(3000);
  stop();
  const answers = await load.stop();
  await repair(node);
  return { movedMs, failed: answers.filter(({ ok }) => !ok).length, outageMs: longestOutage(answers) };
}

const power = (state: string) => async (node: string) => {
  await cluster.patch(
    NODES,
    { name: node },
    { kind: "merge", body: { metadata: { annotations: { [ANNOTATION.power]: state } } } },
  );
};
const CASES = {
  "kill -9 of the speaker": [
    async (node: string) => {
      for (const pid of berthProcesses(dataDir, "speaker", `METALLB_NODE_NAME=${node}`)) process.kill(pid, "SIGKILL");
    },
    async () => undefined,
  ],
  "SIGTERM of the speaker": [
    async (node: string) => {
      for (const pid of berthProcesses(dataDir, "speaker", `METALLB_NODE_NAME=${node}`)) process.kill(pid, "SIGTERM");
    },
    async () => undefined,
  ],
  "power off the node": [power("off"), power("on")],
} as const;

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const ms = (value: number) => `${value.toFixed(0)} ms`;
console.log(
  `${"".padEnd(24)}${"moved median".padStart(14)}${"worst".padStart(10)}${"failed".padStart(8)}${"gap median".padStart(12)}${"worst".padStart(10)}`,
);
for (const [name, [strike, repair]] of Object.entries(CASES)) {
  const results: Run[] = [];
  for (let i = 0; i < runs; i++) {
    results.push(await measure(strike, repair));
    // A speaker that was killed often waits long in its back-off; deleting its pod starts it anew.
    for (const pod of pods.list()) {
      if ((pod.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0 && pod.metadata.name?.startsWith("speaker-")) {
        await cluster.remove(PODS, { name: pod.metadata.name, namespace: "metallb-system" });
      }
    }
    await sleep(1500);
  }
  const moved = results.map(({ movedMs }) => movedMs);
  const gaps = results.map(({ outageMs }) => outageMs);
  const failed = results.reduce((sum, run) => sum + run.failed, 0);
  console.log(
    `${name.padEnd(24)}${ms(median(moved)).padStart(14)}${ms(Math.max(...moved)).padStart(10)}${String(failed).padStart(8)}${ms(median(gaps)).padStart(12)}${ms(Math.max(...gaps)).padStart(10)}`,
  );
}
await cluster.close();
await berth.stop();
removeDir(dataDir);
