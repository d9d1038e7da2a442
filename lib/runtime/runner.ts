import { Fault } from "#core/errors";
import type { Log } from "./log.ts";

type Stop = () => void | Promise<void>;

/**
 * The life of one process: start parts in order, stop them in reverse, once,
 * within a deadline. A part that dies takes the process down the same way a
 * signal does, so there is one shutdown path to test.
 */
export class Runner {
  readonly #log: Log;
  readonly #stops: { readonly name: string; readonly stop: Stop }[] = [];
  readonly #ending = new AbortController();
  #failed = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Aborts when shutdown begins. Pass it to everything that waits. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Registers what undoes the part just started. Runs in reverse order of registration. */
  onStop(name: string, stop: Stop): void {
    this.#stops.push({ name, stop });
  }

  /** Watches a task that should live as long as the process. */
  watch(name: string, task: Promise<void>): void {
    task.then(
      () => this.end(`${name} returned`),
      (error: unknown) => this.fail(name, error),
    );
  }

  /** Ends the process with exit code 1, saying which part failed and how. */
  fail(name: string, error: unknown): void {
    if (this.signal.aborted) return;
    this.#failed = true;
    const fault = Fault.from(error);
    this.#log.error("part failed", { part: name, error: fault.message, ...fault.context });
    this.end(`${name} failed`);
  }

  /** Begins the shutdown; later calls do nothing. */
  end(reason: string): void {
    if (this.signal.aborted) return;
    this.#log.info("stopping", { reason });
    this.#ending.abort(new Fault("unavailable", `stopping: ${reason}`));
  }

  /**
   * Waits for the end, then stops every part. Resolves with the exit code once everything has stopped or
   * `deadlineMs` has passed: 0, or 1 when a part failed, threw while stopping, or did not stop in time.
   */
  async run(deadlineMs: number): Promise<number> {
    if (!this.signal.aborted) {
      const keepAlive = setInterval(() => undefined, 60_000); // a pending promise alone does not hold a process open
      await new Promise((resolve) => this.signal.addEventListener("abort", resolve, { once: true }));
      clearInterval(keepAlive);
    }
    const giveUpAt = performance.now() + deadlineMs;
    let code = this.#failed ? 1 : 0;
    for (const { name, stop } of this.#stops.splice(0).reverse()) {
      const outcome = await settle(stop, giveUpAt - performance.now());
      if (outcome !== "done") code = 1;
      this.#log[outcome === "done" ? "debug" : "error"]("part stopped", { part: name, outcome });
    }
    return code;
  }
}

async function settle(stop: Stop, withinMs: number): Promise<"done" | "late" | "threw"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(resolve, Math.max(withinMs, 0), "late");
  });
  const done = Promise.resolve()
    .then(stop)
    .then(
      () => "done" as const,
      () => "threw" as const,
    );
  const outcome = await Promise.race([done, late]);
  clearTimeout(timer);
  return outcome;
}
