import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { API_SOCKET, POD_SOCKET } from "#api/lab";
import { Fault } from "#core/errors";
import { systemClock } from "#runtime/clock";
import { startApiServer } from "#sandbox/apiserver/start";
import { startControllers } from "#sandbox/controllers/start";
import { LARGE, startHollow } from "#sandbox/hollow/start";
import { builtinKinds } from "#sandbox/kinds/registry";
import { openStore } from "#sandbox/store/sqlite";
import { serveSocket } from "./api-socket.ts";
import { openDataDir } from "./data-dir.ts";
import { runDrill } from "./drills.ts";
import { asksForHelp, dataDirFlag, integer, parseFlags } from "./flags.ts";
import { podDial } from "./pod-dial.ts";
import { logLevel, processLog, runUntilStopped } from "./verb.ts";

const OPTIONS = {
  "data-dir": { type: "string" },
  "api-port": { type: "string" },
  "log-level": { type: "string" },
  seed: { type: "string" },
  socket: { type: "boolean" },
} as const;

const HELP = `Usage: berth sandbox [flags]
       berth sandbox power <node> off|on [flags]
       berth sandbox foreign-host <address> [off] [flags]

The API server, store and cluster controllers of the sandbox, which "berth up" starts;
or: switch a node of a running sandbox off as a pulled plug does, and on again; or: have a
machine that is no node use an address, as one does that somebody configured by hand.

  --data-dir .berth    where the sandbox keeps its state      BERTH_DATA_DIR
  --api-port 16443     its Kubernetes API, on 127.0.0.1       BERTH_API_PORT
  --log-level info     debug, info, warn or error
  --socket             also on the Unix socket <data-dir>/run/api.sock
  --seed large         200 hollow nodes, 5,000 pods and 10,000 Services: objects only, nothing runs`;

/** `berth sandbox`: API server, store and cluster controllers; `berth sandbox power …` and `… foreign-host …`: drills. */
export async function run(args: readonly string[]): Promise<number> {
  if (asksForHelp(args, HELP)) return 0;
  const { values, positionals } = parseFlags(args, OPTIONS, 3);
  const dataDir = dataDirFlag(values["data-dir"], process.env) ?? ".berth";
  const apiPort = integer("--api-port", values["api-port"] ?? process.env.BERTH_API_PORT, 16443, 1, 65535);
  const { seed } = values;
  if (seed !== undefined && seed !== "large") {
    throw new Fault("invalid", `--seed knows "large", not ${JSON.stringify(seed)}.`);
  }
  if (positionals.length > 0) return runDrill(positionals, dataDir, apiPort);
  // Most of what requests allocate dies at once: a small young generation costs no speed and saves 100 MB at 10,000 Services.
  setFlagsFromString("--semi-space-growth-factor=1");
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
      dial: values.socket ? podDial(join(dir.path, POD_SOCKET)) : undefined,
    });
    runner.onStop("api server", () => server.close());
    if (values.socket) {
      const socket = await serveSocket(join(dir.path, API_SOCKET), apiPort);
      runner.onStop("api socket", () => socket.close());
    }
    const controllers = await startControllers(server.objects, {
      clock: systemClock,
      log,
      // A tenth of a real cluster's 40 s: until then the pods of a dark node stay in the endpoints, and people watch.
      nodeGraceMs: 4000,
      ca: dir.tls.ca,
    });
    runner.onStop("controllers", () => controllers.close());
    if (seed === "large") {
      const hollow = startHollow({ objects: server.objects, clock: systemClock, log }, LARGE);
      runner.onStop("hollow nodes", () => hollow.close());
      hollow.seeded.catch((thrown) => log.error("seed failed", { error: Fault.from(thrown).message }));
    }
    log.info("ready", { url: server.url });
  });
}
