import { type Clock, sleep } from "#runtime/clock";
import type { ContainerFs } from "./container-fs.ts";
import { runArgv } from "./runtimes/busybox.ts";

/** What a command that is run in a container sees of it. */
export interface ExecPlace {
  readonly fs: ContainerFs;
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly clock: Clock;
}

type ExecResult =
  | { readonly kind: "ended"; readonly exitCode: number; readonly output: string }
  | { readonly kind: "timeout" };

/** As much of a command's output as a message shows (a kubelet keeps 10 KiB; nobody reads more). */
const MAX_OUTPUT = 1024;
/** The small shell's code for a command that it does not have. */
export const NO_SUCH_COMMAND = 127;

/**
 * Runs a command in a container's files and environment, by the small shell whatever the image: an exec probe or hook.
 * Never rejects; after `timeoutMs`, or when the signal aborts, the command is killed.
 */
export async function execIn(
  argv: readonly string[],
  { fs, env, workingDir, clock }: ExecPlace,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ExecResult> {
  let output = "";
  const keep = (text: string | Uint8Array) => {
    if (output.length < MAX_OUTPUT) output += typeof text === "string" ? text : Buffer.from(text).toString("utf8");
  };
  const running = runArgv(
    argv,
    { env, fs, container: { workingDir }, log: { write: (_stream, data) => keep(data) } },
    clock,
  );
  const timer = new AbortController();
  const late = sleep(clock, timeoutMs, AbortSignal.any([signal, timer.signal])).then(
    () => "late" as const,
    () => "late" as const,
  );
  const first = await Promise.race([running.done, late]);
  timer.abort();
  if (first !== "late") return { kind: "ended", exitCode: first.exitCode, output: output.slice(0, MAX_OUTPUT).trim() };
  running.kill();
  await running.done;
  return { kind: "timeout" };
}
