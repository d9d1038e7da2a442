import { type ChildProcess, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Log } from "#runtime/log";
import { LogFile } from "./log-file.ts";
import type { ProcessFile } from "./sweep.ts";

export const REPOSITORY = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const BERTH_BIN = join(REPOSITORY, "bin/berth.mjs");

export interface ChildSpec {
  readonly name: string;
  readonly args: readonly string[];
  /** Words before the command, which must end in becoming it (the same process). */
  readonly wrapper?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Every line of stdout and stderr goes here too. */
  readonly logFile: string;
  readonly onLine?: (line: string) => void;
  /** Called with a writable stdin when wanted. */
  readonly stdin?: boolean;
}

const RESTART_FIRST_MS = 200;
const RESTART_MAX_MS = 10_000;

/**
 * Keeps one child process running: restarted with back-off when it dies,
 * detached (so a Ctrl-C reaches only the top process) and tied to us by a pipe
 * (so it ends when we do, however we end).
 */
export class Child {
  readonly #spec: ChildSpec;
  readonly #files: ProcessFile;
  readonly #log: Log;
  #process: ChildProcess | undefined;
  #stopping = false;
  #restartMs = RESTART_FIRST_MS;
  #timer: NodeJS.Timeout | undefined;
  #exited: Promise<void> = Promise.resolve();
  restarts = 0;

  constructor(spec: ChildSpec, files: ProcessFile, log: Log) {
    this.#spec = spec;
    this.#files = files;
    this.#log = log;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get stdin(): Writable | null {
    return this.#process?.stdin ?? null;
  }

  start(): void {
    const { name, env, logFile, onLine, stdin } = this.#spec;
    const [command = "", ...args] = [...(this.#spec.wrapper ?? []), process.execPath, BERTH_BIN, ...this.#spec.args];
    const startedAt = performance.now();
    const child = spawn(command, args, {
      cwd: REPOSITORY,
      detached: true,
      stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe", "pipe"],
      env: { ...process.env, ...env, BERTH_LIFELINE: "3" },
    });
    this.#process = child;
    if (child.pid !== undefined) this.#files.add(child.pid);
    child.stdin?.on("error", () => undefined);
    child.stdio[3]?.on("error", () => undefined);
    const file = new LogFile(logFile);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        file.line(line);
        onLine?.(line);
      });
    }
    this.#exited = new Promise((resolve) => {
      let over = false;
      const ended = (what: string) => {
        if (over) return;
        over = true;
        if (child.pid !== undefined) this.#files.remove(child.pid);
        resolve();
        if (this.#stopping) return;
        this.#restartMs =
          performance.now() - startedAt > 10_000 ? RESTART_FIRST_MS : Math.min(this.#restartMs * 2, RESTART_MAX_MS);
        this.#log.warn("child ended, starting it again", { child: name, how: what, afterMs: this.#restartMs });
        this.restarts++;
        this.#timer = setTimeout(() => this.start(), this.#restartMs);
      };
      child.on("exit", (code, signal) => ended(signal ?? `exit ${code}`));
      // Its last words may still be in the pipes when it has ended.
      child.on("close", () => file.close());
      child.on("error", (error) => {
        file.close();
        ended(error.message);
      });
    });
  }

  /** From now on its end is final. */
  retire(): void {
    this.#stopping = true;
    clearTimeout(this.#timer);
  }

  /** SIGTERM, then SIGKILL after `graceMs`. Resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.retire();
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    const killer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    await this.#exited;
    clearTimeout(killer);
  }
}
