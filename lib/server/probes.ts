import type { ProbeCreate, ProbeRow, ProbeSamples } from "#api/dashboard/probes";
import { PROBE_RUNS_MAX, type ProbeMessage } from "#api/probe";
import { Fault } from "#core/errors";
import type { ShareQuestion } from "#core/share";
import type { Clock } from "#runtime/clock";
import type { Prober } from "./context.ts";
import type { Hub } from "./hub.ts";
import { ProbeRun } from "./probe-run.ts";
import type { Target } from "./target.ts";

/** Runs kept for reading, the newest first. */
const KEEP = 20;
/** The prober says something every second; silent for this long it is taken for gone. */
const SILENCE_MS = 6000;
const LOOK_MS = 2000;

interface Attempt {
  readonly outcome: "answered" | "failed" | "skipped";
  /** "POD: nginx-app-… answered in 3 ms", or why not. */
  readonly text: string;
}

/** The probe runs of this dashboard. They live as long as the process; a stopped run stays until it is deleted. */
export class Probes {
  readonly #clock: Clock;
  readonly #prober: Prober;
  readonly #hub: Hub;
  readonly #expectation: (service: string) => ShareQuestion | null;
  readonly #unreachableChanged: () => void;
  readonly #runs = new Map<string, ProbeRun>();
  readonly #attempts = new Map<string, (message: ProbeMessage) => void>();
  readonly #off: () => void;
  #cancelLook: () => void;
  #unreachable = "";
  #answered = false;

  constructor(deps: {
    readonly clock: Clock;
    readonly prober: Prober;
    readonly hub: Hub;
    readonly expectation: (service: string) => ShareQuestion | null;
    readonly unreachableChanged: () => void;
  }) {
    this.#clock = deps.clock;
    this.#prober = deps.prober;
    this.#hub = deps.hub;
    this.#expectation = deps.expectation;
    this.#unreachableChanged = deps.unreachableChanged;
    this.#off = deps.prober.onMessage((message) => this.#heard(message));
    this.#cancelLook = deps.clock.schedule(LOOK_MS, () => this.#look());
  }

  list(): ProbeRow[] {
    return [...this.#runs.values()].map((run) => run.row());
  }

  read(id: string): ProbeRow {
    return this.#run(id).row();
  }

  samples(id: string): ProbeSamples {
    return this.#run(id).samples();
  }

  start(wish: ProbeCreate, target: Target, vantage: string): ProbeRow {
    this.#mustBeAlive();
    const running = [...this.#runs.values()].filter((run) => run.state === "running").length;
    if (running >= PROBE_RUNS_MAX)
      throw new Fault("conflict", `${running} probes are running. Stop one of them first.`);
    const now = this.#clock.now();
    const { address, port, url, host } = target;
    const id = crypto.randomUUID();
    const stopsAt = now + wish.durationSeconds * 1000;
    const run = new ProbeRun(
      { id, service: wish.service, address, port, url, rate: wish.rate, startedAt: now, stopsAt, vantage },
      this.#clock.monotonic(),
    );
    this.#runs.set(id, run);
    this.#expect(run);
    this.#forget();
    this.#prober.send({
      kind: "start",
      id,
      url,
      rate: wish.rate,
      stopsAt,
      connectTimeoutMs: 1000,
      timeoutMs: 2000,
      ...(host !== undefined && { host }),
    });
    return this.#publish(run);
  }

  /** Stopping a run that has ended is no mistake. */
  stop(id: string): ProbeRow {
    const run = this.#run(id);
    if (run.state === "running") {
      this.#prober.send({ kind: "stop", id });
      this.#end(run, "stopped");
    }
    return run.row();
  }

  delete(id: string): void {
    this.stop(id);
    this.#runs.delete(id);
    this.#hub.remove("probes", id);
    this.#tellUnreachable();
  }

  /** Services of which a running probe gets no answer at all. */
  unreachable(): ReadonlySet<string> {
    return new Set([...this.#runs.values()].filter((run) => run.failing).map((run) => run.target.service));
  }

  everAnswered(): boolean {
    return this.#answered;
  }

  /** Asks the target until something answers, at most `withinMs`: any HTTP status, or any bytes, count as an answer. */
  attempt(target: Target, withinMs: number, signal: AbortSignal): Promise<Attempt> {
    if (!this.#prober.alive) return Promise.resolve({ outcome: "skipped", text: "The prober is not running." });
    const id = `reach-${crypto.randomUUID()}`;
    return new Promise((resolve) => {
      let last = `${target.address}:${target.port} did not answer within ${Math.round(withinMs / 1000)} s.`;
      const end = (attempt: Attempt) => {
        cancel();
        signal.removeEventListener("abort", aborted);
        if (this.#attempts.delete(id)) this.#prober.send({ kind: "stop", id });
        resolve(attempt);
      };
      const cancel = this.#clock.schedule(withinMs, () => end({ outcome: "failed", text: last }));
      const aborted = () => end({ outcome: "skipped", text: "Ended before it was asked." });
      signal.addEventListener("abort", aborted, { once: true });
      this.#attempts.set(id, (message) => {
        if (message.kind === "refused") end({ outcome: "skipped", text: message.message });
        if (message.kind !== "second") return;
        const answered = message.replies.find((reply) => ANSWERED.has(reply.outcome));
        const failed = message.replies.at(-1);
        if (failed !== undefined) last = `${target.address}:${target.port}: ${failed.text}`;
        if (answered === undefined) return;
        const who = answered.pod === null ? `HTTP ${answered.status ?? "reply"}` : `Pod ${answered.pod}`;
        end({ outcome: "answered", text: `${who} answered in ${Math.max(1, Math.round(answered.totalMs))} ms` });
      });
      const { url, host } = target;
      const stopsAt = this.#clock.now() + withinMs + 1000;
      this.#prober.send({
        kind: "start",
        id,
        url,
        rate: 5,
        stopsAt,
        connectTimeoutMs: 1000,
        timeoutMs: 2000,
        ...(host !== undefined && { host }),
      });
    });
  }

