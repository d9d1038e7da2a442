import { setFlagsFromString } from "node:v8";
import { connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import { systemClock } from "#runtime/clock";
import { startNodes } from "#sandbox/nodes";
import { BERTH_BIN } from "./children.ts";
import { openDataDir } from "./data-dir.ts";
import { asksForHelp, dataDirFlag, integer, parseFlags } from "./flags.ts";
import { requestToken } from "./tokens.ts";
import { logLevel, processLog, runUntilStopped } from "./verb.ts";

const OPTIONS = {
  "data-dir": { type: "string" },
  "api-port": { type: "string" },
  nodes: { type: "string" },
  network: { type: "string" },
  "log-level": { type: "string" },
} as const;

const HELP = `Usage: berth nodes [flags]

The nodes of a running sandbox (kubelets, service proxies, virtual LAN), which "berth up" starts.

  --data-dir .berth    the sandbox's state              BERTH_DATA_DIR
  --api-port 16443     its Kubernetes API               BERTH_API_PORT
  --nodes 3            number of nodes, 1 to 9          BERTH_NODES
  --network loopback   loopback, or netns (in namespaces that "berth up" made)
  --log-level info     debug, info, warn or error`;

/** `berth nodes`: kubelets, service proxies, virtual LAN and edge of the sandbox, away from the store's event loop. */
export async function run(args: readonly string[]): Promise<number> {
  if (asksForHelp(args, HELP)) return 0;
  const { values } = parseFlags(args, OPTIONS);
  // What rollouts leave behind dies young: with a small young generation 500 of them take no more memory than one.
  setFlagsFromString("--semi-space-growth-factor=1");
  const log = processLog("nodes", logLevel(values["log-level"]));
  const apiPort = integer("--api-port", values["api-port"] ?? process.env.BERTH_API_PORT, 16443, 1, 65535);
  const nodeCount = integer("--nodes", values.nodes ?? process.env.BERTH_NODES, 3, 1, 9);
  return runUntilStopped({ log, deadlineMs: 3500 }, async (runner) => {
    const dir = await openDataDir(dataDirFlag(values["data-dir"], process.env) ?? ".berth");
    const server = `https://127.0.0.1:${apiPort}`;
    const connection = connectionFromToken({ server, ca: dir.tls.ca, token: dir.tokens.nodes });
    const cluster = new HttpCluster({ connection, clock: systemClock, log });
    runner.onStop("cluster", () => cluster.close());
    const nodes = await startNodes({
      objects: cluster,
      requestToken: (namespace, name) =>
        requestToken({ server, ca: dir.tls.ca, token: dir.tokens.nodes }, namespace, name),
      ca: dir.tls.ca,
      dataDir: dir.path,
      nodeCount,
      network: values.network === "netns" ? "netns" : "loopback",
      apiPort,
      berthBin: BERTH_BIN,
      nodePath: process.execPath,
      clock: systemClock,
      log,
    });
    runner.onStop("nodes", () => nodes.close());
    log.info("ready", { nodes: nodeCount });
  });
}
