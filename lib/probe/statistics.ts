import type { Outcome, ProbeReply, ProbeTick } from "#api/dashboard/probes";
import type { ProbeTotals } from "#api/probe";
import { OutageMeter } from "./outage.ts";

/** Answers that the percentiles of the totals look back on. */
const WINDOW = 300;
const PODS_MAX = 200;
/** Raw replies one second carries at most. */
const REPLIES_MAX = 50;
const P95_FROM = 20;
const P99_FROM = 100;

/** Nearest rank: the smallest value with at least `fraction` of all values at or below it. Null for no values. */
export function percentile(sorted: readonly number[], fraction: number): number | null {
  if (sorted.length === 0) return null;
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] ?? null;
}

/** Everything one run remembers: of bounded size, however long it runs. */
export class Statistics {
  readonly #outage = new OutageMeter();
  readonly #outcomes: Partial<Record<Outcome, number>> = {};
  readonly #pods = new Map<string, { readonly node: string | null; count: number }>();
  #latencies: number[] = [];
  #unattributed = 0;
  #second: ProbeReply[] = [];

  /** `sentAt` is monotonic. */
  record(reply: ProbeReply, sentAt: number): void {
    this.#outage.record(reply.seq, sentAt, reply.outcome);
    this.#outcomes[reply.outcome] = (this.#outcomes[reply.outcome] ?? 0) + 1;
    this.#second.push(reply);
    if (reply.outcome !== "ok") return;
    this.#latencies.push(reply.totalMs);
    if (this.#latencies.length > WINDOW) this.#latencies.shift();
    if (reply.pod === null) this.#unattributed += 1;
    else this.#count(reply.pod, reply.node);
  }

  /** A request that was aborted: it has no outcome, but its number is used up. */
  skip(seq: number): void {
    this.#outage.record(seq, 0, null);
  }

  /** The second that began at `at` (ms since the epoch) is over: what came back in it. */
  closeSecond(id: string, at: number): { readonly tick: ProbeTick; readonly replies: readonly ProbeReply[] } {
    const replies = this.#second;
    this.#second = [];
    const perPod: Record<string, number> = {};
    const outcomes: Partial<Record<Outcome, number>> = {};
    for (const { pod, outcome } of replies) {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (pod !== null && outcome === "ok") perPod[pod] = (perPod[pod] ?? 0) + 1;
    }
    const latencies = replies
      .filter((reply) => reply.outcome === "ok")
      .map((reply) => reply.totalMs)
      .sort((a, b) => a - b);
    const tick = { id, at, perPod, outcomes, p50: percentile(latencies, 0.5), p95: percentile(latencies, 0.95) };
    return { tick, replies: replies.slice(-REPLIES_MAX) };
  }

  totals(pacer: { sent(): number; skipped(): number }, now: number): ProbeTotals {
    const sorted = [...this.#latencies].sort((a, b) => a - b);
    return {
      sent: pacer.sent(),
      skipped: pacer.skipped(),
      outcomes: { ...this.#outcomes },
      pods: [...this.#pods]
        .map(([pod, { node, count }]) => ({ pod, node, count }))
        .sort((a, b) => (a.pod < b.pod ? -1 : 1)),
      unattributed: this.#unattributed,
      p50: percentile(sorted, 0.5),
      p95: sorted.length < P95_FROM ? null : percentile(sorted, 0.95),
      p99: sorted.length < P99_FROM ? null : percentile(sorted, 0.99),
      longestOutageMs: Math.round(this.#outage.longestMs(now)),
    };
  }

  #count(pod: string, node: string | null): void {
    const known = this.#pods.get(pod);
    if (known !== undefined) known.count += 1;
    else if (this.#pods.size < PODS_MAX) this.#pods.set(pod, { node, count: 1 });
  }
}
