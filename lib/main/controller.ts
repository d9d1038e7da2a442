import { randomBytes } from "node:crypto";
import { startController } from "#controller/start";
import { startWebhooks } from "#controller/webhooks/start";
import { systemClock } from "#runtime/clock";
import { asksForHelp, parseFlags } from "./flags.ts";
import { electionOf, electionSettings, LEADER_HELP, LEADER_OPTIONS, withBareFlag } from "./leader-election.ts";
import { POD_HELP, POD_OPTIONS, podPath, podSettings, startPod } from "./pod.ts";
import { logLevel, processLog, runUntilStopped } from "./verb.ts";
import { WEBHOOK_HELP, WEBHOOK_OPTIONS, webhookSettings } from "./webhook-flags.ts";

const OPTIONS = { ...POD_OPTIONS, ...LEADER_OPTIONS, ...WEBHOOK_OPTIONS, deployment: { type: "string" } } as const;

const HELP = `Usage: berth controller [flags]

Assigns addresses to Services of type LoadBalancer. Runs in the cluster, from deploy/base;
finds the API server and its credentials as every pod does.

${POD_HELP}
  --deployment controller      its own Deployment                         METALLB_DEPLOYMENT
${LEADER_HELP}
${WEBHOOK_HELP}`;

/** `berth controller`: flags and environment as upstream's (metallb.md 5.6). */
export async function run(args: readonly string[]): Promise<number> {
  if (asksForHelp(args, HELP)) return 0;
  const { values } = parseFlags(withBareFlag(args), OPTIONS);
  const { env } = process;
  const log = processLog("controller", logLevel(values["log-level"]));
  const settings = podSettings(values, env);
  const elects = electionSettings(values);
  const host = env.BERTH_BIND_ADDRESS ?? "0.0.0.0";
  const { mode, serve } = webhookSettings(values, { host, tls: settings.tls, path: (path) => podPath(env, path) });
  return runUntilStopped({ log, deadlineMs: 4000 }, (runner) =>
    startPod(runner, { ...settings, host, env, log }, async ({ cluster, metrics }) => {
      const common = { ...settings, cluster, metrics, clock: systemClock, log };
      // On every replica: whichever of them the API server reaches gives the same verdicts.
      const webhooks = mode === "disabled" ? null : startWebhooks(runner, { ...common, ...serve });
      const settled = () => webhooks?.settled() ?? true;
      if (mode === "onlywebhook") return { ready: settled, healthy: () => !runner.signal.aborted };
      const controller = await startController(runner, {
        ...common,
        deployment: values.deployment ?? env.METALLB_DEPLOYMENT ?? "controller",
        random: (bytes) => randomBytes(bytes),
        election: electionOf(elects, { ...settings, cluster, log, env }),
      });
      return { ready: () => controller.ready() && settled(), healthy: () => controller.healthy() };
    }),
  );
}
