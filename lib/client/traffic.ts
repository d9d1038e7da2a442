import type { ActivityRow } from "#api/dashboard/activity";
import type { Outcome, ProbeRow, ProbeTick } from "#api/dashboard/probes";
import type { Tone } from "#api/dashboard/tone";
import { podParts } from "#client/format";
import { moves } from "#client/moves";
import type { Point } from "#client/probe-feed";

type Pod = ProbeRow["pods"][number];

export const OUTCOME_WORDS: Record<Outcome, string> = {
  ok: "200 OK",
  refused: "Connection refused",
  timeout: "Time-out",
  reset: "Connection reset",
  unreachable: "Not reachable",
  http_4xx: "HTTP 4xx",
  http_5xx: "HTTP 5xx",
  bad_reply: "Reply without a pod",
};

const OUTCOME_LIST = Object.keys(OUTCOME_WORDS) as Outcome[];

/** Kinds of failure that occurred, most first; and in words the ones that did not. */
export function failures(outcomes: ProbeRow["outcomes"]): {
  readonly seen: readonly { readonly outcome: Outcome; readonly count: number }[];
  readonly unseen: string;
  readonly total: number;
} {
  const bad = OUTCOME_LIST.filter((outcome) => outcome !== "ok");
  const seen = bad.flatMap((outcome) => {
    const count = outcomes[outcome] ?? 0;
    return count === 0 ? [] : [{ outcome, count }];
  });
  const unseen = bad.filter((outcome) => (outcomes[outcome] ?? 0) === 0).map((outcome) => OUTCOME_WORDS[outcome]);
  const text = unseen
    .map((word, index) => (index === 0 || word.startsWith("HTTP") ? word : word.toLowerCase()))
    .join(", ");
  return {
    seen: [...seen].sort((a, b) => b.count - a.count),
    unseen: text,
    total: seen.reduce((sum, entry) => sum + entry.count, 0),
  };
}

const VERDICT: Record<ProbeRow["verdict"]["kind"], Tone> = {
  collecting: "pending",
  even: "ready",
  uneven: "warning",
  too_even: "unknown",
  affinity: "ready",
  failing: "failed",
};

export function verdictTone(probe: ProbeRow): Tone {
  return VERDICT[probe.verdict.kind];
}

/** The printed end of the share scale: the smallest of 10, 25, 50 and 100 % that holds every bar and range. */
export function scaleMax(pods: readonly Pod[]): number {
  const top = Math.max(0, ...pods.map((pod) => Math.max(pod.share, (pod.expected ?? 0) + (pod.halfWidth ?? 0))));
  return [0.1, 0.25, 0.5].find((max) => top <= max) ?? 1;
}

/** One series of the chart: a pod, or everything beyond the seventh as "other". */
export interface Series {
  readonly key: string;
  readonly label: string;
  readonly colour: number;
  readonly gone: boolean;
  readonly expected: number | null;
}

/** At most eight series; bottom of the stack first. With more pods: seven and "other". */
export function series(
  probe: ProbeRow,
  points: readonly Point[],
  colours: ReadonlyMap<string, number>,
): readonly Series[] {
  const drawn = new Set(points.flatMap((point) => Object.keys(point.counts)));
  const pods = [...probe.pods]
    .filter((pod) => drawn.has(pod.pod) || !pod.gone)
    .sort((a, b) => (a.pod < b.pod ? -1 : 1));
  const named = pods.filter((pod) => (colours.get(pod.pod) ?? 0) !== 0).slice(0, pods.length > 8 ? 7 : 8);
  const list: Series[] = named.map((pod) => ({
    key: pod.pod,
    label: podParts(pod.pod).suffix,
    colour: colours.get(pod.pod) ?? 0,
    gone: pod.gone,
    expected: pod.expected,
  }));
  const known = new Set(named.map((pod) => pod.pod));
  if ([...drawn].some((pod) => !known.has(pod)) || pods.length > named.length)
    list.push({ key: OTHER, label: "other", colour: 0, gone: false, expected: null });
  return list;
}

export const OTHER = " other";

/** What the chart draws: one value per series and point; null over a gap, so that it stays a gap. */
export interface ChartRow {
  readonly at: number;
  /** Where it is drawn: the end of its interval. */
  readonly x: number;
  readonly total: number;
  readonly counts: readonly number[];
  readonly values: readonly (number | null)[];
}

export function chartRows(
  points: readonly Point[],
  list: readonly Series[],
  mode: "share" | "requests",
): readonly ChartRow[] {
  const known = new Set(list.map((entry) => entry.key));
  return points.map((point) => {
    const other = Object.entries(point.counts).reduce((sum, [pod, count]) => (known.has(pod) ? sum : sum + count), 0);
    const counts = list.map((entry) => (entry.key === OTHER ? other : (point.counts[entry.key] ?? 0)));
    const scale = mode === "share" ? point.total : point.seconds;
    return {
      at: point.at,
      x: point.x,
      total: point.total,
      counts,
      values: counts.map((count) => (scale === 0 ? null : count / scale)),
    };
  });
}

/** Something that happened within the window and may explain what the lines do. */
export interface Flag {
  readonly at: number;
  readonly text: string;
}

/** Moves of the address and pods that appeared or ended, from the Events and from the seconds themselves. */
export function flags(
  probe: ProbeRow,
  ticks: readonly ProbeTick[],
  activity: readonly ActivityRow[],
  from: number,
  to: number,
): readonly Flag[] {
  const result: Flag[] = moves(activity.filter((row) => row.object.endsWith(probe.service)))
    .filter((move) => move.from !== null)
    .map((move) => ({ at: Date.parse(move.at), text: `moved to ${move.to}` }));
  for (const pod of probe.pods.filter((candidate) => candidate.gone)) {
    const last = ticks.findLast((tick) => (tick.perPod[pod.pod] ?? 0) > 0);
    if (last !== undefined) result.push({ at: last.at + 1000, text: `${podParts(pod.pod).suffix} gone` });
  }
  const since = Math.max(from, Date.parse(probe.startedAt));
  return result.filter((flag) => flag.at >= since && flag.at <= to).sort((a, b) => a.at - b.at);
}

/** Share of the chart's width that a flag's label takes at most. */
const LABEL = 0.24;
/** From here on a label stands left of its flag, so that it stays within the chart. */
export const FAR = 0.6;

/** The lane of each flag, 0 just above the chart: labels that would lie on each other take the next one. */
export function lanes(places: readonly number[]): readonly number[] {
  const ends = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return places.map((place) => {
    const start = place > FAR ? place - LABEL : place;
    const free = ends.findIndex((end) => end <= start);
    const lane = free < 0 ? 1 : free;
    ends[lane] = start + LABEL;
    return lane;
  });
}

/** Round upper end of a latency axis. */
export function latencyMax(points: readonly Point[]): number {
  const top = Math.max(1, ...points.map((point) => point.p95 ?? 0));
  const power = 10 ** Math.floor(Math.log10(top));
  return [1, 2, 5, 10].map((step) => step * power).find((max) => max >= top) ?? top;
}

/** Clock marks for the x axis: whole minutes, or whole tens of seconds in a short window. */
export function marks(from: number, to: number): readonly number[] {
  const step = to - from > 120_000 ? 60_000 : to - from > 60_000 ? 30_000 : 15_000;
  const result: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) result.push(at);
  return result;
}
