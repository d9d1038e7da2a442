"use client";

import type { ProbeRow, ProbeTick } from "#api/dashboard/probes";
import { clock, latency } from "#client/format";
import type { Point } from "#client/probe-feed";
import { latencyMax, marks } from "#client/traffic";

const H = 40;

/** Outcome by second, latency, and the clock: they share the x axis of the chart above. */
export function Strips({
  ticks,
  points,
  from,
  to,
  latency: whole,
}: {
  readonly ticks: readonly ProbeTick[];
  readonly points: readonly Point[];
  readonly from: number;
  readonly to: number;
  readonly latency: ProbeRow["latency"];
}) {
  const span = Math.max(1, to - from);
  const x = (at: number) => ((at - from) / span) * 1000;
  const shown = ticks.filter((tick) => tick.at >= from && tick.at < to);
  const bad = shown.filter(isBad);
  const max = latencyMax(points);
  const y = (ms: number) => H - 1 - (Math.min(ms, max) / max) * (H - 6);
  const failed =
    bad.length === 0 ? "no failure" : `failures in ${bad.length} seconds, the last at ${clock(bad.at(-1)?.at ?? from)}`;
  return (
    <>
      <div className="plot gap">
        <div className="y">
          <span className="lab">Outcome</span>
        </div>
        <div className="outcome" role="img" aria-label={`Outcome of each second: ${failed}`}>
          <svg viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true">
            {shown.map((tick) => (
              <rect
                key={tick.at}
                className={isBad(tick) ? "bad" : "ok"}
                x={x(tick.at)}
                width={isBad(tick) ? 3.5 : Math.max(1, (500 / span) * 1000)}
                y="0"
                height="14"
              />
            ))}
          </svg>
        </div>
      </div>
      <div className="plot gap">
        <div className="y lat-h">
          <span style={{ insetBlockStart: 6 }}>{latency(max).replace(".0", "")}</span>
          <span style={{ insetBlockStart: 34 }}>0</span>
        </div>
        <div
          className="area lat-h"
          role="img"
          aria-label={`Latency: p50 ${latency(whole.p50)}, p95 ${latency(whole.p95)}, p99 ${latency(whole.p99)}`}
        >
          <svg viewBox={`0 0 1000 ${H}`} preserveAspectRatio="none" aria-hidden="true">
            <path d={`M0 ${H - 0.5}H1000`} className="base" />
            <path d={line(points, "p95", x, y)} className="p95" />
            <path d={line(points, "p50", x, y)} className="p50" />
          </svg>
        </div>
      </div>
      <div className="plot">
        <div className="y" />
        <div className="xax" aria-hidden="true">
          {marks(from, to).map((at) => (
            <span key={at} style={{ insetInlineStart: `${x(at) / 10}%` }}>
              {span > 120_000 ? clock(at).slice(0, 5) : clock(at)}
            </span>
          ))}
        </div>
      </div>
    </>
  );
}

function isBad(tick: ProbeTick): boolean {
  return Object.entries(tick.outcomes).some(([outcome, n]) => outcome !== "ok" && (n ?? 0) > 0);
}

/** A path with gaps where nothing was measured. */
function line(
  points: readonly Point[],
  key: "p50" | "p95",
  x: (at: number) => number,
  y: (ms: number) => number,
): string {
  let path = "";
  let pen = false;
  for (const point of points) {
    const ms = point[key];
    if (ms === null) {
      pen = false;
      continue;
    }
    path += `${pen ? "L" : "M"}${x(point.x).toFixed(1)} ${y(ms).toFixed(1)}`;
    pen = true;
  }
  return path;
}
