import type { ProbeReply, ProbeTick } from "#api/dashboard/probes";
import type { ProbeTotals } from "#api/probe";
import type { Clock } from "#runtime/clock";
import { sendRequest } from "./request.ts";
import { startPacer } from "./scheduler.ts";
import { Statistics } from "./statistics.ts";
import type { Target } from "./target.ts";

interface RunOptions {
  readonly id: string;
  readonly target: Target;
  readonly rate: number;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  readonly host?: string | undefined;
  readonly clock: Clock;
  onReply?(reply: ProbeReply): void;
  onSecond?(tick: ProbeTick, replies: readonly ProbeReply[], totals: ProbeTotals): void;
}

export interface Run {
  totals(): ProbeTotals;
  /** Sends nothing more and waits for what is in flight (bounded by the time-out), or aborts it. Then reports the last second. */
  stop(how: "finish" | "abort"): Promise<ProbeTotals>;
}

const IN_FLIGHT_MAX = 100;

/** Requests a target at a steady rate until stopped, with one report per full second of wall time. */
export function startRun(options: RunOptions): Run {
  const { id, target, rate, clock } = options;
  const statistics = new Statistics();
  const abort = new AbortController();
  const flying = new Set<Promise<void>>();
  let second = Math.floor(clock.now() / 1_000);
  let cancelSecond: () => void = () => undefined;

  const task = async (seq: number) => {
    const at = clock.now();
    const sentAt = clock.monotonic();
    const answer = await sendRequest(target, { ...options, signal: abort.signal });
    if (answer === null) return statistics.skip(seq);
    const reply: ProbeReply = { seq, at, ...answer, totalMs: Math.round(answer.totalMs * 100) / 100 };
    statistics.record(reply, sentAt);
    options.onReply?.(reply);
  };
  const pacer = startPacer({
    rate,
    clock,
    // Everything that can be on its way at this rate until it times out, and a little.
    inFlightMax: Math.min(IN_FLIGHT_MAX, Math.ceil((rate * options.timeoutMs) / 1_000) + 2),
    task(seq) {
      const flight = task(seq).finally(() => flying.delete(flight));
      flying.add(flight);
      return flight;
    },
  });

  const totals = () => statistics.totals(pacer, clock.monotonic());
  const report = () => {
    const { tick, replies } = statistics.closeSecond(id, second * 1_000);
    second = Math.floor(clock.now() / 1_000);
    options.onSecond?.(tick, replies, totals());
  };
  const nextSecond = () => {
    const delayMs = Math.max(1, (second + 1) * 1_000 - clock.now());
    cancelSecond = clock.schedule(delayMs, () => {
      if (clock.now() >= (second + 1) * 1_000 || clock.now() < second * 1_000) report();
      nextSecond();
    });
  };
  nextSecond();

  return {
    totals,
    async stop(how) {
      pacer.stop();
      if (how === "abort") abort.abort();
      await Promise.allSettled(flying);
      cancelSecond();
      report();
      return totals();
    },
  };
}
