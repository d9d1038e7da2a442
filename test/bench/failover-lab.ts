/**
 * Failover on real interfaces: `node test/bench/failover-lab.ts [runs] [case]` (4 runs
 * unless given, and of every case; needs root). For each way to lose the announcing node, median
 * and worst of: the time until the client's ARP entry names the successor,
 * requests lost, and the longest gap between two replies (a client that opens a
 * new connection every 10 ms, in its own namespace); and what part of the
 * requests is lost long after the address has moved: that of the pods on the
 * node that is cut off, one of three, until the cluster notices; and in how many runs a connection that was open
 * before still answered afterwards. Not a timed test.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { NODES } from "#api/resources";
import { ClusterLab, macOf } from "../lab/support/cluster-lab.ts";
import { eventually } from "../support/berth.ts";
import { longestOutage } from "../support/hammer.ts";

const ADDRESS = "10.77.10.1";
const EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers";
const runs = Number(process.argv[2] ?? 4);
const only = process.argv[3] ?? "";
const lab = await ClusterLab.start();

const label = (node: string, value: string | null) =>
  lab.cluster.patch(NODES, { name: node }, { kind: "merge", body: { metadata: { labels: { [EXCLUDE]: value } } } });
type Strike = (node: string) => unknown;
const CASES: Readonly<Record<string, readonly [strike: Strike, repair: Strike]>> = {
  "kill -9 of the speaker": [(node) => lab.signalSpeaker(node, "SIGKILL"), () => undefined],
  "SIGTERM of the speaker": [(node) => lab.signalSpeaker(node, "SIGTERM"), () => undefined],
  "SIGSTOP of the speaker": [
    (node) => lab.signalSpeaker(node, "SIGSTOP"),
    (node) => lab.signalSpeaker(node, "SIGCONT"),
  ],
  "link down": [(node) => lab.cable(node, "down"), (node) => lab.cable(node, "up")],
  "planned move": [(node) => label(node, ""), (node) => label(node, null)],
};

interface Run {
  readonly movedMs: number;
  readonly lost: number;
  readonly gapMs: number;
  /** 0 to 100. */
  readonly lostLater: number;
  readonly kept: boolean;
  readonly errors: readonly string[];
}

/** By then the address has moved: 3 s are watched. */
const LATER_MS = 1500;

async function measure([strike, repair]: readonly [Strike, Strike]): Promise<Run> {
  await eventually("every node to be Ready", 60_000, async () =>
    lab.kubectl("get", "nodes", "--no-headers").includes("NotReady") ? null : true,
  );
  const node = await eventually("the client to know the announcer", 60_000, async () => {
    const announcer = await lab.settled("nginx");
    lab.curl(`http://${ADDRESS}/`);
    return lab.believed(ADDRESS) === macOf(announcer) ? announcer : null;
  });
  await sleep(1500);
  const ask = await lab.keepAlive(ADDRESS);
  await ask();
  const load = lab.requests(`http://${ADDRESS}/`);
  let at = 0;
  let movedMs = Number.NaN;
  const stop = await lab.watchNeighbour(ADDRESS, (mac) => {
    if (at > 0 && Number.isNaN(movedMs) && mac !== macOf(node)) movedMs = performance.now() - at;
  });
  await sleep(300);
  at = performance.now();
  await strike(node);
  await sleep(3000);
  stop();
  const answers = await load.stop();
  const kept = await ask(2000).then(
    () => true,
    () => false,
  );
  await repair(node);
  await lab.freshSpeakers();
  const lost = (some: typeof answers) => some.filter(({ ok }) => !ok).length;
  const end = answers.at(-1)?.at ?? 0;
  const later = answers.filter((answer) => answer.at > end - LATER_MS);
  return {
    movedMs,
    lost: lost(answers),
    gapMs: longestOutage(answers),
    lostLater: (100 * lost(later)) / later.length,
    kept,
    errors: answers.flatMap(({ ok, text }) => (ok ? [] : text)),
  };
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const cells = (values: readonly number[], unit: string) =>
  [median(values), Math.max(...values)].map((value) => `${value.toFixed(0)}${unit}`.padStart(9)).join("");
console.log(`${runs} runs each; median and worst`);
console.log(
  `${"".padEnd(24)}${"ARP entry moved".padStart(18)}${"requests lost".padStart(18)}${"longest gap".padStart(18)}${"lost later".padStart(18)}${"connection kept".padStart(18)}`,
);
try {
  for (const [name, way] of Object.entries(CASES).filter(([name]) => name.includes(only))) {
    const results: Run[] = [];
    for (let n = 0; n < runs; n++) results.push(await measure(way));
    const of = (key: "movedMs" | "lost" | "gapMs" | "lostLater") => results.map((one) => one[key]);
    const kept = results.filter((one) => one.kept).length;
    const columns = [cells(of("movedMs"), " ms"), cells(of("lost"), ""), cells(of("gapMs"), " ms")];
    console.log(
      `${name.padEnd(24)}${columns.join("")}${cells(of("lostLater"), " %")}${`${kept} of ${runs}`.padStart(18)}`,
    );
    const errors = [...new Set(results.flatMap((one) => one.errors))];
    if (errors.length > 0) console.log(`  lost by: ${errors.join("; ")}`);
  }
} finally {
  await lab.close();
}
