/**
 * The speaker's wire beside the kernel's own: `node test/bench/wire.ts [requests]`
 * as root on Linux. Prints how long an ARP request waits for its answer (the
 * same tool asks the speaker and the kernel in turn over one veth pair, and
 * stamps before it sends), how many requests a second are answered, what idling
 * costs, and that a million random frames get no wrong answer. Not a timed test.
 */
import { Namespaces } from "../lab/support/namespaces.ts";
import { WireHost } from "../lab/support/wire-host.ts";
import { endWithUs } from "../support/end-with-us.ts";
import { fuzzResponder } from "../support/neighbour-fuzz.ts";

interface Latency {
  readonly ip: string;
  readonly count: number;
  readonly lost: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}
interface Usage {
  readonly cpu: { readonly user: number; readonly system: number };
  readonly rss: number;
  readonly resources: { readonly voluntaryContextSwitches: number };
}

const requests = Number(process.argv[2] ?? 2000);
const PROBE = new URL("./arp-probe.ts", import.meta.url).pathname;
const NODE = new URL("../../node_modules/.bin/node", import.meta.url).pathname;
const KERNEL = "192.0.2.11";
const SPEAKER = "192.0.2.100";
const IDLE_MS = 20_000;

if (!Namespaces.available()) {
  console.log("needs root on Linux, for network namespaces");
  process.exit(1);
}
const lab = Namespaces.create("bench");
endWithUs({ kill: () => lab.close() });
lab.add("node");
lab.add("client");
lab.cable({ host: "node", name: "eth0" }, { host: "client", name: "eth0", mac: "02:be:00:00:00:01" });
lab.address("node", "eth0", `${KERNEL}/24`);
lab.address("client", "eth0", "192.0.2.1/24");
const speaker = new WireHost(lab, "node");
await speaker.started();

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const usage = async () => (await speaker.tell({ kind: "usage" })) as Usage;
async function idle(what: string): Promise<void> {
  await sleep(6000);
  const before = await usage();
  await sleep(IDLE_MS);
  const after = await usage();
  const cpu = (after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / 10 / IDLE_MS;
  const switches = after.resources.voluntaryContextSwitches - before.resources.voluntaryContextSwitches;
  console.log(`idle, ${what}: ${cpu.toFixed(3)} % of a core, ${switches} wake-ups in ${IDLE_MS / 1000} s`);
}

/** By a process that ends by itself; the namespace's 20 s for a command would not do. */
async function probe<T>(...args: readonly string[]): Promise<T> {
  const child = lab.spawn("client", NODE, "--no-warnings", PROBE, ...args);
  let output = "";
  let problems = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    problems += chunk;
  });
  await new Promise((resolve) => child.on("close", resolve));
  if (output === "") throw new Error(problems);
  return JSON.parse(output) as T;
}

async function latency(what: string, gapMs: number): Promise<void> {
  const answers = await probe<readonly Latency[]>("latency", "eth0", String(requests), String(gapMs), KERNEL, SPEAKER);
  const us = (value: number) => value.toFixed(0).padStart(6);
  for (const [index, { count, lost, p50, p90, p99, max }] of answers.entries()) {
    const who = index === 0 ? "kernel" : "speaker";
    console.log(
      `${what.padEnd(34)} ${who.padEnd(8)} ${us(p50)} ${us(p90)} ${us(p99)} ${us(max)}  ${count} answered, ${lost} lost`,
    );
  }
  const [kernel, ours] = answers;
  if (kernel !== undefined && ours !== undefined) {
    const ratio = (a: number, b: number) => (a / b).toFixed(2);
    console.log(
      `${what.padEnd(34)} ratio    median ${ratio(ours.p50, kernel.p50)} x, p99 ${ratio(ours.p99, kernel.p99)} x`,
    );
  }
}

await idle("nothing announced");
await speaker.hold(SPEAKER);
console.log(`\nARP, microseconds                  who         p50    p90    p99    max`);
await latency("1 ms apart", 1);
await latency("back to back", 0);
await speaker.tell({ kind: "busy", ms: 100, everyMs: 200 });
await latency("main thread busy 100 of 200 ms", 1);
await speaker.tell({ kind: "busy", ms: 0, everyMs: 1 });

for (const [who, ip] of [
  ["kernel", KERNEL],
  ["speaker", SPEAKER],
] as const) {
  const { perSecond } = await probe<{ perSecond: number }>("flood", "eth0", "5", ip);
  console.log(`answered a second, 64 in flight: ${who} ${perSecond}`);
}
await idle("one address announced");
console.log(`memory of link and announcer: ${((await usage()).rss / 1e6).toFixed(0)} MB`);
await speaker.close();

const startedAt = performance.now();
const { answered, malformed, heapGrowth } = fuzzResponder(1_000_000, Date.now());
console.log(
  `fuzz: 1000000 frames, ${answered} answered, ${malformed} malformed, 0 wrong, heap ${(heapGrowth / 1e6).toFixed(1)} MB` +
    ` (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`,
);
process.exit(0);
