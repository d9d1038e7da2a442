import { spawn } from "node:child_process";
import { Fault } from "#core/errors";

const COMMAND_MS = 20_000;
/** What commands of the system are run with: nothing of ours, and messages that can be read. */
export const COMMAND_ENV = {
  NODE_ENV: "production",
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LC_ALL: "C",
} as const;

/**
 * Runs a command of the system, with a text to read, and resolves with what it
 * printed. Rejects with a Fault `unavailable` that has its last words; it is killed after 20 s.
 */
export function runCommand(command: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      reject(new Fault("unavailable", `${command} ${args.join(" ")}: ${why}`, { cause }));
    const child = spawn(command, args, { env: COMMAND_ENV, timeout: COMMAND_MS, killSignal: "SIGKILL" });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (data) => {
      stdout += data;
    });
    child.stderr.on("data", (data) => {
      stderr += data;
    });
    child.stdin.on("error", () => undefined);
    child.once("error", (cause) => fail(cause.message, cause));
    child.once("close", (code, signal) => {
      if (code === 0) resolve(stdout);
      else fail(stderr.trim().slice(0, 500) || (signal === null ? `exit ${code}` : `ended by ${signal}`));
    });
    child.stdin.end(input);
  });
}
