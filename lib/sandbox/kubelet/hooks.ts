import { type Clock, sleep } from "#runtime/clock";
import { type ExecPlace, execIn, NO_SUCH_COMMAND } from "./exec.ts";

import { askProbe, type ProbeTarget } from "./probe-request.ts";
import type { HookView } from "./probe-view.ts";
import type { Running } from "./runtime.ts";

/** No hook holds a container up longer than this, whatever its grace period. */
const MAX_MS = 600_000;

/**
 * Runs a container's postStart or preStop hook (core/v1 LifecycleHandler: exec, httpGet, sleep; tcpSocket never did
 * anything). Resolves with null when it succeeded or was cut off, else with what went wrong. Never rejects.
 */
export async function runHook(
  hook: HookView,
  place: ExecPlace | null,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<string | null> {
  switch (hook.kind) {
    case "sleep":
      await sleep(target.clock, hook.ms, signal).catch(() => undefined);
      return null;
    case "http": {
      const never = { initialDelayMs: 0, periodMs: 1000, timeoutMs: 30_000, successThreshold: 1, failureThreshold: 1 };
      const result = await askProbe({ action: hook, ...never }, target);
      return result.kind === "success" ? null : result.message;
    }
    case "exec": {
      if (place === null) return "the container is not running";
      const result = await execIn(hook.command, place, MAX_MS, signal);
      if (result.kind === "timeout") return signal.aborted ? null : "the command did not end";
      if (result.exitCode === 0) return null;
      const said = result.output === "" ? "" : `: ${result.output}`;
      return result.exitCode === NO_SUCH_COMMAND
        ? `the sandbox cannot run this command${said}`
        : `command '${hook.command.join(" ")}' exited with ${result.exitCode}${said}`;
    }
    case "unsupported":
      return `${hook.what} hooks are not supported in the Berth sandbox: use exec, httpGet or sleep`;
  }
}

/** A container gets this much after SIGTERM even when its preStop hook took the whole grace period. */
const MIN_GRACE_MS = 2_000;

/**
 * Ends a container as a kubelet does: its preStop hook, SIGTERM, and SIGKILL when `graceMs`, counted from the start of
 * the hook, are over. Resolves when it has ended.
 */
export async function stopContainer(
  running: Running,
  graceMs: number,
  clock: Clock,
  preStop: ((signal: AbortSignal) => Promise<unknown>) | null,
): Promise<void> {
  if (graceMs <= 0) {
    running.kill();
    await running.done;
    return;
  }
  const began = clock.monotonic();
  if (preStop !== null) {
    const cut = new AbortController();
    const over = Promise.withResolvers<void>();
    const end = () => {
      cut.abort();
      over.resolve();
    };
    const cancel = clock.schedule(graceMs, end);
    void running.done.then(end);
    await Promise.race([preStop(cut.signal), over.promise]);
    cancel();
  }
  const left = graceMs - (clock.monotonic() - began);
  running.terminate();
  const cancel = clock.schedule(preStop === null ? left : Math.max(MIN_GRACE_MS, left), () => running.kill());
  void running.done.then(cancel);
  await running.done;
}
