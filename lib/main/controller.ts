import { randomBytes } from "node:crypto";
import { startController } from "#controller/start";
import { connectionFromServiceAccount } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import { systemClock } from "#runtime/clock";
import { Metrics } from "#runtime/metrics";
import { startOpsServer } from "#runtime/ops-server";
import { addProcessMetrics } from "#runtime/process-metrics";
import { integer, parseFlags } from "./flags.ts";
import { namespaceOf } from "./pod.ts";
import { logLevel, processLog, runUntilStopped } from "./verb.ts";

const OPTIONS = {
  port: { type: "string" },
  "health-probe-port": { type: "string" },
  namespace: { type: "string" },
  deployment: { type: "string" },
  "pod-name": { type: "string" },
  "lb-class": { type: "string" },
  "log-level": { type: "string" },
} as const;

/** `berth controller`: flags and environment as upstream's (metallb.md 5.6). */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, OPTIONS);
  const log = processLog("controller", logLevel(values["log-level"]));
  const env = process.env;
  const host = env.BERTH_BIND_ADDRESS ?? "0.0.0.0";
  const metricsPort = integer("--port", values.port, 9120, 0, 65535);
  const healthPort = integer("--health-probe-port", values["health-probe-port"], 17472, 1, 65535);
  return runUntilStopped({ log, deadlineMs: 4000 }, async (runner) => {
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
    health = await startController(runner, {
      cluster,
      clock: systemClock,
      log,
      metrics,
      namespace: values.namespace ?? namespaceOf(env),
      podName: values["pod-name"] ?? env.METALLB_POD_NAME ?? "",
      deployment: values.deployment ?? env.METALLB_DEPLOYMENT ?? "controller",
      ...(values["lb-class"] === undefined ? {} : { lbClass: values["lb-class"] }),
      random: (bytes) => randomBytes(bytes),
    });
  });
}
