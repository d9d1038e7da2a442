import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type ProbeCommand, ProbeMessage } from "#api/probe";
import type { Log } from "#runtime/log";
import type { Prober } from "#server/context";
import { BERTH_BIN, REPOSITORY } from "./children.ts";
import { onHost, readLab } from "./lab-namespaces.ts";
import { isAlive } from "./sweep.ts";

const RESTART_MS = 500;

/**
 * The prober as its own process beside the dashboard: commands go in as NDJSON
 * on its stdin, messages come out on its stdout. Started again when it dies;
 * the runs it had are lost and the dashboard sees their seconds stop. With
 * `labDir`, the data directory of a sandbox with --network netns, it runs on
 * that lab's host "client", and moves when the lab is made anew.
 */
export function startProber(
  log: Log,
  signal: AbortSignal,
  labDir: string | null = null,
): Prober & { close(): Promise<void> } {
  const listeners = new Set<(message: ProbeMessage) => void>();
  let child: ChildProcess | undefined;
  let alive = false;

  const start = () => {
    if (signal.aborted) return;
    const lab = labDir === null ? null : readLab(labDir);
    if (labDir !== null && lab === null) {
      setTimeout(start, RESTART_MS).unref();
      return;
    }
    const wrapper = lab === null ? [] : onHost(lab, "client");
    const [command = "", ...args] = [...wrapper, process.execPath, BERTH_BIN, "probe", "--agent"];
    const started = spawn(command, args, {
      cwd: REPOSITORY,
      detached: true,
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      env: { ...process.env, BERTH_LIFELINE: "3" },
    });
    child = started;
    alive = true;
    started.stdin?.on("error", () => undefined);
    started.stdio[3]?.on("error", () => undefined);
    if (started.stderr) createInterface({ input: started.stderr }).on("line", (line) => log.info("prober", { line }));
    if (started.stdout) {
      createInterface({ input: started.stdout }).on("line", (line) => {
        const message = parseMessage(line);
        if (message === null) log.warn("prober wrote something else than a message", { line: line.slice(0, 200) });
        else for (const listener of listeners) listener(message);
      });
    }
    // In the namespace of a lab that is no more nothing would ever answer.
    const watch = setInterval(() => {
      if (lab !== null && !isAlive(lab)) started.kill("SIGKILL");
    }, RESTART_MS);
    watch.unref();
    const ended = () => {
      clearInterval(watch);
      if (child !== started || !alive) return;
      alive = false;
      if (signal.aborted) return;
      log.warn("prober ended, starting it again");
      setTimeout(start, RESTART_MS).unref();
    };
    started.on("exit", ended);
    started.on("error", ended);
  };
  start();

  return {
    get alive() {
      return alive;
    },
    send(command: ProbeCommand) {
      if (alive && child?.stdin?.writable) child.stdin.write(`${JSON.stringify(command)}\n`);
    },
    onMessage(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      const running = child;
      if (running === undefined || !alive) return;
      const gone = new Promise<void>((resolve) => running.once("exit", () => resolve()));
      running.stdin?.end();
      running.kill("SIGTERM");
      const killer = setTimeout(() => running.kill("SIGKILL"), 1000);
      await gone;
      clearTimeout(killer);
    },
  };
}

function parseMessage(line: string): ProbeMessage | null {
  try {
    const parsed = ProbeMessage.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
