import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A process as the kernel tells it apart from a later one with the same pid. */
export interface ProcessRecord {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat: start time in clock ticks since boot (proc(5)). */
  readonly startTime: string;
}

/** The start time of a live process, or null when there is none. */
export function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command name may hold spaces and brackets; fields are counted after its last one.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

export function isAlive(record: ProcessRecord): boolean {
  return startTimeOf(record.pid) === record.startTime;
}

/** A file of process records, written whole each time so that a crash leaves the old or the new one. */
export class ProcessFile {
  readonly #path: string;
  readonly #records = new Map<number, ProcessRecord>();

  constructor(path: string) {
    this.#path = path;
  }

  add(pid: number): void {
    const startTime = startTimeOf(pid);
    if (startTime === null) return;
    this.#records.set(pid, { pid, startTime });
    this.#write();
  }

  remove(pid: number): void {
    if (this.#records.delete(pid)) this.#write();
  }

  #write(): void {
    const temporary = `${this.#path}.new`;
    try {
      writeFileSync(temporary, JSON.stringify([...this.#records.values()]));
      renameSync(temporary, this.#path);
    } catch {
      // A full disk: only the sweep after a crash goes without, and children end with us all the same.
    }
  }
}

function readProcessFile(path: string): readonly ProcessRecord[] {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (!Array.isArray(parsed)) return [];
    return parsed.filter(
      (entry): entry is ProcessRecord =>
        typeof entry === "object" &&
        entry !== null &&
        Number.isInteger(entry.pid) &&
        typeof entry.startTime === "string",
    );
  } catch {
    return [];
  }
}

/** Ends what an earlier run left behind: only processes that are still the very ones recorded. Returns how many. */
export function sweep(runDir: string): number {
  let ended = 0;
  for (const name of ["up-children.json", "nodes-children.json"]) {
    const path = join(runDir, name);
    for (const record of readProcessFile(path)) {
      if (!isAlive(record)) continue;
      try {
        process.kill(record.pid, "SIGKILL");
        ended++;
      } catch {
        // It ended between the look and the signal.
      }
    }
    rmSync(path, { force: true });
  }
  return ended;
}
