import { join } from "node:path";
import { Fault } from "#core/errors";
import { openPacketLink } from "#net/packet/packet-link";
import type { Link } from "#net/port";
import { openDatagrams } from "#net/udp";
import { openVirtualLink } from "#net/virtual-link";
import { systemClock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Runner } from "#runtime/runner";
import { startSpeaker } from "#speaker/start";
import { excludedInterfaces, followExcluded } from "./excluded-interfaces.ts";
import { asksForHelp, integer, parseFlags } from "./flags.ts";
import { POD_HELP, POD_OPTIONS, podPath, podSettings, readText, startPod } from "./pod.ts";
import { keepFootprintSmall } from "./small-footprint.ts";
import { logLevel, processLog, runUntilStopped } from "./verb.ts";
import { VERSION } from "./version.ts";

const OPTIONS = {
  ...POD_OPTIONS,
  "node-name": { type: "string" },
  "ignore-exclude-lb": { type: "boolean" },
  "ml-bindport": { type: "string" },
  "ml-secret-key-path": { type: "string" },
} as const;

/** From the ConfigMap metallb-excludel2, as upstream mounts it. */
const EXCLUDED_INTERFACES = "/etc/metallb/excludel2.yaml";

const HELP = `Usage: berth speaker --node-name NODE [flags]

Announces addresses from one node. Runs in the cluster, from deploy/base; finds the API
server and its credentials as every pod does.

  --node-name NODE             the Node it runs on; needed                METALLB_NODE_NAME
${POD_HELP}
  --ml-bindport 7946           heartbeats between speakers                METALLB_ML_BIND_PORT
  --ml-secret-key-path DIR     the key that signs them                    METALLB_ML_SECRET_KEY_PATH
  --ignore-exclude-lb          announce from nodes excluded by label too`;

/** `berth speaker`: flags and environment as upstream's (metallb.md 5.6). */
export async function run(args: readonly string[]): Promise<number> {
  if (asksForHelp(args, HELP)) return 0;
  const { values } = parseFlags(args, OPTIONS);
  const { env } = process;
  const nodeName = values["node-name"] ?? env.METALLB_NODE_NAME;
  if (nodeName === undefined || nodeName === "") {
    throw new Fault(
      "invalid",
      "--node-name (or METALLB_NODE_NAME) is needed: the name of the Node this speaker runs on.",
    );
  }
  const log = processLog("speaker", logLevel(values["log-level"])).with({ node: nodeName });
  const settings = podSettings(values, env);
  const nodeAddress = env.METALLB_HOST ?? "0.0.0.0";
  const host = env.BERTH_BIND_ADDRESS ?? nodeAddress;
  const memberPort = integer("--ml-bindport", values["ml-bindport"] ?? env.METALLB_ML_BIND_PORT, 7946, 1, 65535);
  return runUntilStopped({ log, deadlineMs: 2500 }, (runner) =>
    startPod(runner, { ...settings, host, env, log }, async ({ cluster, metrics }) => {
      runner.onStop("footprint", keepFootprintSmall());
      const link = await openLink(runner, log);
      runner.onStop("link", () => link.close());
      const datagrams = await openDatagrams({ address: host, port: memberPort });
      runner.onStop("datagrams", () => datagrams.close());
      return startSpeaker(runner, {
        ...settings,
        cluster,
        link,
        datagrams,
        clock: systemClock,
        log,
        metrics,
        nodeName,
        nodeAddress,
        memberPort,
        secrets: () => memberSecrets(values["ml-secret-key-path"] ?? env.METALLB_ML_SECRET_KEY_PATH),
        ignoreExcludeLabel: values["ignore-exclude-lb"] ?? false,
        version: VERSION,
        memory: () => process.memoryUsage.rss(),
      });
    }),
  );
}

/** The wire this speaker is on: what BERTH_LINK names (the sandbox's virtual LAN), else the node's own interfaces. */
async function openLink(runner: Runner, log: Log): Promise<Link> {
  const { env } = process;
  if (env.BERTH_LINK !== undefined && env.BERTH_LINK !== "") {
    return openVirtualLink(env.BERTH_LINK, { log });
  }
  const read = () => readText(podPath(env, EXCLUDED_INTERFACES));
  const text = read();
  const exclude = await excludedInterfaces(text, log);
  const link = await openPacketLink({ log, exclude, onFailure: (cause) => runner.fail("link", cause) });
  const onChange = (excluded: readonly RegExp[]) => link.exclude(excluded);
  runner.onStop("excluded", followExcluded(read, text, { clock: systemClock, log, onChange }));
  log.info("speaking on the node's own interfaces", { interfaces: link.info().map(({ name }) => name) });
  return link;
}

/**
 * The keys of the heartbeats as they are mounted now, newest first: `secretkey` of the Secret `memberlist`, and while
 * it is being changed `secretkey-previous`, for speakers that start meanwhile.
 */
function memberSecrets(path: string | undefined): readonly Uint8Array[] {
  if (path === undefined || path === "") return [];
  const at = podPath(process.env, path);
  const texts = [readText(join(at, "secretkey")) ?? readText(at), readText(join(at, "secretkey-previous"))];
  return texts.flatMap((text) => (text === null ? [] : new TextEncoder().encode(text)));
}
