import { join } from "node:path";
import { Fault } from "#core/errors";
import type { Log } from "#runtime/log";
import type { Runner } from "#runtime/runner";
import { Child, type ChildSpec } from "./children.ts";
import type { DataDir } from "./data-dir.ts";
import type { UpFlags } from "./flags.ts";
import { freshNamespaces } from "./lab-namespaces.ts";
import { ProcessFile } from "./sweep.ts";

interface Started {
  /** The dashboard serves. */
  readonly ready: Promise<void>;
  /** Rejects with the last words of the first that cannot start; never resolves. */
  readonly failed: Promise<never>;
}

interface Means {
  readonly log: Log;
  /** How long a child may take to stop before it is killed. */
  readonly stopMs: number;
}

/** Starts all three at once: each waits for the API by itself. They stop in the order dashboard, nodes, API server. */
export function startSandboxChildren(runner: Runner, flags: UpFlags, dir: DataDir, means: Means): Started {
  const family = new Family(runner, dir, means);
  const shared = ["--data-dir", dir.path, "--api-port", String(flags.apiPort)];
  const nodes = [...shared, "--nodes", String(flags.nodes)];
  if (flags.network === "netns") {
    family.start("sandbox", [...shared, "--socket"]);
    const user = process.getuid?.() !== 0;
    family.start("nodes", [...nodes, "--network", "netns"], {
      wrapper: freshNamespaces(user),
      env: { BERTH_LAB: "1", ...(user ? { BERTH_LAB_USER: "1" } : {}) },
    });
  } else {
    family.start("sandbox", shared);
    family.start("nodes", nodes);
  }
  return { ready: startDashboard(family, flags, dir), failed: family.failed };
}

/** The dashboard alone, for a cluster that was named. */
export function startDashboardChild(runner: Runner, flags: UpFlags, dir: DataDir, means: Means): Started {
  const family = new Family(runner, dir, means);
  return { ready: startDashboard(family, flags, dir), failed: family.failed };
}

function startDashboard(family: Family, flags: UpFlags, dir: DataDir): Promise<void> {
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const args = ["--port", String(flags.port), "--api-port", String(flags.apiPort), "--data-dir", dir.path];
  if (flags.kubeconfig !== null) args.push("--kubeconfig", flags.kubeconfig);
  if (flags.context !== null) args.push("--context", flags.context);
  if (flags.kubeconfig === null && flags.network === "netns") args.push("--lab");
  if (flags.dev) args.push("--dev");
  family.start("dashboard", args, {
    env: flags.dev ? {} : { NODE_ENV: "production" },
    onLine: (line) => {
      if (line.includes('"msg":"ready"')) resolve();
    },
  });
  return ready;
}

/** The children of one `berth up`. */
class Family {
  readonly #runner: Runner;
  readonly #dir: DataDir;
  readonly #means: Means;
  readonly #files: ProcessFile;
  readonly #failure = Promise.withResolvers<never>();

  constructor(runner: Runner, dir: DataDir, means: Means) {
    this.#runner = runner;
    this.#dir = dir;
    this.#means = means;
    this.#files = new ProcessFile(join(dir.run, "up-children.json"));
    // Once everything runs nobody waits for it any more.
    this.#failure.promise.catch(() => undefined);
  }

  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  start(verb: string, args: readonly string[], extra: Pick<ChildSpec, "env" | "onLine" | "wrapper"> = {}): void {
    const { log, stopMs } = this.#means;
    const spec: ChildSpec = {
      ...extra,
      name: verb,
      args: [verb, ...args],
      logFile: join(this.#dir.logs, `${verb}.log`),
      onLine: (line) => {
        const problem = failureIn(line);
        // A child that merely died is started again; one that said why it cannot start would say so again.
        if (problem !== null) this.#failure.reject(new Fault("unavailable", problem));
        extra.onLine?.(line);
      },
    };
    const child = new Child(spec, this.#files, log);
    child.start();
    // They stop one after the other; meanwhile none of the rest is started again.
    this.#runner.signal.addEventListener("abort", () => child.retire(), { once: true });
    this.#runner.onStop(verb, () => child.stop(stopMs));
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
