import { randomBytes } from "node:crypto";
import { startController } from "#controller/start";
import { systemClock } from "#runtime/clock";
import { asksForHelp, parseFlags } from "./flags.ts";
import { POD_HELP, POD_OPTIONS, podSettings, startPod } from "./pod.ts";
import { logLevel, processLog, runUntilStopped } from "./verb.ts";

const OPTIONS = { ...POD_OPTIONS, deployment: { type: "string" } } as const;

const HELP = `Usage: berth controller [flags]

Assigns addresses to Services of type LoadBalancer. Runs in the cluster, from deploy/base;
finds the API server and its credentials as every pod does.

${POD_HELP}
  --deployment controller      its own Deployment                         METALLB_DEPLOYMENT`;

/** `berth controller`: flags and environment as upstream's (metallb.md 5.6). */
export async function run(args: readonly string[]): Promise<number> {
  if (asksForHelp(args, HELP)) return 0;
  const { values } = parseFlags(args, OPTIONS);
  const { env } = process;
  const log = processLog("controller", logLevel(values["log-level"]));
  const settings = podSettings(values, env);
  const host = env.BERTH_BIND_ADDRESS ?? "0.0.0.0";
  return runUntilStopped({ log, deadlineMs: 4000 }, (runner) =>
    startPod(runner, { ...settings, host, env, log }, ({ cluster, metrics }) =>
      startController(runner, {
        ...settings,
        cluster,
        metrics,
        clock: systemClock,
        log,
        deployment: values.deployment ?? env.METALLB_DEPLOYMENT ?? "controller",
        random: (bytes) => randomBytes(bytes),
      }),
    ),
  );
}
