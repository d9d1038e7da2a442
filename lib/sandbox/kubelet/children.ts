import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Log } from "#runtime/log";

/** One process that this one started (lib/main/sweep.ts reads it). `startTime` is field 22 of /proc/<pid>/stat. */
interface ChildRecord {
  readonly pid: number;
  readonly startTime: string;
}

/**
 * `<data>/run/nodes-children.json`: the Berth processes that run now, so that
 * the next start can end what a killed predecessor left. Pids are reused;
 * pid and start time together are not. Every change replaces the file whole.
 */
export class ChildRegistry {
  readonly #file: string;
  readonly #log: Log;
  readonly #children = new Map<number, ChildRecord>();

  constructor(dataDir: string, log: Log) {
    this.#file = path.join(dataDir, "run", "nodes-children.json");
    this.#log = log;
  }

  add(pid: number): void {
    const startTime = startTimeOf(pid);
    if (startTime === null) return; // gone already, or no /proc to tell it apart by
    this.#children.set(pid, { pid, startTime });
    this.#write();
  }

  remove(pid: number): void {
    if (this.#children.delete(pid)) this.#write();
  }

  #write(): void {
    try {
      mkdirSync(path.dirname(this.#file), { recursive: true });
      writeFileSync(`${this.#file}.tmp`, `${JSON.stringify([...this.#children.values()])}\n`);
      renameSync(`${this.#file}.tmp`, this.#file);
    } catch (error) {
      this.#log.warn("children cannot be recorded", { file: this.#file, error });
    }
  }
}

/** When a process started, in clock ticks since boot; null when it is gone or the system has no /proc. */
export function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name (field 2) may hold blanks and brackets: count from its end.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}
