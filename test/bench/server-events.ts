/**
 * What the dashboard's server still holds after very many changes: `node test/bench/server-events.ts [flags]`, after
 * `npm run build`. The process is the real one (`berth dashboard`, its watches, rows, stream and Next); the API server
 * runs in this process and the changes are made in it, past HTTP, as nothing else makes a million in minutes; an
 * event stream is read all the while. Changes and reader keep in step: what was changed is seen in the stream before
 * more is. Prints a table. `browser.ts --events` asks the same of a whole Berth and of a page. Not a timed test.
 *
 *   --events 1000000   changes
 *   --services 5000    Services of the hollow cluster, beside 200 nodes
 */
import { spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { NAMESPACE } from "#api/names";
import { CRDS, NAMESPACES } from "#api/resources";
import { readManifests } from "#main/manifests";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { startHollow } from "#sandbox/hollow/start";
import { startTestApi } from "../support/api-server.ts";
import { eventually } from "../support/berth.ts";
import { endWithUs } from "../support/end-with-us.ts";
import { freePort } from "../support/traffic.ts";
import { EventsSource } from "./events-source.ts";
import { INSPECTABLE, inspect } from "./inspect.ts";

const { values: flags } = parseArgs({
  options: { events: { type: "string", default: "1000000" }, services: { type: "string", default: "5000" } },
});
const EVENTS = Number(flags.events);
const NODES = 200;
const LOOKS = 8;
/** Changes between two looks at the stream: less than what a watch may lag behind. */
const STEP = 2000;

const dir = mkdtempSync(join(tmpdir(), "berth-bench-"));
endWithUs({ kill: () => rmSync(dir, { recursive: true, force: true }) });
const api = await startTestApi();
const { objects } = api.server;
for (const crd of readManifests("crds")) await objects.create(CRDS, crd);
await objects.create(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
const size = { services: Number(flags.services), nodes: NODES };
const hollow = startHollow({ objects, clock: systemClock, log: silentLog }, { ...size, pods: 0 });
await hollow.seeded;
const source = new EventsSource(objects, size);
await source.seed();

const port = await freePort();
const log = join(dir, "dashboard.log");
const out = openSync(log, "a");
const child = spawn(
  process.execPath,
  ["bin/berth.mjs", "dashboard", "--port", `${port}`, "--kubeconfig", api.kubeconfig],
  { stdio: ["ignore", out, out], env: { ...process.env, ...INSPECTABLE, NODE_ENV: "production" } },
);
endWithUs({ kill: () => void child.kill("SIGKILL") });
const pid = child.pid ?? 0;
const stream = await eventually("the stream to open", 60_000, async () => {
  if (child.exitCode !== null) throw new Error(readFileSync(log, "utf8"));
  return (await fetch(`http://127.0.0.1:${port}/api/stream`)).body;
});

let shown = 0;
let messages = 0;
let bytes = 0;
const reading = (async () => {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    bytes += chunk.byteLength;
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n\n");
    text = lines.pop() ?? "";
    messages += lines.length;
    for (const line of lines) {
      if (line.includes('"name":"marker"')) shown = markedBy(line);
    }
  }
})();

/** The port that the marker's row says; rows are JSON inside one message. */
function markedBy(message: string): number {
  return Number(/"name":"marker".*?"port":(\d+)/.exec(message)?.[1] ?? shown);
}

let mark = 1;
async function change(count: number): Promise<void> {
  const until = source.made + count;
  while (source.made < until) {
    const step = Math.min(until, source.made + STEP);
    while (source.made < step) {
      await source.round();
      // What was written leaves for the watches as it would from a process of its own.
      await setImmediate();
    }
    mark = 1 + (mark % 60_000);
    await source.mark(mark);
    await eventually("the stream to show the last change", 60_000, async () => (shown === mark ? true : null));
  }
}

const server = await inspect(pid, log);
const rss = () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1000;
let first = Number.NaN;
const cells = (row: readonly unknown[]) => row.map((cell) => `${cell}`.padStart(14)).join("");
console.log(cells(["changes", "heap (MB)", "since first", "resident (MB)", "a second", "messages"]));
async function look(changes: number, rate: number): Promise<void> {
  await sleep(3000);
  const heap = await server.heapMb();
  if (Number.isNaN(first)) first = heap;
  const since = `${((heap / first - 1) * 100).toFixed(1)} %`;
  console.log(cells([changes, heap.toFixed(1), since, rss().toFixed(0), rate.toFixed(0), messages]));
}

// Every map at its usual size, all code compiled.
await change(Math.min(EVENTS / 10, 20_000));
await look(0, 0);
const before = source.made;
for (let turn = 1; turn <= LOOKS; turn++) {
  const from = performance.now();
  const madeBefore = source.made;
  await change(before + (EVENTS * turn) / LOOKS - source.made);
  await look(source.made - before, ((source.made - madeBefore) / (performance.now() - from)) * 1000);
}
console.log(`${(bytes / 1e6).toFixed(0)} MB were read from the stream`);

server.close();
child.kill("SIGTERM");
await reading.catch(() => undefined);
await hollow.close();
await api.close();
process.exit(0);
