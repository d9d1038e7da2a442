import { Fault } from "#core/errors";
import { sleep } from "#runtime/clock";
import { BUILTINS } from "./builtins.ts";
import { type Expander, expandText, expandWords } from "./expand.ts";
import { parseScript } from "./parse.ts";
import { applyRedirect, OpenFiles } from "./redirects.ts";
import { ExitShell, type Io, LoopControl, type ShellHost, ShellState, type Sink } from "./state.ts";
import { type Chain, type Command, type Redirect, type Script, ShellError, type Step, unsupported } from "./syntax.ts";

/** SIGTERM's exit code. */
const STOPPED = 143;
/** A loop without `sleep` must leave the node's other pods their time. */
const COMMANDS_PER_PAUSE = 50;
const PAUSE_MS = 10;
const MAX_CAPTURE = 1024 * 1024;

/** Runs a script to its end. Never rejects: what goes wrong is printed on `io.err` and told by the exit code. */
export async function runShell(
  source: string,
  options: {
    readonly host: ShellHost;
    readonly io: Io;
    readonly env: Readonly<Record<string, string>>;
    readonly parameters: readonly string[];
    readonly cwd: string;
  },
): Promise<number> {
  const state = new ShellState(options);
  return guarded(options, async () => {
    const shell = new Shell(options.host, state);
    await shell.script(parseScript(source), options.io);
    return state.status;
  });
}

/** Runs one command without a shell: what a container's `command: ["sleep", "5"]` asks for. */
export async function runCommand(
  argv: readonly string[],
  options: {
    readonly host: ShellHost;
    readonly io: Io;
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: string;
  },
): Promise<number> {
  const state = new ShellState({ ...options, parameters: argv });
  return guarded(options, () => new Shell(options.host, state).call(argv, options.io));
}

async function guarded(
  { host, io }: { readonly host: ShellHost; readonly io: Io },
  run: () => Promise<number>,
): Promise<number> {
  try {
    return await run();
  } catch (thrown) {
    if (thrown instanceof ExitShell) return thrown.code;
    if (thrown instanceof LoopControl) return 0;
    if (host.signal.aborted) return STOPPED;
    await io.err(`${thrown instanceof ShellError || thrown instanceof Fault ? thrown.message : String(thrown)}\n`);
    return thrown instanceof ShellError ? thrown.exitCode : 1;
  }
}

class Shell implements Expander {
  readonly state: ShellState;
  readonly #host: ShellHost;
  readonly #pace: { commands: number };

  constructor(host: ShellHost, state: ShellState, pace = { commands: 0 }) {
    this.#host = host;
    this.state = state;
    this.#pace = pace;
  }

  async script(script: Script, io: Io): Promise<void> {
    for (const chain of script) await this.#chain(chain, io);
  }

