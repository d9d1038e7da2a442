import type { Outcome, ProbeReply, ProbeRow, ProbeSamples, ProbeTick } from "#api/dashboard/probes";
import type { ProbeTotals } from "#api/probe";
import { halfWidth95, type PodCount, verdict } from "#core/fairness";
import { expectedShares, type ShareQuestion } from "#core/share";

const TICKS = 600;
const REPLIES = 200;
/** Attributed replies that are judged at once; as many before them confirm. */
const WINDOW = 300;
/** After the set of pods changed, proxies need a moment: replies of that moment are not judged. */
const SETTLE_MS = 1500;
/** Pods that ended stay listed, so that the chart's colours keep their names; at most so many. */
const GONE_PODS = 20;
/** A run is failing when nothing answered for this long. */
const FAILING_MS = 3000;

type State = ProbeRow["state"];

interface RunTarget {
  readonly id: string;
  readonly service: string;
  readonly address: string;
  readonly port: number;
  readonly url: string;
  readonly rate: number;
  readonly startedAt: number;
  readonly stopsAt: number;
  readonly vantage: string;
}

/** One probe run as the dashboard remembers it: bounded, whatever its length. */
export class ProbeRun {
  readonly target: RunTarget;
  state: State = "running";
  stoppedAt: number | null = null;
  /** Why it failed, when it did. */
  problem: string | null = null;
  /** Monotonic ms of the last sign of life. */
  heardAt: number;
  #ticks: ProbeTick[] = [];
  #replies: ProbeReply[] = [];
  /** Pods of attributed replies since the expectation last changed, the newest last. */
  #window: string[] = [];
  #totals: ProbeTotals | null = null;
  #model: { key: string; changedAt: number } = { key: "", changedAt: 0 };
  #shares: ReturnType<typeof expectedShares> = { shares: [], model: "Expecting no replies yet" };
  #affinity = false;
  readonly #seen = new Map<string, string | null>();

  constructor(target: RunTarget, now: number) {
    this.target = target;
    this.heardAt = now;
  }

