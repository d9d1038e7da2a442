import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { eventually } from "../../support/berth.ts";

/** A process that is spoken with line by line. */
export class Spoken {
  /** What it printed and nobody asked for yet. */
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout) createInterface({ input: child.stdout }).on("line", (line) => this.lines.push(line));
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  end(): void {
    this.#child.stdin?.end();
  }

  /** The next line that is, or looks like, this one; those before it are left out. */
  next(line: string | RegExp, withinMs = 30_000): Promise<string> {
    return eventually(`the line ${line}`, withinMs, async () => {
      const at = this.lines.findIndex((one) => (typeof line === "string" ? one === line : line.test(one)));
      return at < 0 ? null : (this.lines.splice(0, at + 1).at(-1) ?? null);
    });
  }
}
