import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./traffic.ts";

/** `berth controller` as a pod would run it, as a process of its own. */
export interface ControllerProcess {
  readonly child: ChildProcess;
  /** What it answers to probes and Prometheus; null when it does not, or says no. */
  ask(path: string): Promise<string | null>;
  /** The value of a metric's series (`name{label="x"}`), or null. */
  metric(series: string): Promise<number | null>;
  /** Resolves when the process is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
}

export async function startControllerProcess(options: {
  /** Files of its pod go there. */
  readonly root: string;
  readonly server: { readonly url: string; readonly ca: string; readonly token: string };
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}): Promise<ControllerProcess> {
  const { root, server, namespace, name, uid, args = [], env = {} } = options;
  const account = join(root, "var/run/secrets/kubernetes.io/serviceaccount");
  mkdirSync(account, { recursive: true });
  writeFileSync(join(account, "token"), server.token);
  writeFileSync(join(account, "ca.crt"), server.ca);
  writeFileSync(join(account, "namespace"), namespace);
  const [healthPort, metricsPort] = [await freePort(), await freePort()];
  const { hostname, port: apiPort } = new URL(server.url);
  const own = ["controller", `--port=${metricsPort}`, `--health-probe-port=${healthPort}`, `--pod-name=${name}`];
  const child = spawn(process.execPath, ["bin/berth.mjs", ...own, "--log-level=error", ...args], {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: apiPort,
      BERTH_ROOT: root,
      BERTH_BIND_ADDRESS: "127.0.0.1",
      BERTH_POD_UID: uid,
      ...env,
    },
  });
  const ask = async (path: string) => {
    try {
      const reply = await fetch(`http://127.0.0.1:${path === "/metrics" ? metricsPort : healthPort}${path}`, {
        signal: AbortSignal.timeout(2000),
      });
      return reply.ok ? await reply.text() : null;
    } catch {
      return null;
    }
  };
  return {
    child,
    ask,
    async metric(series) {
      const line = (await ask("/metrics"))?.split("\n").find((each) => each.startsWith(`${series} `));
      return line === undefined ? null : Number(line.slice(series.length + 1));
    },
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill(signal);
      await ended;
    },
  };
}
