import { Fault } from "#core/errors";
import { jsonLog, type Log, type LogLevel } from "#runtime/log";
import { Runner } from "#runtime/runner";
import { watchLifeline } from "./lifeline.ts";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Reads `--log-level`; upstream's `all` and `none` are accepted as debug and error. */
export function logLevel(text: string | undefined): LogLevel {
  if (text === "all") return "debug";
  if (text === "none") return "error";
  const level = LEVELS.find((known) => known === text);
  if (text !== undefined && level === undefined) {
    throw new Fault("invalid", `--log-level ${text}: must be one of all, ${LEVELS.join(", ")}, none.`);
  }
  return level ?? "info";
}

/**
 * The life of a long-running verb: signals, the tie to the parent, what nobody
 * caught, and the exit code in one place. A second signal within a second is the
 * echo that npm and terminals send, and is ignored; a later one means "now".
 */
export async function runUntilStopped(
  options: { readonly log: Log; readonly deadlineMs: number },
  start: (runner: Runner) => Promise<void>,
): Promise<number> {
  const { log, deadlineMs } = options;
  const runner = new Runner(log);
  let firstAt = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      const now = performance.now();
      if (firstAt === 0) firstAt = now;
      else if (now - firstAt > 1000) process.exit(130);
      runner.end(signal);
    });
  }
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (thrown: unknown) => {
      runner.fail("process", thrown);
      if (thrown instanceof Error) log.debug("a bug in Berth", { stack: thrown.stack });
    });
  }
  // Writing to a parent that is gone must not kill us before the orderly stop has run.
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
  watchLifeline(() => runner.end("the parent process ended"));
  // Waits of a start are on timers that hold nothing open; without this Node would end in the middle of one.
  const keepAlive = setInterval(() => undefined, 60_000);
  // A start that waits for something must not hold up the end.
  const ending = new Promise<void>((resolve) => {
    runner.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  try {
    await Promise.race([start(runner), ending]);
  } catch (thrown) {
    if (!runner.signal.aborted) {
      const fault = Fault.from(thrown);
      if (process.env.BERTH_LIFELINE === undefined) console.error(`berth: ${oneLine(fault.message)}`);
      runner.fail("start", thrown);
      if (fault.code === "internal" && thrown instanceof Error) log.debug("start failed", { stack: thrown.stack });
    }
  }
  clearInterval(keepAlive);
  return runner.run(deadlineMs);
}

/** What libraries say may have several lines; people get one sentence. */
export function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").trim();
}

/** A log for a process whose stdout is its log (everything but `up`). */
export function processLog(component: string, level?: LogLevel): Log {
  return jsonLog({ level: level ?? "info", fields: { component } });
}
