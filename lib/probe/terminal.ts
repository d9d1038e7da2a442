import type { ProbeReply } from "#api/dashboard/probes";
import type { ProbeTotals } from "#api/probe";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import { startRun } from "./run.ts";
import { parseTarget } from "./target.ts";

interface TerminalOptions {
  readonly url: string | undefined;
  /** Requests per second as typed, 0.1 to 50; 5 when absent. */
  readonly rate?: string | undefined;
  /** Ends after so many seconds, as typed; until the signal when absent. */
  readonly seconds?: string | undefined;
  readonly clock: Clock;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
  /** Takes one line without its line end. */
  output(line: string): void;
}

const CONNECT_MS = 1_000;
const TOTAL_MS = 2_000;

/**
 * `berth probe <url>`: prints each reply and, at the end, who answered how
 * often. Resolves with the exit code: 0 when every request was answered, 1
 * when one failed or none was sent. Throws Fault `invalid` naming the argument that cannot be used.
 */
export async function runTerminal(options: TerminalOptions): Promise<number> {
  const { clock, signal, output } = options;
  if (options.url === undefined) throw wrong("url", "give the URL to probe, such as http://127.77.10.1/");
  const target = parseTarget(options.url, { literal: false });
  const rate = numberWithin("rate", options.rate ?? "5", 0.1, 50);
  const seconds = options.seconds === undefined ? null : numberWithin("seconds", options.seconds, 1, 86_400);

  // Timers of the clock do not keep a process alive, and between two requests nothing else does.
  const alive = setInterval(() => undefined, 60_000);
  try {
    const run = startRun({
      id: "terminal",
      target,
      rate,
      connectTimeoutMs: CONNECT_MS,
      timeoutMs: TOTAL_MS,
      clock,
      onReply: (reply) => output(replyLine(reply)),
    });
    const how = await ending(clock, signal, seconds);
    const totals = await run.stop(how);
    for (const line of summary(totals)) output(line);
    const ended = Object.values(totals.outcomes).reduce((sum, count) => sum + count, 0);
    return ended > 0 && totals.outcomes.ok === ended ? 0 : 1;
  } finally {
    clearInterval(alive);
  }
}

/** Waits for Ctrl-C (what is in flight does not matter then) or for the time to be up. */
function ending(clock: Clock, signal: AbortSignal, seconds: number | null): Promise<"finish" | "abort"> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve("abort");
    signal.addEventListener("abort", () => resolve("abort"), { once: true });
    if (seconds !== null) clock.schedule(seconds * 1_000, () => resolve("finish"));
  });
}

function numberWithin(field: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (text.trim() !== "" && number >= min && number <= max) return number;
  throw wrong(field, `a number from ${min} to ${max}`);
}

function wrong(field: string, right: string): Fault {
  return new Fault("invalid", `${field}: ${right}`, { fields: { [field]: right } });
}

/** "12:00:03.250     1.8 ms  POD: a NODE: b", or the failure in words. */
function replyLine(reply: ProbeReply): string {
  const time = new Date(reply.at).toISOString().slice(11, 23);
  const latency = `${reply.totalMs.toFixed(1)} ms`.padStart(10);
  return `${time} ${latency}  ${reply.outcome === "ok" ? reply.text : `${reply.outcome}: ${reply.text}`}`;
}

/** The table at the end: a row per pod with its share, then failures, latency and the longest outage. */
function summary(totals: ProbeTotals): readonly string[] {
  const attributed = totals.pods.reduce((sum, { count }) => sum + count, 0);
  const rows = totals.pods.map(({ pod, node, count }) => [
    pod,
    node ?? "",
    String(count),
    `${((count / attributed) * 100).toFixed(1)} %`,
  ]);
  const table = attributed === 0 ? [] : columns([["POD", "NODE", "REPLIES", "SHARE"], ...rows]);
  const failures = Object.entries(totals.outcomes).filter(([outcome]) => outcome !== "ok");
  const ended = Object.values(totals.outcomes).reduce((sum, count) => sum + count, 0);
  const ms = (value: number | null) => (value === null ? "-" : `${value.toFixed(1)} ms`);
  return [
    "",
    ...table,
    ...(table.length > 0 ? [""] : []),
    `${ended} requests, ${totals.outcomes.ok ?? 0} answered${totals.unattributed > 0 ? ` (${totals.unattributed} without a pod's name)` : ""}`,
    ...(failures.length > 0 ? [`failed: ${failures.map(([outcome, count]) => `${count} ${outcome}`).join(", ")}`] : []),
    ...(totals.longestOutageMs > 0 ? [`longest outage: ${(totals.longestOutageMs / 1_000).toFixed(1)} s`] : []),
    `latency: p50 ${ms(totals.p50)}, p95 ${ms(totals.p95)}, p99 ${ms(totals.p99)}`,
  ];
}

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd((widths[column] ?? 0) + 3))
      .join("")
      .trimEnd(),
  );
}