  /** The expectation as of now; when it changed, judging starts anew. */
  expect(question: ShareQuestion, now: number): void {
    const next = expectedShares(question);
    const key = JSON.stringify(next.shares);
    this.#shares = next;
    this.#affinity = question.sessionAffinity;
    for (const { pod, node } of next.shares) this.#see(pod, node);
    if (key === this.#model.key) return;
    this.#window = [];
    this.#model = { key, changedAt: now };
  }

  second(tick: ProbeTick, replies: readonly ProbeReply[], totals: ProbeTotals, now: number): void {
    this.heardAt = now;
    this.#totals = totals;
    this.#ticks = [...this.#ticks, tick].slice(-TICKS);
    this.#replies = [...this.#replies, ...replies].slice(-REPLIES);
    for (const { pod, node } of totals.pods) this.#see(pod, node);
    if (now - this.#model.changedAt < SETTLE_MS && this.#ticks.length > 2) return;
    const pods = Object.entries(tick.perPod).flatMap(([pod, count]) => new Array<string>(count).fill(pod));
    this.#window = [...this.#window, ...pods].slice(-2 * WINDOW);
  }

  totals(totals: ProbeTotals): void {
    this.#totals = totals;
  }

  samples(): ProbeSamples {
    return { id: this.target.id, ticks: this.#ticks, replies: this.#replies };
  }

  get answered(): boolean {
    return (this.#totals?.outcomes.ok ?? 0) > 0;
  }

  /** Nothing answered for a while, though requests were sent. */
  get failing(): boolean {
    if (this.state !== "running") return false;
    const lately = this.#ticks.slice(-Math.ceil(Math.max(FAILING_MS, 3000 / this.target.rate) / 1000));
    const counts = addUp(lately);
    return lately.length >= FAILING_MS / 1000 && total(counts) > 0 && (counts.ok ?? 0) === 0;
  }

  row(): ProbeRow {
    const { startedAt, stopsAt, ...target } = this.target;
    const totals = this.#totals;
    const window = this.#window.slice(-WINDOW);
    return {
      ...target,
      state: this.state,
      startedAt: new Date(startedAt).toISOString(),
      stoppedAt: this.stoppedAt === null ? null : new Date(this.stoppedAt).toISOString(),
      stopsAt: new Date(stopsAt).toISOString(),
      sent: totals?.sent ?? 0,
      outcomes: totals?.outcomes ?? {},
      window: window.length,
      pods: this.#podRows(window),
      model: this.#shares.model,
      verdict: this.#verdict(window),
      latency: { p50: totals?.p50 ?? null, p95: totals?.p95 ?? null, p99: totals?.p99 ?? null },
      longestOutageMs: totals?.longestOutageMs ?? 0,
    };
  }

  #podRows(window: readonly string[]): ProbeRow["pods"] {
    const expected = new Map(this.#shares.shares.map(({ pod, share }) => [pod, share]));
    const counts = countOf(window);
    const known = this.#shares.shares.length > 0;
    return [...this.#seen]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([pod, node]) => {
        const count = counts.get(pod) ?? 0;
        const share = known ? (expected.get(pod) ?? null) : null;
        return {
          pod,
          node,
          count,
          share: window.length === 0 ? 0 : count / window.length,
          expected: share,
          halfWidth: share === null || window.length === 0 ? null : Math.min(1, halfWidth95(share, window.length)),
          gone: known && !expected.has(pod),
        };
      });
  }

  #verdict(window: readonly string[]): ProbeRow["verdict"] {
    const nothing = { p: null, jain: null };
    if (this.problem !== null) return { kind: "failing", sentence: this.problem, ...nothing };
    if (this.failing) return { kind: "failing", sentence: this.#failure(), ...nothing };
    if (this.#affinity) return { kind: "affinity", sentence: this.#shares.model, ...nothing };
    const before = this.#window.slice(0, -WINDOW);
    return verdict(this.#counts(window), before.length > 0 ? this.#counts(before) : undefined);
  }

  #failure(): string {
    const counts = addUp(this.#ticks.slice(-10));
    const words = Object.entries(counts)
      .filter(([outcome, count]) => outcome !== "ok" && (count ?? 0) > 0)
      .map(([outcome, count]) => `${count} × ${outcome.replaceAll("_", " ")}`);
    return `Nothing answers at ${this.target.address}:${this.target.port} (${words.join(", ")})`;
  }

  /** Only pods that the model knows: one that just ended answers its last requests, and is no sign of unfairness. */
  #counts(window: readonly string[]): readonly PodCount[] {
    const counts = countOf(window);
    return this.#shares.shares.map(({ pod, share }) => ({ pod, count: counts.get(pod) ?? 0, expected: share }));
  }

  #see(pod: string, node: string | null): void {
    this.#seen.set(pod, node);
    const current = new Set(this.#shares.shares.map((one) => one.pod));
    const gone = [...this.#seen.keys()].filter((one) => !current.has(one) && one !== pod);
    for (const old of gone.slice(0, Math.max(0, gone.length - GONE_PODS))) this.#seen.delete(old);
  }
}

function addUp(ticks: readonly ProbeTick[]): Partial<Record<Outcome, number>> {
  const sum: Partial<Record<Outcome, number>> = {};
  for (const { outcomes } of ticks) {
    for (const [outcome, count] of Object.entries(outcomes) as [Outcome, number | undefined][]) {
      sum[outcome] = (sum[outcome] ?? 0) + (count ?? 0);
    }
  }
  return sum;
}

function total(counts: Partial<Record<Outcome, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + (count ?? 0), 0);
}

function countOf(pods: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const pod of pods) counts.set(pod, (counts.get(pod) ?? 0) + 1);
  return counts;
}
