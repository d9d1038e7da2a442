/**
 * `node test/bench/api-server.ts`: what `berth sandbox` does in a second and with how much memory, with two client
 * processes on the same machine. Prints a table; `--cpu-prof` leaves the server's profile in /tmp/berth-profile.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openDataDir } from "#main/data-dir";
import { endWithUs } from "../support/end-with-us.ts";
import { freePort } from "../support/traffic.ts";
import type { Answer, At, Work } from "./api-server-part.ts";

const SERVICES = "/api/v1/namespaces/default/services";
const PART = join(import.meta.dirname, "api-server-part.ts");
const dir = mkdtempSync(join(tmpdir(), "berth-bench-"));
const rows: (readonly [what: string, bar: string, measured: string])[] = [];

/** A process that does one piece of work at a time. */
class Part {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(PART, [], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  }

  async do(work: Work): Promise<Answer> {
    this.#child.send(work);
    const [answer] = await once(this.#child, "message");
    return answer as Answer;
  }

  async end(): Promise<void> {
    this.#child.disconnect();
    await once(this.#child, "exit");
  }
}

const dataDir = await openDataDir(dir);
const apiPort = await freePort();
const at: At = { url: `https://127.0.0.1:${apiPort}`, ca: dataDir.tls.ca, token: dataDir.tokens.admin };
const profile = process.argv.includes("--cpu-prof") ? ["--cpu-prof", "--cpu-prof-dir=/tmp/berth-profile"] : [];

/** `berth sandbox`, as a user starts it; resolves when it answers. */
async function startSandbox(...args: readonly string[]): Promise<ChildProcess> {
  const verb = ["bin/berth.mjs", "sandbox", "--data-dir", dir, "--api-port", `${apiPort}`, "--log-level", "warn"];
  const child = spawn(process.execPath, [...profile, ...verb, ...args], { stdio: "inherit" });
  const kill = () => {
    child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  };
  endWithUs({ kill });
  for (let tries = 0; tries < 200; tries++) {
    await sleep(100);
    const probe = await client.do({ kind: "count", at, path: "/api/v1/nodes" }).catch(() => undefined);
    if (probe?.count !== undefined) return child;
  }
  throw new Error("the sandbox did not start in 20 s");
}

async function stopSandbox(child: ChildProcess): Promise<void> {
  child.kill("SIGINT");
  await once(child, "exit");
}

function memoryOf(child: ChildProcess): string {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return `${Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)} MB`;
}

/** Processor time of the server so far, in milliseconds: what a machine busy with other things does not distort. */
function cpuOf(child: ChildProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
}

const client = new Part();
const clients = [client, new Part()];
const watcher = clients[1] ?? client;
let server = await startSandbox();

const each = async (work: (index: number) => Work): Promise<readonly Answer[]> =>
  Promise.all(clients.map((client, index) => client.do(work(index))));
const rate = (answers: readonly Answer[]) => {
  const writes = answers.reduce((sum, { count = 0 }) => sum + count, 0);
  return `${Math.round(writes / (Math.max(...answers.map(({ ms = 0 }) => ms)) / 1000))} /s`;
};

// A first second warms both sides up.
await each((index) => ({ kind: "write", at, prefix: `warm-${index}`, count: 1_500, parallel: 32 }));
for (const kind of ["write", "update"] as const) {
  const before = cpuOf(server);
  const answers = await each((index) => ({ kind, at, prefix: `svc-${index}`, count: 2_500, parallel: 32 }));
  const share = ((cpuOf(server) - before) / 5_000).toFixed(2);
  const what = kind === "write" ? "creates over HTTPS" : "updates over HTTPS";
  rows.push([what, "≥ 2000 /s", `${rate(answers)}, ${share} ms of the server's processor each`]);
}
const listed = await client.do({ kind: "list", at, times: 9, path: `${SERVICES}?limit=5000` });
rows.push(["list of 5,000 Services, median", "≤ 150 ms", `${Math.round(listed.ms ?? 0)} ms (${listed.count} objects)`]);
const watching = await watcher.do({ kind: "watch", at, watches: 100 });
const written = await client.do({ kind: "update", at, prefix: "svc-0", count: 500, parallel: 16 });
const seen = await watcher.do({ kind: "seen", count: 500 });
rows.push([
  `${watching.count} watches, 500 changes`,
  "each once, in order",
  `${seen.count} events, ${seen.wrong} wrong; ${rate([written])} meanwhile`,
]);
rows.push(["memory with 8,000 Services", "≤ 400 MB", memoryOf(server)]);
await stopSandbox(server);

const seeding = performance.now();
server = await startSandbox("--seed", "large");
for (let tries = 0; tries < 120; tries++) {
  const pods = await client.do({ kind: "count", at, path: "/api/v1/namespaces/hollow/pods" });
  const services = await client.do({ kind: "count", at, path: "/api/v1/namespaces/hollow/services" });
  if ((pods.count ?? 0) >= 5_000 && (services.count ?? 0) >= 10_000) break;
  await sleep(500);
}
rows.push(["--seed large: made in", "", `${Math.round((performance.now() - seeding) / 1000)} s`]);
await sleep(15_000);
const large = await client.do({ kind: "list", at, times: 5, path: "/api/v1/namespaces/hollow/services" });
rows.push(["list of 10,000 Services, median", "", `${Math.round(large.ms ?? 0)} ms (${large.count} objects)`]);
rows.push(["memory with all that and the 8,000", "≤ 400 MB", memoryOf(server)]);
await stopSandbox(server);

for (const part of clients) await part.end();
rmSync(dir, { recursive: true, force: true });
const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
for (const row of rows) console.log(row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  "));