  async substitute(script: Script): Promise<string> {
    const pieces: Buffer[] = [];
    let size = 0;
    const out: Sink = (data) => {
      const bytes = Buffer.from(data);
      size += bytes.length;
      if (size > MAX_CAPTURE) throw new Fault("invalid", "sh: out of memory ($(…) printed more than 1 MiB)");
      pieces.push(bytes);
    };
    const inner = new Shell(this.#host, this.state.copy(), this.#pace);
    try {
      await inner.script(script, { stdin: null, out, err: this.#errors });
      this.state.status = inner.state.status;
    } catch (thrown) {
      if (!(thrown instanceof ExitShell)) throw thrown;
      this.state.status = thrown.code;
    }
    return Buffer.concat(pieces).toString("utf8");
  }

  /** Where `$( … )` sends errors: the outermost error stream seen so far. */
  #errors: Sink = () => undefined;

  async #chain({ first, rest }: Chain, io: Io): Promise<void> {
    this.#errors = io.err;
    await this.#step(first, io);
    let failed = this.state.status !== 0 && !first.negated;
    for (const { operator, step } of rest) {
      if ((operator === "&&") !== (this.state.status === 0)) {
        failed = false;
        continue;
      }
      await this.#step(step, io);
      failed = this.state.status !== 0 && !step.negated;
    }
    if (failed && this.state.exitOnFailure) throw new ExitShell(this.state.status);
  }

  async #step({ command, negated }: Step, io: Io): Promise<void> {
    await this.#breathe();
    await this.#redirected(command.redirects, io, (inner) => this.#command(command, inner));
    if (negated) this.state.status = this.state.status === 0 ? 1 : 0;
  }

  async #command(command: Command, io: Io): Promise<void> {
    switch (command.kind) {
      case "simple":
        return this.#simple(command, io);
      case "group":
        return this.script(command.body, io);
      case "loop":
        return this.#loop(command, io);
      case "for": {
        const values = await expandWords(command.words, this);
        for (const value of values) {
          this.state.variables.set(command.name, value);
          if (!(await this.#body(command.body, io))) return;
        }
        return;
      }
      case "if": {
        for (const { condition, body } of command.branches) {
          if (await this.#holds(condition, io)) return this.script(body, io);
        }
        this.state.status = 0;
        if (command.otherwise !== null) await this.script(command.otherwise, io);
      }
    }
  }

  async #loop(command: Extract<Command, { kind: "loop" }>, io: Io): Promise<void> {
    let status = 0;
    while ((await this.#holds(command.condition, io)) !== command.until) {
      if (!(await this.#body(command.body, io))) break;
      status = this.state.status;
    }
    this.state.status = status;
  }

  /** A condition's failure never ends the shell, whatever `set -e` says. */
  async #holds(condition: Script, io: Io): Promise<boolean> {
    const before = this.state.exitOnFailure;
    this.state.exitOnFailure = false;
    try {
      await this.script(condition, io);
    } finally {
      this.state.exitOnFailure = before;
    }
    return this.state.status === 0;
  }

  /** Runs a loop's body once; false when the loop is to end. */
  async #body(body: Script, io: Io): Promise<boolean> {
    try {
      await this.script(body, io);
      return true;
    } catch (thrown) {
      if (!(thrown instanceof LoopControl)) throw thrown;
      if (thrown.levels > 1) throw new LoopControl(thrown.kind, thrown.levels - 1);
      return thrown.kind === "continue";
    }
  }

  async #simple(command: Extract<Command, { kind: "simple" }>, io: Io): Promise<void> {
    const argv = await expandWords(command.words, this);
    if (argv.length === 0) {
      this.state.status = 0;
      for (const { name, value } of command.assignments) {
        this.state.variables.set(name, await expandText(value, this));
      }
      return;
    }
    const before = new Map<string, string | undefined>();
    for (const { name, value } of command.assignments) {
      before.set(name, this.state.variables.get(name));
      this.state.variables.set(name, await expandText(value, this));
    }
    this.state.status = await this.call(argv, io);
    for (const [name, value] of before) {
      if (value === undefined) this.state.variables.delete(name);
      else this.state.variables.set(name, value);
    }
  }

  /** Runs a command by name. Throws `ShellError` 127 for one that does not exist. */
  async call(argv: readonly string[], io: Io): Promise<number> {
    const [name = "", ...args] = argv;
    if (name === "exec" && args.length > 0) throw new ExitShell(await this.call(args, io));
    if (name === "sh" || name === "/bin/sh" || name === "ash") return this.#nested(args, io);
    const base = name.replace(/^\/(usr\/)?s?bin\//, "");
    const program = this.#host.programs.get(base) ?? BUILTINS.get(base);
    if (program === undefined) throw unsupported(`command "${name}"`);
    return program({ name: base, args, io, state: this.state, host: this.#host });
  }

  async #nested(args: readonly string[], io: Io): Promise<number> {
    const [flag, source, ...parameters] = args;
    if (flag === undefined || !/^-[ex]*c$/.test(flag) || source === undefined) throw unsupported("sh without -c");
    const inner = new ShellState({
      env: this.state.env,
      parameters: parameters.length === 0 ? ["sh"] : parameters,
      cwd: this.state.cwd,
    });
    inner.exitOnFailure = flag.includes("e");
    try {
      await new Shell(this.#host, inner, this.#pace).script(parseScript(source), io);
      return inner.status;
    } catch (thrown) {
      if (thrown instanceof ExitShell) return thrown.code;
      throw thrown;
    }
  }

  async #redirected(redirects: readonly Redirect[], io: Io, run: (io: Io) => Promise<void>): Promise<void> {
    if (redirects.length === 0) return run(io);
    const files = new OpenFiles();
    try {
      let inner = io;
      for (const redirect of redirects) {
        const place = { fs: this.#host.fs, cwd: this.state.cwd, files };
        const name = redirect.kind === "duplicate" ? "" : await expandText(redirect.target, this);
        inner = await applyRedirect(redirect, name, inner, place);
      }
      await run(inner);
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      await io.err(`sh: ${thrown.message}\n`);
      this.state.status = 1;
    } finally {
      await files.close();
    }
  }

  async #breathe(): Promise<void> {
    if (this.#host.signal.aborted) throw new ExitShell(STOPPED);
    if (++this.#pace.commands % COMMANDS_PER_PAUSE !== 0) return;
    await sleep(this.#host.clock, PAUSE_MS, this.#host.signal);
  }
}
