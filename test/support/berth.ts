import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import { endWithUs } from "./end-with-us.ts";
import { freePort } from "./traffic.ts";

/** A whole Berth as `npm start` runs it, in a data directory of its own. */
export interface Berth {
  readonly url: string;
  readonly kubeconfig: string;
  readonly dataDir: string;
  readonly pid: number;
  /** Milliseconds from the start of the process to its ready line. */
  readonly readyAfterMs: number;
  /** Everything the top process printed. */
  output(): string;
  kubectl(...args: readonly string[]): Promise<string>;
  /** Ends it as Ctrl-C does and resolves with the exit code. */
  stop(): Promise<number | null>;
  /** Ends the top process as a crash does. */
  kill(): Promise<void>;
}

export function scratchDir(): string {
  return mkdtempSync(join(tmpdir(), "berth-story-"));
}

export function removeDir(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** It ends when this process does, however that comes. */
export async function startBerth(options: {
  readonly dataDir: string;
  readonly args?: readonly string[];
  readonly port?: number;
  readonly apiPort?: number;
}): Promise<Berth> {
  const port = options.port ?? (await freePort());
  const apiPort = options.apiPort ?? (await freePort());
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [
      "bin/berth.mjs",
      "up",
      "--no-open",
      "--port",
      String(port),
      "--api-port",
      String(apiPort),
      "--data-dir",
      options.dataDir,
      ...(options.args ?? []),
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NODE_ENV: "production" } },
  );
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const stop = async () => {
    child.kill("SIGINT");
    const late = setTimeout(() => child.kill("SIGKILL"), 15_000);
    const code = await exited;
    clearTimeout(late);
    return code;
  };
  child.once("exit", endWithUs({ stop, kill: () => void child.kill("SIGKILL") }));
  let text = "";
  const ready = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        text += `${line}\n`;
        if (line.startsWith("berth ready: ")) resolve();
      });
    }
    child.once("exit", (code) => reject(new Error(`berth ended with ${code} before it was ready:\n${text}`)));
    setTimeout(() => reject(new Error(`berth was not ready within 90 s:\n${text}`)), 90_000).unref();
  });
  try {
    await ready;
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  const kubeconfig = join(options.dataDir, "kubeconfig");
  return {
    url: `http://127.0.0.1:${port}`,
    kubeconfig,
    dataDir: options.dataDir,
    pid: pidOf(child),
    readyAfterMs: performance.now() - startedAt,
    output: () => text,
    kubectl: (...args) => kubectl(kubeconfig, args),
    stop,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error("the process has no pid");
  return child.pid;
}

/** Runs kubectl and resolves with stdout; a failure rejects with both outputs in the message. */
export function kubectl(kubeconfig: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile("kubectl", ["--kubeconfig", kubeconfig, ...args], { timeout: 30_000 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`kubectl ${args.join(" ")}: ${stderr}${stdout}`));
      else resolve(stdout);
    });
  });
}

/** Polls until `look` gives something else than null or throws; the error names what was waited for. */
export async function eventually<T>(what: string, withinMs: number, look: () => Promise<T | null>): Promise<T> {
  const giveUpAt = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== null) return found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > giveUpAt)
      throw new Error(`not within ${withinMs} ms: ${what}${last === undefined ? "" : ` (${last})`}`);
    await sleep(40);
  }
}

/** Ends them as a crash does; one that is gone by now is as good. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended with another of them.
    }
  }
}

/** Pids of every process that has this data directory in its arguments or environment. */
export function processesOf(dataDir: string): readonly number[] {
  const mentions = (file: string) => textOf(file).includes(dataDir);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => mentions(`/proc/${name}/cmdline`) || mentions(`/proc/${name}/environ`))
    .map(Number);
}

/** Empty for what is gone between the listing and the look, or not ours to read. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Of those, the ones that run this verb of Berth, perhaps with this variable set ("METALLB_NODE_NAME=node-01"). */
export function berthProcesses(dataDir: string, verb: string, variable?: string): readonly number[] {
  return processesOf(dataDir).filter((pid) => {
    const words = textOf(`/proc/${pid}/cmdline`).split("\0");
    if (!words.some((word) => word.endsWith("berth.mjs")) || !words.includes(verb)) return false;
    return variable === undefined || textOf(`/proc/${pid}/environ`).split("\0").includes(variable);
  });
}

/** A client with the rights of a Berth's kubeconfig. */
export function adminCluster(kubeconfig: string): HttpCluster {
  const config = parse(readFileSync(kubeconfig, "utf8"));
  return new HttpCluster({
    connection: connectionFromToken({
      server: config.clusters[0].cluster.server,
      ca: Buffer.from(config.clusters[0].cluster["certificate-authority-data"], "base64").toString(),
      token: config.users[0].user.token,
    }),
  });
}
