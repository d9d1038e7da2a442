import { randomBytes } from "node:crypto";
import { startController } from "#controller/start";
import { systemClock } from "#runtime/clock";
import { parseFlags } from "./flags.ts";
import { POD_OPTIONS, podSettings, startPod } from "./pod.ts";
import { logLevel, processLog, runUntilStopped } from "./verb.ts";

const OPTIONS = { ...POD_OPTIONS, deployment: { type: "string" } } as const;

/** `berth controller`: flags and environment as upstream's (metallb.md 5.6). */
export async function run(args: readonly string[]): Promise<number> {
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
