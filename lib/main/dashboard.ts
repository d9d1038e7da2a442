import { createServer } from "node:http";
import { join } from "node:path";
import next from "next";
import { NAMESPACE } from "#api/names";
import { Fault } from "#core/errors";
import { type Connection, connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import { systemClock } from "#runtime/clock";
import { startDashboard } from "#server/start";
import { REPOSITORY } from "./children.ts";
import { openDataDir } from "./data-dir.ts";
import { integer, parseFlags } from "./flags.ts";
import { readManifests } from "./manifests.ts";
import { startProber } from "./prober.ts";
import { logLevel, processLog, runUntilStopped } from "./verb.ts";
import { VERSION } from "./version.ts";

const OPTIONS = {
  port: { type: "string" },
  "api-port": { type: "string" },
  "data-dir": { type: "string" },
  kubeconfig: { type: "string" },
  context: { type: "string" },
  dev: { type: "boolean" },
  "log-level": { type: "string" },
} as const;

interface Target {
  readonly connection: Connection;
  readonly clusterName: string;
  readonly user: string;
  readonly sandbox: boolean;
}

/**
 * `berth dashboard`: Next behind our own HTTP server, so that shutdown, the
 * address bound and the context handed to route handlers are in one hand.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, OPTIONS);
  const log = processLog("dashboard", logLevel(values["log-level"]));
  const port = integer("--port", values.port ?? process.env.BERTH_PORT, 3000, 1, 65535);
  const hostname = "127.0.0.1";
  return runUntilStopped({ log, deadlineMs: 2500 }, async (runner) => {
    const target = await targetOf(values);
    const cluster = new HttpCluster({ connection: target.connection, clock: systemClock, log });
    runner.onStop("cluster", () => cluster.close());
    const prober = startProber(log, runner.signal);
    runner.onStop("prober", () => prober.close());
    const dashboard = await startDashboard({
      cluster,
      sandbox: target.sandbox,
      clusterName: target.clusterName,
      server: target.connection.server,
      user: target.user,
      namespace: NAMESPACE,
      prober,
      manifests: () => ({
        namespace: readManifests("base").filter(({ kind }) => kind === "Namespace"),
        crds: readManifests("crds"),
        rbac: readManifests("base").filter(({ kind }) => kind?.includes("Role") || kind === "ServiceAccount"),
        controller: readManifests("base").filter(({ kind }) => kind === "Deployment"),
        speaker: readManifests("base").filter(({ kind }) => kind === "DaemonSet"),
        demo: readManifests("demo"),
      }),
      clock: systemClock,
      log,
      version: VERSION,
    });
    runner.onStop("dashboard", () => dashboard.close());

    const app = next({ dev: values.dev ?? false, dir: REPOSITORY, hostname, port, quiet: true });
    await app.prepare();
    const handle = app.getRequestHandler();
    const server = createServer((request, response) => {
      handle(request, response).catch((thrown: unknown) => {
        log.error("request failed", { path: request.url, error: Fault.from(thrown).message });
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    });
    if (values.dev) {
      const upgrade = app.getUpgradeHandler();
      server.on("upgrade", (request, socket, head) => {
        upgrade(request, socket, head).catch(() => socket.destroy());
      });
    }
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        const why = error.code === "EADDRINUSE" ? `port ${port} is in use; name another with --port` : error.message;
        reject(new Fault("unavailable", `the dashboard cannot listen on ${hostname}:${port}: ${why}`));
      });
      server.listen(port, hostname, resolve);
    });
    runner.onStop("http", () => {
      server.close();
      server.closeAllConnections();
    });
    log.info("ready", { url: `http://${hostname}:${port}` });
  });
}

async function targetOf(values: {
  readonly "data-dir"?: string | undefined;
  readonly "api-port"?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}): Promise<Target> {
  const kubeconfig = values.kubeconfig ?? process.env.BERTH_KUBECONFIG;
  if (kubeconfig !== undefined && kubeconfig !== "") {
    const { connectionFromKubeconfig } = await import("#kube/kubeconfig");
    const connection = await connectionFromKubeconfig(kubeconfig, values.context ?? process.env.BERTH_CONTEXT);
    return { connection, clusterName: connection.context, user: connection.user, sandbox: false };
  }
  const dir = await openDataDir(values["data-dir"] ?? process.env.BERTH_DATA_DIR ?? join(REPOSITORY, ".berth"));
  const apiPort = integer("--api-port", values["api-port"] ?? process.env.BERTH_API_PORT, 16443, 1, 65535);
  const connection = connectionFromToken({
    server: `https://127.0.0.1:${apiPort}`,
    ca: dir.tls.ca,
    token: dir.tokens.admin,
  });
  return { connection, clusterName: "sandbox", user: "berth-admin", sandbox: true };
}
