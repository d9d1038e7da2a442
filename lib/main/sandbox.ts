import { join } from "node:path";
import { ANNOTATION } from "#api/names";
import { NODES } from "#api/resources";
import { Fault } from "#core/errors";
import { connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { startApiServer } from "#sandbox/apiserver/start";
import { startControllers } from "#sandbox/controllers/start";
import { builtinKinds } from "#sandbox/kinds/registry";
import { openStore } from "#sandbox/store/sqlite";
import { openDataDir } from "./data-dir.ts";
import { asksForHelp, dataDirFlag, integer, parseFlags } from "./flags.ts";
import { logLevel, processLog, runUntilStopped } from "./verb.ts";

const OPTIONS = {
  "data-dir": { type: "string" },
  "api-port": { type: "string" },
  "log-level": { type: "string" },
} as const;

const HELP = `Usage: berth sandbox [flags]
       berth sandbox power <node> off|on [flags]

The API server, store and cluster controllers of the sandbox, which "berth up" starts;
or: switch a node of a running sandbox off as a pulled plug does, and on again.

  --data-dir .berth    where the sandbox keeps its state      BERTH_DATA_DIR
  --api-port 16443     its Kubernetes API, on 127.0.0.1       BERTH_API_PORT
  --log-level info     debug, info, warn or error`;

/** `berth sandbox`: API server, store and cluster controllers; `berth sandbox power <node> off|on`. */
export async function run(args: readonly string[]): Promise<number> {
  if (asksForHelp(args, HELP)) return 0;
  const { values, positionals } = parseFlags(args, OPTIONS, 3);
  const dataDir = dataDirFlag(values["data-dir"], process.env) ?? ".berth";
  const apiPort = integer("--api-port", values["api-port"] ?? process.env.BERTH_API_PORT, 16443, 1, 65535);
  if (positionals.length > 0) return power(positionals, dataDir, apiPort);
  const log = processLog("sandbox", logLevel(values["log-level"]));
  return runUntilStopped({ log, deadlineMs: 3000 }, async (runner) => {
    const dir = await openDataDir(dataDir);
    const store = openStore({ path: join(dir.path, "store.sqlite"), log });
    runner.onStop("store", () => store.close());
    const server = await startApiServer({
      host: "127.0.0.1",
      port: apiPort,
      tls: { key: dir.tls.key, cert: dir.tls.cert },
      ca: dir.tls.ca,
      store,
      kinds: builtinKinds(),
      dataDir: dir.path,
      tokens: [
        { token: dir.tokens.admin, user: "berth-admin", groups: ["system:masters"] },
        { token: dir.tokens.viewer, user: "berth-viewer", groups: ["berth:viewers"] },
        { token: dir.tokens.nodes, user: "berth-nodes", groups: ["system:masters", "system:nodes"] },
      ],
      signingKey: dir.tokens.signingKey,
      clock: systemClock,
      log,
    });
    runner.onStop("api server", () => server.close());
    const controllers = await startControllers(server.objects, {
      clock: systemClock,
      log,
      nodeGraceMs: 4000,
      ca: dir.tls.ca,
    });
    runner.onStop("controllers", () => controllers.close());
    log.info("ready", { url: server.url });
  });
}

/** Switches a sandbox node off as a pulled plug does, or on again. */
async function power(words: readonly string[], dataDir: string, apiPort: number): Promise<number> {
  const [verb, node, state] = words;
  if (verb !== "power" || node === undefined || (state !== "off" && state !== "on")) {
    throw new Fault("invalid", 'after "sandbox" only "power <node> off" or "power <node> on" may follow.');
  }
  const dir = await openDataDir(dataDir);
  const server = `https://127.0.0.1:${apiPort}`;
  const connection = connectionFromToken({ server, ca: dir.tls.ca, token: dir.tokens.admin });
  const cluster = new HttpCluster({ connection, clock: systemClock, log: silentLog });
  try {
    await cluster.patch(
      NODES,
      { name: node },
      {
        kind: "merge",
        body: { metadata: { annotations: { [ANNOTATION.power]: state } } },
      },
    );
    console.log(`node ${node} is being switched ${state}`);
    return 0;
  } finally {
    await cluster.close();
  }
}
