import { existsSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import next from "next";
import { NAMESPACE } from "#api/names";
import { Fault } from "#core/errors";
import { type Connection, connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import { systemClock } from "#runtime/clock";
import { tidyWhenIdle } from "#runtime/tidy";
import { startDashboard } from "#server/start";
import { REPOSITORY } from "./children.ts";
import { openDataDir } from "./data-dir.ts";
import { asksForHelp, dataDirFlag, integer, parseFlags } from "./flags.ts";
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
  lab: { type: "boolean" },
  "log-level": { type: "string" },
} as const;

/** The controller and the way to its webhooks. */
const CONTROLLER_KINDS = ["Deployment", "Service", "ValidatingWebhookConfiguration"];

const HELP = `Usage: berth dashboard [flags]

The web dashboard of a running sandbox, which "berth up" starts, or of a cluster you name.

  --port 3000          on http://127.0.0.1:<port>                BERTH_PORT
  --data-dir .berth    the sandbox's state                       BERTH_DATA_DIR
  --api-port 16443     the sandbox's Kubernetes API              BERTH_API_PORT
  --kubeconfig F       a real cluster instead of the sandbox     BERTH_KUBECONFIG
  --context C          the context in that kubeconfig            BERTH_CONTEXT
  --lab                requests are sent from the lab's host "client" (--network netns)
  --log-level info     debug, info, warn or error`;

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
  if (asksForHelp(args, HELP)) return 0;
  const { values } = parseFlags(args, OPTIONS);
  const log = processLog("dashboard", logLevel(values["log-level"]));
  const port = integer("--port", values.port ?? process.env.BERTH_PORT, 3000, 1, 65535);
  const hostname = "127.0.0.1";
  // As for the sandbox: most of what rows are made of dies at once, and a young generation that grew with a burst stays.
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--expose-gc");
  globalThis.gc ??= runInNewContext("gc");
  return runUntilStopped({ log, deadlineMs: 2500 }, async (runner) => {
    if (!values.dev && !existsSync(join(REPOSITORY, ".next/BUILD_ID"))) {
      throw new Fault("invalid", 'the dashboard is not built: "npm start" builds it, and so does "npm run build".');
    }
    runner.onStop("tidy", tidyWhenIdle());
    const target = await targetOf(values);
    const cluster = new HttpCluster({ connection: target.connection, clock: systemClock, log, lean: true });
    runner.onStop("cluster", () => cluster.close());
    const prober = startProber(log, runner.signal, values.lab ? dataDirOf(values) : null);
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
        controller: readManifests("base").filter(({ kind = "" }) => CONTROLLER_KINDS.includes(kind)),
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
      if (refuse(request, response)) return;
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

/** Next answers requests that are none of an HTTP origin server (RFC 9112, 3.2), or cannot be decoded, with a bare 500. */
function refuse(request: IncomingMessage, response: ServerResponse): boolean {
  const { method = "", url = "" } = request;
  const problem = !url.startsWith("/")
    ? { status: 400, title: "Bad request", detail: "The address of the request must be a path." }
    : !isDecodable(url)
      ? { status: 400, title: "Bad request", detail: "The path is not valid percent-encoding." }
      : method === "TRACE"
        ? { status: 405, title: "Method not allowed", detail: "TRACE is not served." }
        : null;
  if (problem === null) return false;
  const code = problem.title.toLowerCase().replaceAll(" ", "_");
  response.writeHead(problem.status, { "content-type": "application/problem+json", "cache-control": "no-store" });
  response.end(JSON.stringify({ type: "about:blank", ...problem, code }));
  return true;
}

function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url.split("?")[0] ?? "");
    return true;
  } catch {
    return false;
  }
}

function dataDirOf(values: { readonly "data-dir"?: string | undefined }): string {
  return dataDirFlag(values["data-dir"], process.env) ?? join(REPOSITORY, ".berth");
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
  const dir = await openDataDir(dataDirOf(values));
  const apiPort = integer("--api-port", values["api-port"] ?? process.env.BERTH_API_PORT, 16443, 1, 65535);
  const connection = connectionFromToken({
    server: `https://127.0.0.1:${apiPort}`,
    ca: dir.tls.ca,
    token: dir.tokens.admin,
  });
  return { connection, clusterName: "sandbox", user: "berth-admin", sandbox: true };
}
