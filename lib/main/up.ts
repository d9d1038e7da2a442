import { spawn } from "node:child_process";
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
import { Child } from "./children.ts";
import { claimDataDir, type DataDir, kubeconfigText, openDataDir, writeWhole } from "./data-dir.ts";
import { UP_HELP, type UpFlags, upFlags } from "./flags.ts";
import { ProcessFile, sweep } from "./sweep.ts";
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
      // Every sandbox has the same node addresses, so a second one on this machine cannot work; say so first.
      await portIsFree(FIRST_NODE, SPEAKER_METRICS_PORT, "another sandbox seems to run on this machine; stop it first");
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
  writeWhole(dir.kubeconfig, kubeconfigText(dir, flags.apiPort));
  const since = Date.now();
  say("berth: starting the sandbox, a trial cluster on this machine");
  const children = startChildren(runner, flags, dir, log);
  const connection = connectionFromToken({
    server: `https://127.0.0.1:${flags.apiPort}`,
    ca: dir.tls.ca,
    token: dir.tokens.admin,
  });
  const cluster: Cluster = new HttpCluster({ connection, clock: systemClock, log });
  try {
    await whenApiAnswers(cluster, runner.signal, children);
    await bootstrap(cluster, { fromScratch: flags.fromScratch, nodes: flags.nodes, signal: runner.signal });
    const here = relative(process.cwd(), dir.kubeconfig);
    say(`berth: kubectl --kubeconfig ${here.startsWith("..") ? dir.kubeconfig : here} get services`);
    await Promise.all([
      children.dashboardReady,
      whenServing(cluster, { nodes: flags.nodes, signal: runner.signal, say, since }),
    ]);
  } finally {
    await cluster.close();
  }
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
  const files = new ProcessFile(join(dir.run, "up-children.json"));
  const { child, ready } = dashboardChild(flags, dir, files, log);
  child.start();
  runner.onStop("dashboard", () => child.stop(STOP_MS));
  await ready;
}

function dashboardChild(flags: UpFlags, dir: DataDir, files: ProcessFile, log: Log) {
  const { promise: ready, resolve: settled } = Promise.withResolvers<void>();
  const args = ["dashboard", "--port", String(flags.port), "--api-port", String(flags.apiPort), "--data-dir", dir.path];
  if (flags.kubeconfig !== null) args.push("--kubeconfig", flags.kubeconfig);
  if (flags.context !== null) args.push("--context", flags.context);
  if (flags.dev) args.push("--dev");
  const child = new Child(
    {
      name: "dashboard",
      args,
      env: flags.dev ? {} : { NODE_ENV: "production" },
      logFile: join(dir.logs, "dashboard.log"),
      onLine: (line) => {
        if (line.includes('"msg":"ready"')) settled();
      },
    },
    files,
    log,
  );
  return { child, ready };
}

interface Children {
  readonly dashboardReady: Promise<void>;
  /** The API server's last words when it cannot start, else null. */
  problem(): string | null;
}

/** Starts all three at once: each waits for the API by itself. They stop in the order dashboard, nodes, API server. */
function startChildren(runner: Runner, flags: UpFlags, dir: DataDir, log: Log): Children {
  const files = new ProcessFile(join(dir.run, "up-children.json"));
  let problem: string | null = null;
  const shared = ["--data-dir", dir.path, "--api-port", String(flags.apiPort)];
  const sandbox = new Child(
    {
      name: "sandbox",
      args: ["sandbox", ...shared],
      logFile: join(dir.logs, "sandbox.log"),
      onLine: (line) => {
        problem = failureIn(line) ?? problem;
      },
    },
    files,
    log,
  );
  const nodes = new Child(
    { name: "nodes", args: ["nodes", ...shared, "--nodes", String(flags.nodes)], logFile: join(dir.logs, "nodes.log") },
    files,
    log,
  );
  const { child: dashboard, ready } = dashboardChild(flags, dir, files, log);
  for (const [name, child] of [
    ["sandbox", sandbox],
    ["nodes", nodes],
    ["dashboard", dashboard],
  ] as const) {
    child.start();
    runner.onStop(name, () => child.stop(STOP_MS));
  }
  return { dashboardReady: ready, problem: () => problem };
}

async function whenApiAnswers(cluster: Cluster, signal: AbortSignal, children: Children): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  for (;;) {
    try {
      await cluster.version(AbortSignal.timeout(1000));
      return;
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const problem = children.problem();
      if (problem !== null) throw new Fault("unavailable", problem);
      if (performance.now() > giveUpAt)
        throw new Fault("unavailable", "the sandbox's API server did not answer within 30 s");
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }
}

/** The error of a child's "part failed" line, so that its last words reach the terminal as one sentence. */
function failureIn(line: string): string | null {
  if (!line.includes('"msg":"part failed"')) return null;
  try {
    const error: unknown = Reflect.get(JSON.parse(line), "error");
    return typeof error === "string" ? error : null;
  } catch {
    return null;
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
