import { join } from "node:path";
import { Fault } from "#core/errors";
import { connectionFromServiceAccount } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import type { Link } from "#net/port";
import { openDatagrams } from "#net/udp";
import { openVirtualLink } from "#net/virtual-link";
import { systemClock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import { Metrics } from "#runtime/metrics";
import { startOpsServer } from "#runtime/ops-server";
import { addProcessMetrics } from "#runtime/process-metrics";
import { startSpeaker } from "#speaker/start";
import { integer, parseFlags } from "./flags.ts";
import { namespaceOf, podPath, readText } from "./pod.ts";
import { logLevel, processLog, runUntilStopped } from "./verb.ts";
import { VERSION } from "./version.ts";

const OPTIONS = {
  port: { type: "string" },
  "health-probe-port": { type: "string" },
  namespace: { type: "string" },
  "node-name": { type: "string" },
  "pod-name": { type: "string" },
  "lb-class": { type: "string" },
  "ignore-exclude-lb": { type: "boolean" },
  "ml-bindport": { type: "string" },
  "ml-secret-key-path": { type: "string" },
  "log-level": { type: "string" },
} as const;

/** `berth speaker`: flags and environment as upstream's (metallb.md 5.6). */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, OPTIONS);
  const env = process.env;
  const nodeName = values["node-name"] ?? env.METALLB_NODE_NAME;
  if (nodeName === undefined || nodeName === "") {
    throw new Fault(
      "invalid",
      "--node-name (or METALLB_NODE_NAME) is needed: the name of the Node this speaker runs on.",
    );
  }
  const log = processLog("speaker", logLevel(values["log-level"])).with({ node: nodeName });
  const nodeAddress = env.METALLB_HOST ?? "0.0.0.0";
  const host = env.BERTH_BIND_ADDRESS ?? nodeAddress;
  const metricsPort = integer("--port", values.port, 9120, 0, 65535);
  const healthPort = integer("--health-probe-port", values["health-probe-port"], 17472, 1, 65535);
  const memberPort = integer("--ml-bindport", values["ml-bindport"] ?? env.METALLB_ML_BIND_PORT, 7946, 1, 65535);
  return runUntilStopped({ log, deadlineMs: 2500 }, async (runner) => {
    const metrics = new Metrics();
    addProcessMetrics(metrics);
    const cluster = new HttpCluster({ connection: connectionFromServiceAccount(env), clock: systemClock, log });
    runner.onStop("cluster", () => cluster.close());
    let health = { ready: () => false, healthy: () => true };
    const ops = { host, metrics, healthy: () => health.healthy(), ready: () => health.ready() };
    const probes = await startOpsServer({ ...ops, port: healthPort });
    runner.onStop("health", () => probes.close());
    if (metricsPort !== 0) {
      const server = await startOpsServer({ ...ops, port: metricsPort });
      runner.onStop("metrics", () => server.close());
    }
    const link = await openLink(env.BERTH_LINK, log);
    runner.onStop("link", () => link.close());
    const datagrams = await openDatagrams({ address: host, port: memberPort });
    runner.onStop("datagrams", () => datagrams.close());
    health = await startSpeaker(runner, {
      cluster,
      link,
      datagrams,
      clock: systemClock,
      log,
      metrics,
      namespace: values.namespace ?? namespaceOf(env),
      podName: values["pod-name"] ?? env.METALLB_POD_NAME ?? "",
      nodeName,
      nodeAddress,
      memberPort,
      secret: memberSecret(values["ml-secret-key-path"] ?? env.METALLB_ML_SECRET_KEY_PATH),
      ...(values["lb-class"] === undefined ? {} : { lbClass: values["lb-class"] }),
      ignoreExcludeLabel: values["ignore-exclude-lb"] ?? false,
      version: VERSION,
      memory: () => process.memoryUsage.rss(),
    });
  });
}

/** The wire this speaker is on. The packet socket of real nodes comes with issue D. */
async function openLink(url: string | undefined, log: Log): Promise<Link> {
  if (url === undefined || url === "") {
    throw new Fault(
      "invalid",
      "no network to speak on: BERTH_LINK is not set, and packet sockets are not built yet (the sandbox sets it).",
    );
  }
  return openVirtualLink(url, { log });
}

/** The shared secret of the heartbeats (Secret `memberlist`, key `secretkey`), or null for none. */
function memberSecret(path: string | undefined): Uint8Array | null {
  if (path === undefined || path === "") return null;
  const text = readText(join(podPath(process.env, path), "secretkey")) ?? readText(podPath(process.env, path));
  return text === null ? null : new TextEncoder().encode(text);
}
