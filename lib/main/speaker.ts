import { join } from "node:path";
import { Fault } from "#core/errors";
import { openPacketLink } from "#net/packet/packet-link";
import { openPassOn } from "#net/pass-on";
import type { Link, PassOn } from "#net/port";
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
  "keep-connections": { type: "string" },
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
  --keep-connections auto      over moves of an address, by nftables:     BERTH_KEEP_CONNECTIONS
                               yes, no, or auto: where nft may be used
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
  const keeps = keepFlag(values["keep-connections"] ?? (env.BERTH_KEEP_CONNECTIONS || "auto"));
  return runUntilStopped({ log, deadlineMs: 2500 }, (runner) =>
    startPod(runner, { ...settings, host, env, log }, async ({ cluster, metrics }) => {
      runner.onStop("footprint", keepFootprintSmall());
      const link = await openLink(runner, log);
      runner.onStop("link", () => link.close());
      const datagrams = await openDatagrams({ address: host, port: memberPort });
      runner.onStop("datagrams", () => datagrams.close());
      const passOn = await keepConnections(keeps, log);
      if (passOn !== undefined) runner.onStop("connections", () => passOn.close());
      return startSpeaker(runner, {
        ...settings,
        cluster,
        link,
        datagrams,
        passOn,
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

type Keep = "auto" | "yes" | "no";

function keepFlag(text: string): Keep {
  if (text === "auto" || text === "yes" || text === "no") return text;
  throw new Fault("invalid", `--keep-connections ${text}: must be "auto", "yes" or "no".`);
}

/** On the sandbox's virtual LAN never: this machine's own kernel has no part in it. */
async function keepConnections(keeps: Keep, log: Log): Promise<PassOn | undefined> {
  if (keeps === "no" || isVirtual()) return undefined;
  try {
    return await openPassOn({ clock: systemClock, log });
  } catch (thrown) {
    const fault = Fault.from(thrown);
    const needs = "needs nft and the capability NET_ADMIN";
    if (keeps === "yes") throw new Fault("unavailable", `--keep-connections yes ${needs}: ${fault.message}`);
    log.info(`open connections will not outlive a move: that ${needs}`, { why: fault.message });
    return undefined;
  }
}

function isVirtual(): boolean {
  return (process.env.BERTH_LINK ?? "") !== "";
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
