import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { Fault } from "#core/errors";
import { connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import type { Cluster } from "#kube/port";
import { systemClock } from "#runtime/clock";
import { jsonLog, type Log } from "#runtime/log";
import type { Runner } from "#runtime/runner";
import { bootstrap, whenServing } from "./bootstrap.ts";
import { claimDataDir, type DataDir, openDataDir, writeKubeconfig, writeWhole } from "./data-dir.ts";
import { UP_HELP, type UpFlags, upFlags } from "./flags.ts";
import { checkNamespaces, onHost, readLab } from "./lab-namespaces.ts";
import { sweep } from "./sweep.ts";
import { startDashboardChild, startSandboxChildren } from "./up-children.ts";
import { runUntilStopped } from "./verb.ts";

const STOP_MS = 3500;
const FIRST_NODE = "127.77.0.11";
const SPEAKER_METRICS_PORT = 9120;

/** `berth up`, what `npm start` runs: the sandbox (or a cluster that was named) and the dashboard. */
export async function run(args: readonly string[]): Promise<number> {
  const flags = upFlags(args, process.env);
  if (flags === null) {
    console.log(UP_HELP);
    return 0;
  }
  const say = (text: string) => console.log(text);
  const log = terminalLog();
  return runUntilStopped({ log, deadlineMs: STOP_MS + 400 }, async (runner) => {
    watchParent(runner);
    if (process.env.KUBECONFIG !== undefined && flags.kubeconfig === null) {
      say("berth: KUBECONFIG is set and ignored: the sandbox is used. For a real cluster say --kubeconfig.");
    }
    forgetForeignEnvironment();
    const dir = await openDataDir(flags.dataDir);
    const leaving = await claimDataDir(dir.run);
    runner.signal.addEventListener("abort", leaving, { once: true });
    sweep(dir.run);
    await portIsFree("127.0.0.1", flags.port, "name another with --port");
    if (flags.kubeconfig === null) {
      await portIsFree("127.0.0.1", flags.apiPort, "name another with --api-port");
      if (flags.network === "netns") checkNamespaces();
      // Every sandbox has the same node addresses, so a second one on this machine cannot work; say so first.
      else
        await portIsFree(
          FIRST_NODE,
          SPEAKER_METRICS_PORT,
          "another sandbox seems to run on this machine; stop it first",
        );
      claimNetwork(dir, flags.network);
      await upSandbox(runner, flags, dir, log, say);
    } else {
      await upCluster(runner, flags, dir, log);
    }
    const url = `http://127.0.0.1:${flags.port}`;
    say(`berth ready: ${url}`);
    if (flags.open) openBrowser(url);
  });
}

/**
 * People read this terminal: warnings in words here, everything else in
 * <data-dir>/logs. A start that failed is said by `runUntilStopped` already.
 */
function terminalLog(): Log {
  return jsonLog({
    level: "warn",
    write(line) {
      const { msg, ts: _ts, level: _level, part, ...facts } = JSON.parse(line) as Record<string, unknown>;
      if (msg === "part failed" && part === "start") return;
      const words = Object.entries({ ...(part === undefined ? {} : { part }), ...facts }).map(
        ([key, value]) => `${key} ${value}`,
      );
      process.stderr.write(`berth: ${msg}${words.length > 0 ? ` (${words.join(", ")})` : ""}\n`);
    },
  });
}

async function upSandbox(
  runner: Runner,
  flags: UpFlags,
  dir: DataDir,
  log: Log,
  say: (text: string) => void,
): Promise<void> {
  writeKubeconfig(dir, flags.apiPort);
  const since = Date.now();
  say("berth: starting the sandbox, a trial cluster on this machine");
  const children = startSandboxChildren(runner, flags, dir, { log, stopMs: STOP_MS });
  const connection = connectionFromToken({
    server: `https://127.0.0.1:${flags.apiPort}`,
    ca: dir.tls.ca,
    token: dir.tokens.admin,
  });
  const cluster: Cluster = new HttpCluster({ connection, clock: systemClock, log });
  try {
    const everything = async () => {
      await whenApiAnswers(cluster, runner.signal);
      const { fromScratch, nodes, network } = flags;
      await insistently(
        () => bootstrap(cluster, { fromScratch, nodes, network, signal: runner.signal }),
        runner.signal,
      );
      const here = relative(process.cwd(), dir.kubeconfig);
      say(`berth: kubectl --kubeconfig ${shellWord(here.startsWith("..") ? dir.kubeconfig : here)} get services`);
      await Promise.all([
        children.ready,
        whenServing(cluster, { nodes, signal: runner.signal, say, since, ...(network === "netns" && fromClient(dir)) }),
      ]);
    };
    await Promise.race([everything(), children.failed]);
  } finally {
    await cluster.close();
  }
}

/** Requests go out from the lab's client: this machine does not reach its addresses. */
function fromClient(dir: DataDir): { readonly answers: (url: string) => Promise<boolean> } {
  const script =
    "fetch(process.argv[1], { signal: AbortSignal.timeout(1000) }).then(() => 0, () => 1).then(process.exit)";
  const answers = (url: string) =>
    new Promise<boolean>((resolve) => {
      const lab = readLab(dir.path);
      if (lab === null) return resolve(false);
      const [command = "", ...args] = [...onHost(lab, "client"), process.execPath, "-e", script, url];
      execFile(command, args, { timeout: 5000 }, (error) => resolve(error === null));
    });
  return { answers };
}

/** A pool made for one network holds addresses that the other does not have. */
function claimNetwork(dir: DataDir, network: UpFlags["network"]): void {
  const file = join(dir.path, "network");
  const before = existsSync(file) ? readFileSync(file, "utf8").trim() : null;
  const used = before ?? (existsSync(join(dir.path, "store.sqlite")) ? "loopback" : network);
  if (used !== network) {
    throw new Fault(
      "invalid",
      `the data directory ${dir.path} was made with --network ${used}; name another --data-dir for --network ${network}.`,
    );
  }
  if (before === null) writeWhole(file, `${network}\n`);
}

async function upCluster(runner: Runner, flags: UpFlags, dir: DataDir, log: Log): Promise<void> {
  const { connectionFromKubeconfig } = await import("#kube/kubeconfig");
  const file = flags.kubeconfig ?? "";
  const connection = await connectionFromKubeconfig(file, flags.context ?? undefined);
  const cluster = new HttpCluster({ connection, clock: systemClock, log });
  try {
    await cluster.version(AbortSignal.timeout(5000));
  } catch (thrown) {
    throw new Fault(
      "unavailable",
      `the cluster at ${connection.server} does not answer: ${Fault.from(thrown).message}`,
    );
  } finally {
    await cluster.close();
  }
  const { ready, failed } = startDashboardChild(runner, flags, dir, { log, stopMs: STOP_MS });
  await Promise.race([ready, failed]);
}

/** As it can be pasted into a shell. */
function shellWord(text: string): string {
  return /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Again while the API server is away for a moment: it may have died and be coming back. */
async function insistently(task: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const giveUpAt = performance.now() + 8000;
  for (;;) {
    try {
      return await task();
    } catch (thrown) {
      if (signal.aborted || !Fault.from(thrown).retryable || performance.now() > giveUpAt) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function whenApiAnswers(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  for (;;) {
    try {
      await cluster.version(AbortSignal.timeout(1000));
      return;
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      if (performance.now() > giveUpAt)
        throw new Fault("unavailable", "the sandbox's API server did not answer within 30 s");
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }
}

/** A port somebody else holds is said before anything is started. */
function portIsFree(host: string, port: number, advice: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "EADDRINUSE"
          ? "is in use"
          : error.code === "EACCES"
            ? "needs root"
            : `cannot be opened (${error.code})`;
      reject(new Fault("invalid", `port ${port} on ${host} ${why}; ${advice}.`));
    });
    server.listen(port, host, () => server.close(() => resolve()));
  });
}

/** Children never see a cluster that was not named, nor npm's own settings. */
function forgetForeignEnvironment(): void {
  for (const key of Object.keys(process.env)) {
    if (key === "KUBECONFIG" || (key.startsWith("npm_") && key !== "npm_lifecycle_event")) delete process.env[key];
  }
}

/** Under npm, a `kill -9` of npm leaves us to another parent: that is the end too. */
function watchParent(runner: Runner): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) runner.end("npm ended");
  }, 250);
  timer.unref();
}

function openBrowser(url: string): void {
  const display = process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY;
  if (!process.stdout.isTTY || display === undefined || process.env.CI !== undefined) return;
  const opener = spawn("xdg-open", [url], { stdio: "ignore", detached: true });
  opener.on("error", () => undefined);
  opener.unref();
}
