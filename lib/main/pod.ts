import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NAMESPACE } from "#api/names";
import { connectionFromServiceAccount } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import type { Cluster } from "#kube/port";
import { systemClock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import { Metrics } from "#runtime/metrics";
import { startOpsServer } from "#runtime/ops-server";
import { addProcessMetrics } from "#runtime/process-metrics";
import type { Runner } from "#runtime/runner";
import { tidyWhenIdle } from "#runtime/tidy";
import { integer } from "./flags.ts";
import { type SecureMetrics, startMetricsServer } from "./metrics-server.ts";
import { TLS_HELP, TLS_OPTIONS, tlsSettings } from "./tls-flags.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The flags that controller and speaker share (metallb.md 5.6). */
export const POD_OPTIONS = {
  port: { type: "string" },
  "health-probe-port": { type: "string" },
  namespace: { type: "string" },
  "pod-name": { type: "string" },
  "lb-class": { type: "string" },
  "log-level": { type: "string" },
  "metrics-secure": { type: "boolean" },
  "metrics-cert-dir": { type: "string" },
  "pprof-bind-address": { type: "string" },
  ...TLS_OPTIONS,
} as const;

/** What their help says about those. */
export const POD_HELP = `  --namespace NAME             where the configuration lives              METALLB_NAMESPACE
  --pod-name NAME              its own pod                                METALLB_POD_NAME
  --port 9120                  metrics; 0 for none
  --health-probe-port 17472    liveness and readiness
  --lb-class CLASS             only Services of this loadBalancerClass
  --log-level info             all, debug, info, warn, error or none
  --metrics-secure             metrics over HTTPS, and only for tokens that may get /metrics
  --metrics-cert-dir DIR       the same, with tls.crt and tls.key of DIR
${TLS_HELP}
  --pprof-bind-address A       taken for compatibility; has no effect`;

type PodFlags = {
  readonly [name in keyof typeof POD_OPTIONS]?:
    | ((typeof POD_OPTIONS)[name] extends { readonly type: "boolean" } ? boolean : string)
    | undefined;
};

/** What controller and speaker are told alike. Throws Fault `invalid` naming a flag that cannot be used. */
export function podSettings(values: PodFlags, env: Environment) {
  const tls = tlsSettings(values);
  const certDir = values["metrics-cert-dir"];
  const isSecure = values["metrics-secure"] === true || (certDir !== undefined && certDir !== "");
  return {
    tls,
    /** Null: plain HTTP. */
    secureMetrics: isSecure ? { tls, certDir: certDir ? podPath(env, certDir) : null } : null,
    /** 0: no metrics. */
    metricsPort: integer("--port", values.port, 9120, 0, 65535),
    healthPort: integer("--health-probe-port", values["health-probe-port"], 17472, 1, 65535),
    namespace: values.namespace ?? namespaceOf(env),
    podName: values["pod-name"] ?? env.METALLB_POD_NAME ?? "",
    lbClass: values["lb-class"],
  };
}

interface Health {
  ready(): boolean;
  healthy(): boolean;
}

/**
 * What every pod of Berth has around its part: the cluster as its service account sees it, metrics, and the servers
 * that probes and Prometheus ask. They answer "alive, not ready" until `start` has resolved.
 */
export async function startPod(
  runner: Runner,
  options: {
    readonly host: string;
    readonly metricsPort: number;
    readonly secureMetrics: SecureMetrics | null;
    readonly healthPort: number;
    readonly env: Environment;
    readonly log: Log;
  },
  start: (given: { readonly cluster: Cluster; readonly metrics: Metrics }) => Promise<Health>,
): Promise<void> {
  const { host, metricsPort, secureMetrics, healthPort, env, log } = options;
  const metrics = new Metrics();
  addProcessMetrics(metrics);
  runner.onStop("tidy", tidyWhenIdle());
  const cluster = new HttpCluster({
    connection: connectionFromServiceAccount(env),
    clock: systemClock,
    log,
    lean: true,
  });
  runner.onStop("cluster", () => cluster.close());
  let health: Health = { ready: () => false, healthy: () => true };
  const ops = { host, metrics, healthy: () => health.healthy(), ready: () => health.ready() };
  const probes = await startOpsServer({ ...ops, port: healthPort });
  runner.onStop("health", () => probes.close());
  if (metricsPort !== 0) {
    const on = { port: metricsPort, secure: secureMetrics, cluster, clock: systemClock, log };
    await startMetricsServer(runner, { ...ops, ...on });
  }
  health = await start({ cluster, metrics });
}

/** A path inside the pod. The sandbox has no mount namespaces and shows the pod's files below BERTH_ROOT. */
export function podPath(env: Environment, path: string): string {
  return env.BERTH_ROOT === undefined ? path : join(env.BERTH_ROOT, path);
}

/** The namespace Berth runs in: METALLB_NAMESPACE, else the service account's, else metallb-system. */
function namespaceOf(env: Environment): string {
  if (env.METALLB_NAMESPACE !== undefined && env.METALLB_NAMESPACE !== "") return env.METALLB_NAMESPACE;
  return readText(podPath(env, "/var/run/secrets/kubernetes.io/serviceaccount/namespace")) ?? NAMESPACE;
}

/** The trimmed text of a file, or null when there is none. */
export function readText(path: string): string | null {
  try {
    const text = readFileSync(path, "utf8").trim();
    return text === "" ? null : text;
  } catch {
    return null;
  }
}
