import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { WireObservation } from "#api/metallb";
import type { LinkInfo } from "#net/port";
import type { Command } from "./link-host.ts";
import type { Namespaces } from "./namespaces.ts";

const PROGRAM = fileURLToPath(new URL("./link-host.ts", import.meta.url));
const NODE = fileURLToPath(new URL("../../../node_modules/.bin/node", import.meta.url));

/** A packet link with an announcer in a process on a host of the lab, driven from here. */
export class WireHost {
  readonly child: ChildProcessWithoutNullStreams;
  info: readonly LinkInfo[] = [];
  stderr = "";
  readonly #waiting: ((value: unknown) => void)[] = [];
  readonly #informed: (() => void)[] = [];

  constructor(lab: Namespaces, host: string, exclude = "^lo$") {
    this.child = lab.spawn(host, NODE, "--no-warnings", PROGRAM, exclude);
    this.child.stderr.on("data", (chunk) => {
      this.stderr += chunk;
    });
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      const { kind, value } = JSON.parse(line) as { kind: string; value: unknown };
      if (kind === "info") {
        this.info = value as readonly LinkInfo[];
        for (const informed of this.#informed.splice(0)) informed();
      } else if (kind === "done") this.#waiting.shift()?.(value);
    });
  }

  /** Resolves with what the process knew first. */
  async started(): Promise<readonly LinkInfo[]> {
    if (this.info.length > 0) return this.info;
    await new Promise<void>((resolve, reject) => {
      this.#informed.push(resolve);
      this.child.once("exit", (code) => reject(new Error(`link host ended with ${code}: ${this.stderr}`)));
      this.child.once("error", reject);
    });
    return this.info;
  }

  hold(address: string, interfaces?: readonly string[]): Promise<unknown> {
    return this.tell({ kind: "hold", address, ...(interfaces && { interfaces }) });
  }

  drop(address: string): Promise<unknown> {
    return this.tell({ kind: "drop", address });
  }

  async ask(address: string, senderIp: string): Promise<WireObservation | undefined> {
    return ((await this.tell({ kind: "ask", address, senderIp })) as readonly WireObservation[])[0];
  }

  async metrics(): Promise<string> {
    return (await this.tell({ kind: "metrics" })) as string;
  }

  tell(command: Command): Promise<unknown> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.child.stdin.write(`${JSON.stringify(command)}\n`);
    });
  }

  /** The interface of that name as the process knows it now. */
  card(name: string): LinkInfo | undefined {
    return this.info.find((card) => card.name === name);
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    void this.tell({ kind: "close" });
    await ended;
  }
}
