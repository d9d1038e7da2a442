import type { OperationRow } from "#api/dashboard/operations";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";

type Step = OperationRow["steps"][number];
type OperationKind = OperationRow["kind"];

/** Finished operations are kept for reading, the newest first, up to this many. */
const KEEP = 50;

/** What the work of an operation does with its own progress. */
export interface Progress {
  readonly signal: AbortSignal;
  /**
   * Runs one step: `running` while `work` runs, `done` with the text it returns as label, `failed` with the
   * message of what it throws (which goes on to end the operation). Steps not foreseen are added at the end.
   */
  step(name: string, work: (note: (detail: string) => void) => Promise<string | undefined>): Promise<void>;
  skip(name: string, detail: string): void;
}

export interface StepPlan {
  readonly name: string;
  readonly label: string;
}

/**
 * Things under way, each a list of steps timed from the monotonic clock. One
 * operation of a kind and target at a time; nothing an operation does can
 * reject unnoticed: a failure becomes its failed step.
 */
export class Operations {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #changed: (row: OperationRow) => void;
  readonly #forgotten: (id: string) => void;
  readonly #rows = new Map<string, OperationRow>();
  readonly #stop = new AbortController();
  readonly #running = new Map<string, { readonly stop: AbortController; readonly ended: Promise<unknown> }>();

  constructor(deps: {
    readonly clock: Clock;
    readonly log: Log;
    readonly changed: (row: OperationRow) => void;
    readonly forgotten: (id: string) => void;
  }) {
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#changed = deps.changed;
    this.#forgotten = deps.forgotten;
  }

  list(): readonly OperationRow[] {
    return [...this.#rows.values()];
  }

  read(id: string): OperationRow {
    const row = this.#rows.get(id);
    if (row === undefined) throw new Fault("not_found", "There is no such operation; it may be too old.");
    return row;
  }

  running(target: string): OperationRow | undefined {
    return this.list().find((row) => row.state === "running" && row.target === target);
  }

  /** Starts `work` in the background and returns the operation's id. Throws `conflict` while one runs on the target. */
  start(
    kind: OperationKind,
    target: string,
    steps: readonly StepPlan[],
    work: (progress: Progress) => Promise<void>,
  ): { readonly operation: string; readonly ended: Promise<OperationRow> } {
    const busy = this.running(target);
    if (busy !== undefined) {
      throw new Fault("conflict", `${target} is being worked on already (${busy.kind}). Wait until that has ended.`);
    }
    const id = crypto.randomUUID();
    const begun = this.#clock.monotonic();
    const planned = steps.map((step): Step => ({ ...step, state: "waiting", elapsedMs: null, detail: null }));
    this.#put({ id, kind, target, state: "running", startedAt: iso(this.#clock.now()), steps: planned });
    const stop = new AbortController();
    const progress = this.#progress(id, begun, AbortSignal.any([this.#stop.signal, stop.signal]));
    const ended = work(progress).then(
      () => this.#end(id, "done"),
      (thrown: unknown) => {
        const fault = Fault.from(thrown);
        this.#log.info("operation failed", { kind, target, error: fault.message });
        this.#fail(id, begun, fault.message);
        return this.#end(id, "failed");
      },
    );
    this.#running.set(id, { stop, ended });
    return { operation: id, ended };
  }

  /** Ends what runs on a target, when it is of this kind, at its next wait; resolves once it has ended. */
  async cancel(kind: OperationKind, target: string, why: string): Promise<void> {
    const row = this.running(target);
    const held = row?.kind === kind ? this.#running.get(row.id) : undefined;
    held?.stop.abort(new Fault("conflict", why));
    await held?.ended;
  }

  close(): void {
    this.#stop.abort(new Fault("unavailable", "The dashboard was stopped."));
  }

  #progress(id: string, begun: number, signal: AbortSignal): Progress {
    const elapsed = () => Math.round(this.#clock.monotonic() - begun);
    return {
      signal,
      step: async (name, work) => {
        this.#set(id, name, { state: "running" });
        try {
          const label = await work((detail) => this.#set(id, name, { detail }));
          // What was said on the way no longer holds.
          const end = { state: "done", elapsedMs: elapsed(), detail: null } as const;
          this.#set(id, name, { ...end, ...(label !== undefined && { label }) });
        } catch (thrown) {
          this.#set(id, name, { state: "failed", elapsedMs: elapsed(), detail: Fault.from(thrown).message });
          throw thrown;
        }
      },
      skip: (name, detail) => this.#set(id, name, { state: "skipped", elapsedMs: elapsed(), detail }),
    };
  }

  #set(id: string, name: string, change: Partial<Step>): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    const known = row.steps.some((step) => step.name === name);
    const fresh: Step = { name, label: name, state: "waiting", elapsedMs: null, detail: null };
    const steps = known ? row.steps : [...row.steps, fresh];
    this.#put({ ...row, steps: steps.map((step) => (step.name === name ? { ...step, ...change } : step)) });
  }

  /** Work that failed between two steps still shows where. */
  #fail(id: string, begun: number, message: string): void {
    const row = this.#rows.get(id);
    if (row === undefined || row.steps.some((step) => step.state === "failed")) return;
    const at = row.steps.find((step) => step.state === "running" || step.state === "waiting");
    const elapsedMs = Math.round(this.#clock.monotonic() - begun);
    this.#set(id, at?.name ?? "failed", { state: "failed", elapsedMs, detail: message });
  }

  #end(id: string, state: "done" | "failed"): OperationRow {
    const row = this.#rows.get(id);
    if (row === undefined) throw new Fault("internal", "operation ended twice");
    const steps = row.steps.map((step): Step => (step.state === "waiting" ? { ...step, state: "skipped" } : step));
    const ended = { ...row, state, steps };
    this.#put(ended);
    this.#running.delete(id);
    const finished = this.list().filter((other) => other.state !== "running");
    for (const old of finished.slice(0, Math.max(0, finished.length - KEEP))) {
      this.#rows.delete(old.id);
      this.#forgotten(old.id);
    }
    return ended;
  }

  #put(row: OperationRow): void {
    this.#rows.set(row.id, row);
    this.#changed(row);
  }
}

export function iso(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
