import type { Clock } from "#runtime/clock";
import type { ContainerFs } from "../container-fs.ts";

/** Takes what a command prints. */
export type Sink = (data: string | Uint8Array) => Promise<void> | void;

export interface Io {
  readonly stdin: Uint8Array | null;
  readonly out: Sink;
  readonly err: Sink;
}

export interface Call {
  readonly name: string;
  readonly args: readonly string[];
  readonly io: Io;
  readonly state: ShellState;
  readonly host: ShellHost;
}
/** A command: resolves with its exit code. */
export type Program = (call: Call) => Promise<number> | number;

export interface ShellHost {
  readonly fs: ContainerFs;
  readonly clock: Clock;
  /** Aborts when the container is stopped; every wait of the shell ends then. */
  readonly signal: AbortSignal;
  /** Commands of this image beside the shell's own. */
  readonly programs: ReadonlyMap<string, Program>;
  readonly hostname: string;
}

/** The variables and settings of one running shell. */
export class ShellState {
  readonly variables: Map<string, string>;
  readonly exported: Set<string>;
  /** $0, $1 … */
  parameters: readonly string[];
  cwd: string;
  status = 0;
  /** `set -e` */
  exitOnFailure = false;

  constructor(options: {
    readonly env: Readonly<Record<string, string>>;
    readonly parameters: readonly string[];
    readonly cwd: string;
  }) {
    this.variables = new Map(Object.entries(options.env));
    this.exported = new Set(this.variables.keys());
    this.parameters = options.parameters;
    this.cwd = options.cwd;
  }

  /** What `( … )` and `$( … )` run in: changes stay inside. */
  copy(): ShellState {
    const copy = new ShellState({
      env: Object.fromEntries(this.variables),
      parameters: this.parameters,
      cwd: this.cwd,
    });
    copy.exported.clear();
    for (const name of this.exported) copy.exported.add(name);
    copy.status = this.status;
    copy.exitOnFailure = this.exitOnFailure;
    return copy;
  }

  variable(name: string): string | undefined {
    if (name === "?") return String(this.status);
    if (name === "#") return String(Math.max(0, this.parameters.length - 1));
    if (name === "@" || name === "*") return this.parameters.slice(1).join(" ");
    if (name === "$") return "1";
    if (name === "!" || name === "-") return "";
    if (/^[0-9]+$/.test(name)) return this.parameters[Number(name)];
    return this.variables.get(name);
  }

  get env(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.variables].filter(([name]) => this.exported.has(name)));
  }
}

/** `exit`: ends the shell it is thrown in. */
export class ExitShell {
  readonly code: number;
  constructor(code: number) {
    this.code = code & 255;
  }
}
/** `break` and `continue`. */
export class LoopControl {
  readonly kind: "break" | "continue";
  readonly levels: number;
  constructor(kind: "break" | "continue", levels: number) {
    this.kind = kind;
    this.levels = levels;
  }
}
