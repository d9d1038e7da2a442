import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { COMMAND_ENV, runCommand } from "#runtime/command";

/** Where `ip netns` keeps its names; a tmpfs of this process's own mount namespace. */
export const NETNS_DIR = "/run/netns";

/** The words before a command that make it run in a namespace (null: this process's own). The process is the command's own. */
export function inNamespace(namespace: string | null): readonly string[] {
  return namespace === null ? [] : ["nsenter", `--net=${NETNS_DIR}/${namespace}`, "--"];
}

export function runIn(
  namespace: string | null,
  command: string,
  args: readonly string[],
  input?: string,
): Promise<string> {
  const [first = command, ...rest] = [...inNamespace(namespace), command, ...args];
  return runCommand(first, rest, input);
}

/** `ip` with many lines at once; the first that fails ends it. */
export async function ipLines(namespace: string | null, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const where = namespace === null ? [] : ["-n", namespace];
  await runCommand("ip", [...where, "-batch", "-"], `${lines.join("\n")}\n`);
}

/** Writes below /proc/sys of a namespace; a setting that this kernel does not have (IPv6 off) is left out. */
export async function setSysctls(namespace: string, values: Readonly<Record<string, string>>): Promise<void> {
  const script = Object.entries(values)
    .map(([name, value]) => `[ ! -e /proc/sys/${name} ] || echo ${value} > /proc/sys/${name} || exit 1`)
    .join("\n");
  await runIn(namespace, "sh", ["-c", script]);
}

/** Follows the lines of a command that does not end by itself; started again when it does. Returns how to stop. */
export function followLines(
  namespace: string | null,
  command: readonly string[],
  onLine: (line: string) => void,
  onStart: () => void = () => undefined,
): () => void {
  let child: ChildProcess | null = null;
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  const start = () => {
    // It has no lifeline and holds its namespace: it must end with this process, however that ends.
    const [first = "", ...rest] = [...inNamespace(namespace), "setpriv", "--pdeathsig", "KILL", "--", ...command];
    const started = spawn(first, rest, { env: COMMAND_ENV, stdio: ["ignore", "pipe", "ignore"] });
    child = started;
    createInterface({ input: started.stdout }).on("line", onLine);
    started.once("spawn", onStart);
    let over = false;
    const ended = () => {
      if (over || stopped) return;
      over = true;
      timer = setTimeout(start, 500);
    };
    started.once("exit", ended);
    started.once("error", ended);
  };
  start();
  return () => {
    stopped = true;
    if (timer !== null) clearTimeout(timer);
    child?.kill("SIGKILL");
  };
}