  /** Endpoints or announcer may have changed: what is expected of running probes follows at once. */
  refresh(): void {
    for (const run of this.#runs.values()) {
      if (run.state !== "running") continue;
      this.#expect(run);
      this.#publish(run);
    }
  }

  close(): void {
    this.#off();
    this.#cancelLook();
    for (const run of this.#runs.values()) {
      if (run.state === "running") this.#prober.send({ kind: "stop", id: run.target.id });
    }
  }

  #heard(message: ProbeMessage): void {
    if (message.kind === "ready") {
      this.#lost();
      return;
    }
    const id = message.kind === "second" ? message.tick.id : message.id;
    if (id === null) return;
    const attempt = this.#attempts.get(id);
    if (attempt !== undefined) {
      attempt(message);
      return;
    }
    const run = this.#runs.get(id);
    if (run === undefined) return;
    const now = this.#clock.monotonic();
    if (message.kind === "second") {
      this.#expect(run);
      run.second(message.tick, message.replies, message.totals, now);
      this.#answered ||= run.answered;
      this.#hub.send({ kind: "probe", tick: message.tick, replies: message.replies });
      this.#publish(run);
      this.#tellUnreachable();
    } else if (message.kind === "stopped") {
      run.totals(message.totals);
      this.#end(run, "stopped");
    } else if (message.kind === "refused") {
      // A stop that came after the end is refused too; that run has ended already.
      if (run.state !== "running") return;
      run.problem = `The prober refused: ${message.message}`;
      this.#end(run, "failed");
    }
  }

  /** A prober that says `ready` has just started: it knows nothing of the runs of the one before. */
  #lost(): void {
    for (const run of this.#runs.values()) {
      if (run.state !== "running" || this.#clock.monotonic() - run.heardAt < 1000) continue;
      run.problem = "The prober was started again; this run was lost.";
      this.#end(run, "failed");
    }
  }

  #look(): void {
    for (const run of this.#runs.values()) {
      if (run.state !== "running" || this.#clock.monotonic() - run.heardAt < SILENCE_MS) continue;
      run.problem = "The prober does not answer; this run was lost.";
      this.#end(run, "failed");
    }
    this.#cancelLook = this.#clock.schedule(LOOK_MS, () => this.#look());
  }

  #expect(run: ProbeRun): void {
    const question = this.#expectation(run.target.service);
    if (question !== null) run.expect(question, this.#clock.monotonic());
  }

  #end(run: ProbeRun, state: "stopped" | "failed"): void {
    if (run.state === "running") {
      run.state = state;
      run.stoppedAt = this.#clock.now();
    }
    this.#publish(run);
    this.#tellUnreachable();
  }

  #publish(run: ProbeRun): ProbeRow {
    const row = run.row();
    if (this.#runs.has(row.id)) this.#hub.upsert("probes", row);
    return row;
  }

  #forget(): void {
    const ended = [...this.#runs.values()].filter((run) => run.state !== "running");
    for (const run of ended.slice(0, Math.max(0, this.#runs.size - KEEP))) {
      this.#runs.delete(run.target.id);
      this.#hub.remove("probes", run.target.id);
    }
  }

  #tellUnreachable(): void {
    const now = [...this.unreachable()].sort().join(" ");
    if (now === this.#unreachable) return;
    this.#unreachable = now;
    this.#unreachableChanged();
  }

  #run(id: string): ProbeRun {
    const run = this.#runs.get(id);
    if (run === undefined) throw new Fault("not_found", "There is no such probe run; it may have been deleted.");
    return run;
  }

  #mustBeAlive(): void {
    if (!this.#prober.alive) throw new Fault("unavailable", "The prober is not running; it is being started again.");
  }
}

const ANSWERED: ReadonlySet<string> = new Set(["ok", "http_4xx", "http_5xx", "bad_reply"]);
