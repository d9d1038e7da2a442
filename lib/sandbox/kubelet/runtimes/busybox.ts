import type { Clock } from "#runtime/clock";
import type { ContainerRuntime, Exit, Running, StartContext } from "../runtime.ts";
import { SIGKILL_EXIT } from "../runtime.ts";
import { runCommand, runShell } from "../shell/run.ts";
import type { Io, Program, ShellHost } from "../shell/state.ts";

/**
 * The small shell as a container. Unlike a real PID 1 without handlers it ends
 * at once on SIGTERM (143), so that nobody waits out a grace period for `sleep`.
 */
export function busyboxRuntime(clock: Clock): ContainerRuntime {
  return {
    async start(context) {
      // Without a command the image runs `sh`, which finds no terminal and ends.
      const argv = context.command.length > 0 ? [...context.command, ...context.args] : [...context.args];
      return runArgv(argv.length > 0 ? argv : ["sh", "-c", ""], context, clock);
    },
  };
}

/** The part of a container that a command needs. */
type CommandContext = Pick<StartContext, "env" | "fs"> & {
  readonly container: { readonly workingDir: string };
  readonly log: { write(stream: "stdout" | "stderr", data: string | Uint8Array): void };
};

/** Starts `argv` in the small shell; `programs` are the image's own commands. */
export function runArgv(
  argv: readonly string[],
  context: CommandContext,
  clock: Clock,
  programs: ReadonlyMap<string, Program> = new Map(),
): Running {
  const stop = new AbortController();
  const host: ShellHost = {
    fs: context.fs,
    clock,
    signal: stop.signal,
    programs,
    hostname: context.env.HOSTNAME ?? "",
  };
  const io: Io = {
    stdin: null,
    out: (data) => context.log.write("stdout", data),
    err: (data) => context.log.write("stderr", data),
  };
  const killed = new Promise<Exit>((resolve) => {
    stop.signal.addEventListener("abort", () => {
      if (stop.signal.reason === "killed") resolve(SIGKILL_EXIT);
    });
  });
  const finished = run(argv, host, io, context).then((exitCode): Exit => {
    if (stop.signal.reason === "killed") return SIGKILL_EXIT;
    return { exitCode };
  });
  return {
    done: Promise.race([finished, killed]),
    terminate: () => stop.abort("terminated"),
    kill: () => stop.abort("killed"),
    inProcess: true,
  };
}

function run(argv: readonly string[], host: ShellHost, io: Io, context: CommandContext): Promise<number> {
  const cwd = context.container.workingDir || "/";
  const [name = "", flag = "", source, ...parameters] = argv;
  if (/^(\/bin\/)?(sh|ash)$/.test(name) && /^-[eux]*c$/.test(flag) && source !== undefined) {
    const script = flag.includes("e") ? `set -e\n${source}` : source;
    return runShell(script, {
      host,
      io,
      env: context.env,
      parameters: parameters.length > 0 ? parameters : [name],
      cwd,
    });
  }
  return runCommand(argv, { host, io, env: context.env, cwd });
}
