import type { ProbeReply, ProbeTick } from "#api/dashboard/probes";

/** What the browser keeps of one probe: seconds in order of time, replies newest last. Bounded. */
export interface Feed {
  readonly ticks: readonly ProbeTick[];
  readonly replies: readonly ProbeReply[];
}

export const EMPTY_FEED: Feed = { ticks: [], replies: [] };
const TICKS = 600;
const REPLIES = 200;
const STEP_MS = 30_000;

/** The feed with more seconds and replies; repeated ones (a REST answer that overlaps the stream) count once. */
export function foldFeed(feed: Feed, ticks: readonly ProbeTick[], replies: readonly ProbeReply[]): Feed {
  return {
    ticks: merge(feed.ticks, ticks, (tick) => tick.at).slice(-TICKS),
    replies: merge(feed.replies, replies, (reply) => reply.seq).slice(-REPLIES),
  };
}

function merge<T>(old: readonly T[], more: readonly T[], order: (item: T) => number): readonly T[] {
  const last = old.at(-1);
  const first = more[0];
  if (first === undefined) return old;
  if (last === undefined || order(first) > order(last)) return [...old, ...more];
  const byOrder = new Map<number, T>();
  for (const item of [...old, ...more]) byOrder.set(order(item), item);
  return [...byOrder.values()].sort((a, b) => order(a) - order(b));
}

/** One point of the share-over-time chart: `values[pod]` is null over a gap, so that it stays a gap. */
export interface Point {
  /** Start of its interval. */
  readonly at: number;
  /** Where it is drawn: the end of its interval. */
  readonly x: number;
  readonly seconds: number;
  readonly total: number;
  readonly failed: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly p50: number | null;
  readonly p95: number | null;
}

/** How the window is cut for a run of this age: never more than 120 points, wide enough to hold some replies each. */
export function windowFor(ageMs: number): { readonly spanMs: number; readonly bucketMs: number } {
  if (ageMs < 60_000) return { spanMs: 60_000, bucketMs: 2000 };
  // Grows with the run, so that a run that just passed a limit does not look half empty.
  const spanMs = Math.min(300_000, Math.ceil((ageMs + 1) / STEP_MS) * STEP_MS);
  return { spanMs, bucketMs: spanMs <= 150_000 ? 5000 : 10_000 };
}

/**
 * Ticks gathered into aligned buckets over the `spanMs` before `end`, one
 * point at the end of each; empty buckets stay, as gaps. The bucket under way
 * counts once it is half full; before that the last whole one is drawn on to
 * `end`, so that a handful of replies cannot look like a swing.
 */
export function points(ticks: readonly ProbeTick[], end: number, spanMs: number, bucketMs: number): readonly Point[] {
  // One bucket more than the window holds, so that its left edge is drawn through.
  const first = Math.floor((end - spanMs) / bucketMs) * bucketMs - bucketMs;
  const buckets = new Map<number, ProbeTick[]>();
  for (const tick of ticks) {
    if (tick.at < first || tick.at >= end) continue;
    const at = Math.floor(tick.at / bucketMs) * bucketMs;
    const bucket = buckets.get(at);
    if (bucket === undefined) buckets.set(at, [tick]);
    else bucket.push(tick);
  }
  const result: Point[] = [];
  for (let at = first; at < end; at += bucketMs) {
    const under = at + bucketMs > end;
    const own = buckets.get(at) ?? [];
    const last = result.at(-1);
    if (under && last !== undefined && own.length * 1000 < bucketMs / 2) result.push({ ...last, x: end });
    else result.push(point(at, Math.min(at + bucketMs, end), own));
  }
  return result;
}

function point(at: number, x: number, ticks: readonly ProbeTick[]): Point {
  const counts: Record<string, number> = {};
  let total = 0;
  let failed = 0;
  for (const tick of ticks) {
    for (const [pod, count] of Object.entries(tick.perPod)) {
      counts[pod] = (counts[pod] ?? 0) + count;
      total += count;
    }
    for (const [outcome, count] of Object.entries(tick.outcomes)) if (outcome !== "ok") failed += count ?? 0;
  }
  return { at, x, seconds: ticks.length, total, failed, counts, p50: worst(ticks, "p50"), p95: worst(ticks, "p95") };
}

/** The worst second of a bucket: an average would hide what a latency line is there to show. */
function worst(ticks: readonly ProbeTick[], key: "p50" | "p95"): number | null {
  const values = ticks.map((tick) => tick[key]).filter((value) => value !== null);
  return values.length === 0 ? null : Math.max(...values);
}

/**
 * Colours 1 to 8 by pod, fixed for as long as the pod is seen: known pods keep
 * theirs, new ones take the first that no pod of `pods` holds, the ninth gets 0 ("other").
 */
export function assignColours(
  known: ReadonlyMap<string, number>,
  pods: readonly string[],
): ReadonlyMap<string, number> {
  const next = new Map<string, number>();
  for (const pod of pods) {
    const colour = known.get(pod);
    if (colour !== undefined && colour !== 0) next.set(pod, colour);
  }
  const taken = new Set(next.values());
  for (const pod of pods) {
    if (next.has(pod)) continue;
    const free = [1, 2, 3, 4, 5, 6, 7, 8].find((colour) => !taken.has(colour)) ?? 0;
    taken.add(free);
    next.set(pod, free);
  }
  return next;
}
