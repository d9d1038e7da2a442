import { PROBE_RUNS_MAX, ProbeCommand, type ProbeMessage, type ProbeStart } from "#api/probe";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import { type Run, startRun } from "./run.ts";
import { parseTarget } from "./target.ts";

interface AgentOptions {
  /** Lines of NDJSON, without their line ends. When it ends, everything stops. */
  readonly input: AsyncIterable<string>;
  /** Takes one line without its line end. */
  output(line: string): void;
  readonly clock: Clock;
  readonly log: Log;
}

interface Entry {
  readonly run: Run;
  readonly cancelExpiry: () => void;
}

/** Longer lines are not commands of ours. */
const LINE_MAX = 64 * 1024;
/** Longest delay a timer takes; a run is never that long. */
const EXPIRY_MAX_MS = 24 * 3_600_000;

/**
 * The prober: obeys commands until its input ends, then stops all runs and
 * returns. A line that is no command is refused with a message and changes
 * nothing. At most 8 runs at once.
 */
export async function runAgent(options: AgentOptions): Promise<void> {
  const agent = new Agent(options);
  try {
    for await (const line of options.input) agent.obey(line);
  } catch (error) {
    options.log.warn("input of the prober failed", { error });
  }
  await agent.close();
}

class Agent {
  readonly #options: AgentOptions;
  readonly #runs = new Map<string, Entry>();
  /** Runs that have been told to stop and wait for what is in flight. */
  readonly #stopping = new Map<string, Promise<void>>();

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#say({ kind: "ready", pid: process.pid });
  }

  obey(line: string): void {
    if (line.trim() === "") return;
    const command = parseCommand(line);
    if ("problem" in command) {
      this.#say({ kind: "refused", id: command.id, message: command.problem, fields: command.fields });
      return;
    }
    try {
      if (command.kind === "start") this.#start(command);
      else this.#stop(command.id, "command");
    } catch (error) {
      const { message, fields } = Fault.from(error);
      this.#say({ kind: "refused", id: command.id, message, fields });
    }
  }

  async close(): Promise<void> {
    for (const id of [...this.#runs.keys()]) this.#stop(id, "closed");
    await Promise.allSettled(this.#stopping.values());
  }

  #start(command: ProbeStart): void {
    const { id } = command;
    if (this.#runs.has(id) || this.#stopping.has(id)) throw new Fault("already_exists", `probe ${id} is running`);
    if (this.#runs.size >= PROBE_RUNS_MAX) {
      throw new Fault("unavailable", `${PROBE_RUNS_MAX} probes are running; stop one first`);
    }
    const { clock } = this.#options;
    const remainingMs = command.stopsAt - clock.now();
    if (remainingMs <= 0) {
      const fields = { stopsAt: "a time in the future, in ms since the epoch" };
      throw new Fault("invalid", "stopsAt has passed", { fields });
    }
    const target = parseTarget(command.url, { literal: true });
    this.#say({ kind: "started", id, at: clock.now() });
    const run = startRun({
      id,
      target,
      rate: command.rate,
      connectTimeoutMs: command.connectTimeoutMs,
      timeoutMs: command.timeoutMs,
      host: command.host,
      clock,
      onSecond: (tick, replies, totals) => this.#say({ kind: "second", tick, replies: [...replies], totals }),
    });
    const expire = () => this.#stop(id, "expired");
    this.#runs.set(id, { run, cancelExpiry: clock.schedule(Math.min(remainingMs, EXPIRY_MAX_MS), expire) });
  }

  #stop(id: string, reason: "command" | "expired" | "closed"): void {
    const entry = this.#runs.get(id);
    if (entry === undefined) {
      if (reason === "command" && !this.#stopping.has(id)) throw new Fault("not_found", `no probe ${id} is running`);
      return;
    }
    this.#runs.delete(id);
    entry.cancelExpiry();
    const stopped = entry.run.stop(reason === "closed" ? "abort" : "finish").then((totals) => {
      this.#stopping.delete(id);
      this.#say({ kind: "stopped", id, at: this.#options.clock.now(), reason, totals });
    });
    this.#stopping.set(id, stopped);
  }

  #say(message: ProbeMessage): void {
    try {
      this.#options.output(JSON.stringify(message));
    } catch (error) {
      this.#options.log.warn("output of the prober failed", { error });
    }
  }
}

type Parsed =
  | ProbeCommand
  | { readonly problem: string; readonly id: string | null; readonly fields: Readonly<Record<string, string>> };

function parseCommand(line: string): Parsed {
  if (line.length > LINE_MAX) return { problem: "the line is too long", id: null, fields: {} };
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { problem: "the line is not JSON", id: null, fields: {} };
  }
  const parsed = ProbeCommand.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = Object.fromEntries(parsed.error.issues.map((issue) => [issue.path.join("."), issue.message]));
  const id = typeof value === "object" && value !== null && "id" in value ? value.id : null;
  return { problem: "not a command", id: typeof id === "string" ? id : null, fields };
}
